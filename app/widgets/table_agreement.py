"""How alike accuracy columns rank architectures: every pair as a matrix with numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from app.widgets import numbers, palette
from app.widgets.chart import axis, base_figure
from app.widgets.plot import Figure
from app.widgets.table_ink import ink
from app.widgets.table_units import short

Matrix = Sequence[Sequence[float | None]]
ROOMY = 8  # columns of a matrix whose numbers keep their size
SYMBOLS = {"spearman": "Spearman ρ", "kendall_tau": "Kendall τ"}


def figure(names: Sequence[str], matrix: Matrix, method: str, key: str) -> Figure:
    """Draw the matrix, first column on top; a cell carries its two names as `customdata`.

    Args:
        names: columns.
        matrix: correlations in their order; None where undefined.
        method: one of `SYMBOLS`.
        key: the zoom survives while it is the same.
    """
    drawn = base_figure(key, "", "", 150 + 42 * max(len(names), 3))
    labels = _labels(names)
    drawn["data"] = [
        {
            "type": "heatmap",
            "x": labels,
            "y": labels,
            "z": [list(row) for row in matrix],
            "text": [[numbers.correlation(value) for value in row] for row in matrix],
            "customdata": [[[first, second] for second in names] for first in names],
            "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}<br>%{text}<extra></extra>",
            "zmin": _floor(matrix),
            "zmax": 1,
            "colorscale": _scale(_floor(matrix) < 0),
            "showscale": False,  # the numbers are in the cells
            "xgap": 2,
            "ygap": 2,
        }
    ]
    drawn["layout"]["annotations"] = _numbers(labels, matrix)
    drawn["layout"]["xaxis"] = axis(
        "accuracy column", type="category", showgrid=False, tickangle=-35
    )
    drawn["layout"]["yaxis"] = axis(
        "accuracy column", type="category", showgrid=False, autorange="reversed"
    )
    return drawn


def _numbers(labels: Sequence[str], matrix: Matrix) -> list[dict[str, Any]]:
    """Write every number in an ink that can be read on its cell, in either theme."""
    low = _floor(matrix)
    size = 11 if len(labels) <= ROOMY else 8
    found = []
    for y, row in zip(labels, matrix, strict=True):
        for x, value in zip(labels, row, strict=True):
            known = low if value is None else value
            full = palette.ORANGE if known < 0 else palette.ACCENT
            strength = abs(known) if low < 0 else (known - low) / (1 - low)
            found.append(
                {
                    "x": x, "y": y, "text": numbers.correlation(value), "showarrow": False,
                    "font": {"size": size, "color": ink(full, strength).css},
                }
            )  # fmt: skip
    return found


def _floor(matrix: Matrix) -> float:
    """Return where the colours begin: −1 if any pair disagrees, else the next tenth below all."""
    lowest = min((value for row in matrix for value in row if value is not None), default=0.0)
    return -1.0 if lowest < 0 else min(math.floor(10 * lowest) / 10, 0.9)


def _scale(negative: bool) -> list[tuple[float, str]]:
    if negative:
        return [
            (0.0, palette.ORANGE.css),
            (0.5, palette.BACKGROUND.css),
            (1.0, palette.ACCENT.css),
        ]
    return [(0.0, palette.BACKGROUND.css), (1.0, palette.ACCENT.css)]


def _labels(names: Sequence[str]) -> list[str]:
    """Return short names; where two would be the same, the whole ones."""
    found = [short(name) for name in names]
    return found if len(set(found)) == len(names) else list(names)


def extremes(names: Sequence[str], matrix: Matrix) -> tuple[tuple[str, str, float], ...]:
    """Return the pair that agrees least and the one that agrees most; empty without a pair."""
    pairs = [
        (names[i], names[j], value)
        for i, row in enumerate(matrix)
        for j, value in enumerate(row)
        if i < j and value is not None
    ]
    if not pairs:
        return ()
    by_value = sorted(pairs, key=lambda pair: pair[2])
    return by_value[0], by_value[-1]


def sentence(names: Sequence[str], matrix: Matrix, method: str, rows: int) -> str:
    """Say which pairs agree least and most."""
    found = extremes(names, matrix)
    symbol = SYMBOLS[method]
    if not found:
        return f"{symbol} is not defined for these columns"
    least, most = found
    if len(names) == 2:
        return (
            f"{most[0]} and {most[1]} rank {numbers.count(rows)} architectures with "
            f"{symbol} = {numbers.correlation(most[2])}"
        )
    return (
        f"{symbol} over {numbers.count(rows)} architectures: from "
        f"{numbers.correlation(least[2])} ({least[0]}, {least[1]}) to "
        f"{numbers.correlation(most[2])} ({most[0]}, {most[1]})"
    )


def columns(names: Sequence[str], matrix: Matrix) -> dict[str, list[Any]]:
    """Return the matrix as columns for CSV."""
    found: dict[str, list[Any]] = {"column": list(names)}
    for position, name in enumerate(names):
        found[name] = [row[position] for row in matrix]
    return found
