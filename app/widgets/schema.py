"""Reading JSON schemas of pydantic models as forms need them. Pure data, no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["flag", "whole", "number", "text", "choice", "words", "mapping", "section"]

# Whole numbers beyond this are not exact in a browser.
EXACT = 2**53 - 1
_MISSING = object()


@dataclass(frozen=True)
class Field:
    """One setting.

    Attributes:
        name: key in its section.
        path: dotted path from the top of the experiment.
        kind: how it is edited.
        optional: may be empty (None).
        default: value when nothing was given.
        low, high: inclusive or exclusive limits, see `low_open` and `high_open`.
        options: of a `choice`.
        unit: shown beside the name.
        help: what it does.
        shown_if: field names of the same section with the value (or the list of values) that
            makes this one matter.
        fields: of a `section`.
    """

    name: str
    path: str
    kind: Kind
    optional: bool = False
    default: Any = None
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    options: tuple[Any, ...] = ()
    unit: str | None = None
    help: str = ""
    shown_if: Mapping[str, Any] | None = None
    fields: tuple[Field, ...] = ()

    @property
    def label(self) -> str:
        """Return the name as words, with its unit."""
        words = self.name.replace("_", " ").capitalize()
        said = not self.unit or self.unit.split()[0] in words.lower()
        return words if said else f"{words} ({self.unit})"

    @property
    def limits(self) -> str:
        """Say the allowed range in words; empty where there is none."""
        low = _limit("above" if self.low_open else "at least", self.low)
        high = _limit("below" if self.high_open else "at most", self.high)
        return ", ".join(part for part in (low, high) if part)

    def matters(self, section: Mapping[str, Any]) -> bool:
        """Tell whether the setting has an effect, given its section's values."""
        wanted = self.shown_if or {}
        return all(
            section.get(name) in (value if isinstance(value, list) else [value])
            for name, value in wanted.items()
        )


def _limit(words: str, value: float | None) -> str:
    if value is None or abs(value) > EXACT:
        return ""
    return f"{words} {value:,}" if isinstance(value, int) else f"{words} {value:g}"


def read(schema: Mapping[str, Any], path: str = "") -> tuple[Field, ...]:
    """Return the fields of an object schema, in order.

    Args:
        schema: as `model_json_schema()` gives it, with `$defs`.
        path: dotted path of this object; empty for the top.
    """
    return _section(schema, schema.get("$defs", {}), path, {})


def _section(
    schema: Mapping[str, Any], defs: Mapping[str, Any], path: str, given: Mapping[str, Any]
) -> tuple[Field, ...]:
    """Return the fields of a section; `given` are defaults of its own place, where it has some."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    return tuple(
        _field(
            name,
            item | ({"default": given[name]} if name in given else {}),
            defs,
            f"{path}.{name}" if path else name,
        )
        for name, item in properties.items()
    )


def _field(name: str, item: Mapping[str, Any], defs: Mapping[str, Any], path: str) -> Field:
    inner, optional = _without_null(item, defs)
    kind = _kind(inner)
    low, low_open = _bound(inner, "minimum", "exclusiveMinimum")
    high, high_open = _bound(inner, "maximum", "exclusiveMaximum")
    default = item.get("default", _MISSING)
    given = default if isinstance(default, Mapping) else {}
    fields = _section(inner, defs, path, given) if kind == "section" else ()
    if default is _MISSING:
        empty: dict[Kind, Any] = {"section": defaults(fields), "words": [], "mapping": {}}
        default = None if optional else empty.get(kind)
    options = inner.get("enum") or ([inner["const"]] if "const" in inner else [])
    return Field(
        name,
        path,
        kind,
        optional,
        default,
        low,
        high,
        low_open,
        high_open,
        tuple(options),
        item.get("unit"),
        item.get("description") or inner.get("description") or "",
        item.get("shown_if"),
        fields,
    )


def _without_null(
    item: Mapping[str, Any], defs: Mapping[str, Any]
) -> tuple[Mapping[str, Any], bool]:
    """Return the schema behind references and `or null`, and whether null is allowed."""
    if "$ref" in item:
        return defs[item["$ref"].rsplit("/", 1)[-1]], False
    if "anyOf" in item:
        others = [option for option in item["anyOf"] if option.get("type") != "null"]
        inner, _ = _without_null(others[0], defs)
        return inner, len(others) < len(item["anyOf"])
    if "allOf" in item:
        return _without_null(item["allOf"][0], defs)
    return item, False


def _kind(schema: Mapping[str, Any]) -> Kind:
    if "enum" in schema or "const" in schema:
        return "choice"
    kinds: dict[str, Kind] = {
        "boolean": "flag",
        "integer": "whole",
        "number": "number",
        "array": "words",
    }
    if schema.get("type") == "object":
        return "section" if "properties" in schema else "mapping"
    return kinds.get(str(schema.get("type")), "text")


def _bound(schema: Mapping[str, Any], inclusive: str, exclusive: str) -> tuple[float | None, bool]:
    if exclusive in schema:
        return schema[exclusive], True
    return schema.get(inclusive), False


def defaults(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return a section's values when nothing was given."""
    return {field.name: field.default for field in fields}


def at(value: Any, path: str) -> Any:
    """Return what a nested mapping holds at a dotted path; None where a section is off."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def find(fields: tuple[Field, ...], path: str) -> Field:
    """Return the field at a dotted path.

    Raises:
        KeyError: there is none.
    """
    for field in fields:
        if field.path == path:
            return field
        if path.startswith(field.path + "."):
            return find(field.fields, path)
    raise KeyError(path)
