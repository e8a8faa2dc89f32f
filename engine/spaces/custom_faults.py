"""Reads a user's space: every fault is a sentence at the field of the user's own file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from engine.spaces.custom_check import Fault, Path, check_definition
from engine.spaces.custom_definition import (
    KINDS,
    BlockDefinition,
    CustomSettings,
    LayerDefinition,
)
from engine.spec.errors import SpecError

_LISTED = {"blocks": BlockDefinition, "layers": LayerDefinition}


def read_definition(values: Mapping[str, Any], section: str = "space_settings") -> CustomSettings:
    """Check a definition.

    Args:
        values: its fields, as YAML gives them.
        section: dotted path under which they stand; empty for a file of its own.

    Raises:
        SpecError: the first fault, at its field.
    """
    for fault in definition_faults(values, section):
        raise fault
    return CustomSettings.model_validate(dict(values))


def definition_faults(
    values: Mapping[str, Any], section: str = "space_settings"
) -> list[SpecError]:
    """Return every fault of a definition at its field; arguments as in `read_definition`."""
    found = _faults(values)
    parts = (section,) if section else ()
    return [SpecError(".".join(map(str, (*parts, *path))), text) for path, text in found]


def _faults(values: Mapping[str, Any]) -> list[Fault]:
    if "file" in values:
        return [
            (
                ("file",),
                "only an experiment in a file can name another file, and nothing beside it. "
                "Write the definition itself here.",
            )
        ]
    kind = values.get("kind")
    if values and not (isinstance(kind, str) and kind in KINDS):
        given = "" if kind is None else f"; given was {kind!r:.40}"
        return [(("kind",), f"give the kind of the space, one of {', '.join(KINDS)}{given}.")]
    try:
        settings = CustomSettings.model_validate(dict(values))
    except ValidationError as error:
        items = error.errors(include_url=False)
        return [_explain(dict(item), values) for item in items]
    return check_definition(settings.root)


def _explain(item: dict[str, Any], values: Mapping[str, Any]) -> Fault:
    """Turn a fault of the fields' types into a path of the user's file and a sentence."""
    path, kind = _given_path(item["loc"], values), item["type"]
    if kind == "missing":
        return (*path, str(item["loc"][-1])), "this field is missing; see `docs/custom_space.md`."
    if kind == "extra_forbidden":
        return path, _no_field(path, str(values["kind"]))
    given = item.get("input")
    message = str(item["msg"]).removeprefix("Value error, ")
    shown = "" if isinstance(given, Mapping) else f"; given was {given!r:.60}"
    if kind == "string_type" and isinstance(given, bool):
        shown += " (YAML reads yes, no, on and off so: write names in quotes)"
    return path, f"{message[0].lower()}{message[1:]}{shown}."


def _given_path(loc: Sequence[str | int], values: Any) -> Path:
    """Drop what is no key of the user's file: the kind, and the place in a list of one."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(values, Mapping) and part in values:
            values = values[str(part)]
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _no_field(path: Path, kind: str) -> str:
    """Refuse an unknown field, naming those of its section."""
    model = KINDS[kind] if len(path) == 1 else _LISTED[str(path[0])]
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return f"there is no such field.{hint} Known here: {', '.join(known)}."
