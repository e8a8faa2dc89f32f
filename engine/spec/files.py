"""Experiment files: YAML in, YAML out, and every fault named at its field."""

from __future__ import annotations

import copy
import difflib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec

# The C loader where there is one; both build plain values only.
_QUICK: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Line breaks to YAML, which PyYAML would write as they are and read back as `\n`.
_RARE_BREAKS = frozenset("\x85\u2028\u2029")
MAX_BYTES = 1_000_000
MAX_DEPTH = 30
MAX_TOKENS = 50_000
_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice instead of keeping the last one."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            line = key_node.start_mark.line + 1
            raise SpecError("", f"line {line}: field names are texts; given was {key!r}.")
        if key in result:
            line = key_node.start_mark.line + 1
            raise SpecError(key, f"given twice (line {line}); keep one of the two.")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _text(loader: _StrictLoader, node: yaml.ScalarNode) -> str:
    """Join the pairs of surrogates that JSON writes for an emoji; a lone one is refused."""
    text: str = loader.construct_scalar(node)
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG, _text)


class _Dumper(yaml.SafeDumper):
    """Safe YAML whose texts always read back as they were."""


def _write_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if _RARE_BREAKS & set(text) else None
    return dumper.represent_scalar(yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG, text, style)


_Dumper.add_representer(str, _write_text)


def read_mapping(text: str) -> dict[str, Any]:
    """Parse YAML (or JSON) whose top level is a mapping.

    Raises:
        SpecError: too large, not YAML, aliases that expand without end, or no mapping.
    """
    value = _read(text)
    if not isinstance(value, dict):
        raise SpecError("", "an experiment file is a list of `field: value` lines.")
    return value


def _read(text: str) -> Any:
    """Parse YAML of any kind; see `read_mapping` for what is refused."""
    try:
        if len(text.encode()) > MAX_BYTES:
            sentence = "the file is larger than 1 MB; an experiment file is a page of text."
            raise SpecError("", sentence)
        _refuse_what_takes_long(text)
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecError("", f"this is not valid YAML: {_one_line(error)}.") from None


def _refuse_what_takes_long(text: str) -> None:
    """Stop at aliases, depth and number of words: PyYAML is slow, and quadratic in the depth."""
    depth = 0
    for number, token in enumerate(yaml.scan(text, Loader=yaml.SafeLoader)):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if isinstance(token, yaml.AliasToken):
            problem = "YAML aliases (`*name`) are not used here; write the value out."
        elif depth > MAX_DEPTH:
            problem = f"more than {MAX_DEPTH} sections are within each other."
        elif number > MAX_TOKENS:
            problem = "an experiment file is a page of text; this one has too many values."
        else:
            continue
        raise SpecError("", f"line {token.start_mark.line + 1}: {problem}")


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    return " ".join(str(problem).split()) + where


def build(value: dict[str, Any]) -> ExperimentSpec:
    """Validate a mapping.

    Raises:
        SpecError: the first fault, named at its field; `problems` lists all of them.
    """
    faults = problems(value)
    if faults:
        raise faults[0]
    return ExperimentSpec.model_validate(value)


def problems(value: dict[str, Any]) -> list[SpecError]:
    """Return every fault of a mapping as a sentence at its field; empty when it is valid."""
    faults = [SpecError(field, "give a finite number.") for field in _not_finite(value)]
    named = {fault.field for fault in faults}
    try:
        ExperimentSpec.model_validate(value)
    except ValidationError as error:
        found = [_explain(dict(item)) for item in error.errors(include_url=False)]
        faults += [fault for fault in found if fault.field not in named]
    return faults


def _not_finite(value: Any, field: str = "") -> Iterator[str]:
    """Yield the fields that hold `.nan` or `.inf`, which JSON and databases cannot carry."""
    if isinstance(value, float) and not math.isfinite(value):
        yield field
    named = value.items() if isinstance(value, dict) else ()
    counted = enumerate(value) if isinstance(value, list) else ()
    for name, part in (*named, *counted):
        yield from _not_finite(part, f"{field}.{name}" if field else str(name))


