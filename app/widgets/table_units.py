"""How columns of ground truth are written and scaled, by their unit."""

from __future__ import annotations

import math
from typing import Any

from app.sheet import POINTS, Values
from app.widgets import numbers
from engine.tables.columns import PERCENT, Column

# Unit of the axis, and how many of the column's unit one of it is.
_AXES = {
    PERCENT: ("%", 1.0),
    POINTS: ("percentage points", 1.0),
    "seconds": ("s", 1.0),
    "parameters": ("M", 1e6),
    "multiply-adds": ("M", 1e6),
    "number": ("", 1.0),
}
COSTS = ("seconds", "parameters", "multiply-adds")
SHORT = 22


def axis_title(column: Column) -> str:
    """Return the column's name with the unit in which it is drawn."""
    unit = _AXES[column.unit][0]
    return f"{column.name} ({unit})" if unit else column.name


def scaled(column: Column, values: Values) -> Values:
    """Return values in the unit in which they are drawn."""
    return values / _AXES[column.unit][1]


def unscaled(column: Column, value: float) -> float:
    """Return a number of the axis in the column's own unit."""
    return value * _AXES[column.unit][1]


def axis_unit(column: Column) -> str:
    """Return the unit in which the column is drawn; empty for plain numbers."""
    return _AXES[column.unit][0]


def written(column: Column, value: float | None) -> str:
    """Write a value with its unit."""
    if value is None or not math.isfinite(value):
        return numbers.NONE
    if column.unit == PERCENT:
        return numbers.accuracy(value)
    if column.unit == POINTS:
        return f"{value:.2f} points"
    if column.unit == "parameters":
        return numbers.params(value)
    if column.unit == "multiply-adds":
        return numbers.flops(value)
    if column.unit == "seconds":
        return numbers.duration(value) if value >= 60 else f"{value:.3g} s"
    return f"{value:,.6g}"


def descending(column: Column) -> bool:
    """Tell whether the largest values of a column are those one looks for."""
    return column.unit not in (*COSTS, POINTS)


def short(name: str) -> str:
    """Return a name that fits beside a small chart: the middle of long ones is left out."""
    if len(name) <= SHORT:
        return name
    half = (SHORT - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def number_format(column: Column) -> dict[str, Any]:
    """Return the arguments of a number column of a data frame."""
    unit, _ = _AXES[column.unit]
    label = f"{column.name} ({unit})" if unit else column.name
    digits = {PERCENT: "%.2f", POINTS: "%.2f", "parameters": "%.3f", "multiply-adds": "%.1f"}
    return {"label": label, "format": digits.get(column.unit, "%.6g")}
