"""Values of a field as a person types them: a list, each read and checked by the field's type."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from app.widgets.schema import Field
from engine.spec.errors import SpecError
from engine.spec.sweep import SECTION, value_text

# What stands for an empty field.
NOTHING = "none"
_WHOLE = re.compile(r"[+-]?\d{1,19}")


def read_values(field: Field, text: str) -> tuple[list[Any], list[SpecError]]:
    """Return the values of a list such as `0.005, 0.025`, and a sentence on each wrong one.

    Args:
        field: of kind `whole`, `number` or `text`.
        text: values separated by commas, semicolons or line breaks; `none` is an empty field.
    """
    values: list[Any] = []
    faults: list[str] = []
    for part in filter(None, (one.strip() for one in re.split(r"[,;\n]", text))):
        try:
            value = _value(field, part)
        except ValueError as error:
            faults.append(str(error))
            continue
        if value in values:
            faults.append(f"`{part:.60}` is given twice; keep one of the two.")
        else:
            values.append(value)
    if not values and not faults:
        faults.append("give at least one value, or remove the field.")
    return values, [SpecError(f"{SECTION}.{field.path}", fault) for fault in faults]


def write_values(values: Sequence[Any]) -> str:
    """Write values as `read_values` reads them."""
    return ", ".join(NOTHING if value is None else value_text(value) for value in values)


def _value(field: Field, text: str) -> Any:
    if field.optional and text.lower() == NOTHING:
        return None
    if field.kind == "text":
        return text
    number = _whole(text) if field.kind == "whole" else _number(text)
    below = field.low is not None and (
        number <= field.low if field.low_open else number < field.low
    )
    above = field.high is not None and (
        number >= field.high if field.high_open else number > field.high
    )
    if below or above:
        raise ValueError(f"`{text:.60}` is out of range; allowed is {field.limits}.")
    return number


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"`{text:.60}` is not a whole number.")
    return int(text)


def _number(text: str) -> float:
    try:
        number = float(text.replace("_", " "))  # Python would read 1_0 as ten
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"`{text:.60}` is not a number.")
    return number