def _explain(item: dict[str, Any]) -> SpecError:
    path = [str(part) for part in item["loc"]]
    field, kind, given = ".".join(path), item["type"], item.get("input")
    if kind == "extra_forbidden":
        known = _fields_at(ExperimentSpec, path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        listed = f" Known here: {', '.join(sorted(known))}." if known and not near else ""
        return SpecError(field, f"there is no such field.{hint}{listed}")
    message = str(item["msg"])
    message = message[0].lower() + message[1:]
    shown = f"; given was {given!r:.60}" if not isinstance(given, dict) else ""
    return SpecError(field, f"{message}{shown}.")


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for name in path:
        info = model.model_fields.get(name)
        if info is None:
            return []
        options = [info.annotation, *getattr(info.annotation, "__args__", ())]
        models = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        if not models:
            return []
        model = models[0]
    return list(model.model_fields)


def parse(text: str) -> ExperimentSpec:
    """Read an experiment from YAML text; see `read_mapping` and `build` for errors."""
    return build(read_mapping(text))


def load(path: Path) -> ExperimentSpec:
    """Read an experiment file.

    Raises:
        SpecError: the file cannot be read or is not a valid experiment.
    """
    return build(load_mapping(path))


def load_mapping(path: Path) -> dict[str, Any]:
    """Read a file's mapping without validating its fields (see `read_mapping`).

    `space_settings: {file: NAME}` is replaced by what stands in that file, which is looked for
    beside this one: the record of a run then holds everything.
    """
    value = read_mapping(_content(path))
    settings = value.get("space_settings")
    if not isinstance(settings, dict) or list(settings) != ["file"]:
        return value
    name = settings["file"]
    try:
        if not isinstance(name, str):
            raise SpecError("", f"give the name of a file; given was {name!r:.60}.")
        found = read_mapping(_content(path.parent / name))
    except SpecError as fault:
        where = "" if not isinstance(name, str) or "cannot read" in fault.problem else f"{name}: "
        raise SpecError("space_settings.file", f"{where}{fault.problem}") from None
    if not found:
        raise SpecError("space_settings.file", f"{name} is empty.")
    return {**value, "space_settings": found}


def read_written(path: Path) -> Any:
    """Read an experiment file that `dump` has written, ten times as fast as `load` does.

    Plain values only; nothing is checked, and faults are not explained: for lists of many runs,
    where `load` tells what is wrong with the one that is opened.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_QUICK)  # noqa: S506 - safe
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError("", f"cannot read {path}: {_one_line(error)}.") from None


def dump(spec: ExperimentSpec) -> str:
    """Write an experiment as YAML with every default written out; `parse` reads it back."""
    value = spec.model_dump(mode="json")
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=88)
    return text


def with_values(value: dict[str, Any], assignments: list[str]) -> dict[str, Any]:
    """Return a copy with `a.b=c` assignments applied; c is read as YAML.

    Raises:
        SpecError: an assignment without `=`, or a path through something that is no section.
    """
    result: dict[str, Any] = copy.deepcopy(value)
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        if not separator or not path:
            raise SpecError("--set", f"write `section.field=value`; given was `{assignment}`.")
        try:
            given = _read(text)
        except SpecError as fault:
            raise SpecError(path, f"cannot read `{text:.60}`: {fault.problem}") from None
        set_field(result, path, given)
    return result


def set_field(value: dict[str, Any], path: str, given: Any) -> None:
    """Put a value at a dotted path of a mapping, in place; missing sections are made.

    Raises:
        SpecError: the path goes through something that is no section.
    """
    *parents, last = path.split(".")
    section = value
    for name in parents:
        if section.get(name) is None:
            section[name] = {}
        section = section[name]
        if not isinstance(section, dict):
            raise SpecError(path, f"`{name}` is a value, not a section.")
    section[last] = given
