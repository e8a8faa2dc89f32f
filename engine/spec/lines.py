"""Where in a YAML file a field stands, so that faults can name the line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from engine.spec.errors import SpecError


def line_of(text: str, field: str) -> int | None:
    """Return the line, from 1, of the deepest part of a field that the text has.

    Args:
        text: YAML that `engine.spec.files.read_mapping` takes.
        field: dotted path, places in lists as numbers from 0; keys may hold dots themselves.
    """
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), None
    rest = field
    while rest:
        found = _step(node, rest)
        if found is None:
            break
        node, line, rest = found
    return line


def _step(node: yaml.Node | None, field: str) -> tuple[yaml.Node, int, str] | None:
    """Return the node one step down, its line, and the rest of the path."""
    if isinstance(node, yaml.MappingNode):
        keys = sorted(node.value, key=lambda pair: -len(str(pair[0].value)))
        for key, value in keys:
            if field == key.value or field.startswith(f"{key.value}."):
                return value, key.start_mark.line + 1, field[len(key.value) + 1 :]
    elif isinstance(node, yaml.SequenceNode):
        first, _, rest = field.partition(".")
        if first.isdigit() and int(first) < len(node.value):
            item = node.value[int(first)]
            return item, item.start_mark.line + 1, rest
    return None


def located(fault: SpecError, text: str, name: str | None = None) -> SpecError:
    """Return a fault whose sentence starts with its line.

    Args:
        fault: of the mapping in `text`.
        text: the file.
        name: of the file, where it is not the one that the user named; None: do not say.
    """
    line = line_of(text, fault.field)
    if line is None:
        return fault if name is None else SpecError(fault.field, f"in {name}: {fault.problem}")
    where = f"line {line}" if name is None else f"line {line} of {name}"
    return type(fault)(fault.field, f"{where}: {fault.problem}")


def located_in(fault: SpecError, path: Path) -> SpecError:
    """Return a fault of an experiment file with its line; see `located`.

    Where `space_settings` names a file, faults below it are looked for in that file.
    """
    text = path.read_text(encoding="utf-8")
    section, _, field = fault.field.partition(".")
    name = _definition_file(text)
    if section != "space_settings" or name is None:
        return located(fault, text)
    inner = (path.parent / name).read_text(encoding="utf-8")
    found = located(SpecError(field, fault.problem), inner, name)
    return type(fault)(fault.field, found.problem)


def with_lines(
    faults: Iterable[SpecError], path: Path, changed: Iterable[str] = ()
) -> list[SpecError]:
    """Return the faults of an experiment file with their lines; see `located_in`.

    Args:
        faults: found in the file's mapping.
        path: the file.
        changed: fields that were changed since it was read. Faults in their sections get no
            line, since that is not what the file says.
    """
    sections = {field.partition(".")[0] for field in changed}
    return [
        fault if fault.field.partition(".")[0] in sections else located_in(fault, path)
        for fault in faults
    ]


def _definition_file(text: str) -> str | None:
    value = yaml.safe_load(text)
    settings = value.get("space_settings") if isinstance(value, dict) else None
    name = settings.get("file") if isinstance(settings, dict) and len(settings) == 1 else None
    return name if isinstance(name, str) else None
