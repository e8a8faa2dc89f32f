"""How the values of one column are spread, with the best, the median and a value of one's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.sheet import Values
from app.widgets import numbers, palette
from app.widgets.chart import axis, base_figure
from app.widgets.plot import Figure
from app.widgets.table_units import axis_title, descending, scaled, written
from engine.tables.columns import Column

FEWEST_BINS, MOST_BINS = 8, 80
LABELS_HEIGHT = 66  # pixels above the bars, a line for each mark


def bins(values: Values) -> tuple[Values, Values]:
    """Count values in bins of the width of Freedman and Diaconis, 2 IQR / n^(1/3) (1981).

    Args:
        values: known ones, at least one.

    Returns:
        Counts, shape (bins,), and edges, shape (bins + 1,).
    """
    low, high = float(values.min()), float(values.max())
    quarter, three = np.quantile(values, (0.25, 0.75))
    width = 2 * (three - quarter) / len(values) ** (1 / 3)
    wanted = math.ceil((high - low) / width) if width > 0 else MOST_BINS
    count = min(max(wanted, FEWEST_BINS), MOST_BINS) if high > low else 1
    counts, edges = np.histogram(values, count)
    return counts.astype(np.float64), edges


def figure(column: Column, values: Values, value: float | None, key: str) -> Figure:
    """Draw the histogram.

    Args:
        column: what the values are.
        values: known ones, at least one.
        value: a value to be marked, in the column's unit.
        key: the zoom survives while it is the same.
    """
    drawn = base_figure(key, axis_title(column), "architectures (number)", 380)
    counts, edges = bins(scaled(column, values))
    drawn["data"] = [
        {
            "type": "bar",
            "x": ((edges[:-1] + edges[1:]) / 2).tolist(),
            "y": counts.tolist(),
            "width": np.diff(edges).tolist(),
            "marker": {
                "color": palette.ACCENT.css,
                "line": {"width": 0.5, "color": palette.BACKGROUND.css},
            },
            "text": [f"{a:.6g} to {b:.6g}" for a, b in zip(edges, edges[1:], strict=False)],
            "textposition": "none",
            "hovertemplate": "%{y} architectures<br>%{text}<extra></extra>",
        }
    ]
    marks = _marks(column, values, value)
    drawn["layout"]["shapes"] = [_line(at, colour, dash) for _, at, colour, dash in marks]
    middle = (edges[0] + edges[-1]) / 2
    drawn["layout"]["annotations"] = [
        _label(words, at, colour, line, at > middle)
        for line, (words, at, colour, _) in enumerate(marks)
    ]
    drawn["layout"]["margin"] |= {"t": LABELS_HEIGHT}
    drawn["layout"]["yaxis"] = axis("architectures (number)", rangemode="tozero")
    drawn["layout"]["bargap"] = 0
    return drawn


Mark = tuple[str, float, palette.Colour, str]


def _marks(column: Column, values: Values, value: float | None) -> list[Mark]:
    end = float(values.max() if descending(column) else values.min())
    word = "best" if column.unit == "percent" else "largest" if descending(column) else "smallest"
    median = float(np.median(values))
    found = [
        (f"{word} {written(column, end)}", end, palette.ORANGE, "solid"),
        (f"median {written(column, median)}", median, palette.VIOLET, "dash"),
    ]
    if value is not None:
        found.append((f"yours {written(column, value)}", value, palette.RED, "dot"))
    factor = np.array([at for _, at, *_ in found])
    places = scaled(column, factor)
    return [
        (words, float(place), colour, dash)
        for (words, _, colour, dash), place in zip(found, places, strict=True)
    ]


def _line(at: float, colour: palette.Colour, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": colour.css, "width": 1.8, "dash": dash},
    }  # fmt: skip


def _label(
    words: str, at: float, colour: palette.Colour, line: int, to_the_left: bool
) -> dict[str, Any]:
    return {
        "x": at, "y": 1, "yref": "paper", "text": words, "showarrow": False,
        "xanchor": "right" if to_the_left else "left", "yanchor": "bottom",
        "xshift": 4 if to_the_left else -4, "yshift": 20 * line,
        "font": {"color": colour.css, "size": 13},
    }  # fmt: skip


def sentence(column: Column, values: Values) -> str:
    """Say where the middle and the best of a column are."""
    median = written(column, float(np.median(values)))
    count = numbers.count(len(values))
    if not descending(column):
        low = written(column, float(values.min()))
        return f"Half of {count} architectures stay below {median}; the smallest has {low}"
    best = written(column, float(values.max()))
    if column.unit == "percent":
        return f"Half of {count} architectures reach {median} or more; the best reaches {best}"
    return f"Half of {count} architectures have {median} or more; the largest has {best}"


def place_of(column: Column, values: Values, value: float) -> str:
    """Say where a value lies among all."""
    below, above = int(np.sum(values < value)), int(np.sum(values > value))
    better, worse = (above, below) if descending(column) else (below, above)
    share = 100 * worse / len(values)
    word = "larger" if descending(column) else "smaller"
    if column.unit == "percent":
        word = "better"
    return (
        f"{written(column, value)} would have rank {better + 1:,}: {better:,} of "
        f"{len(values):,} architectures are {word}, and {share:.1f} % are behind it."
    )


def columns(column: Column, values: Values) -> dict[str, list[Any]]:
    """Return the bins as columns for CSV."""
    counts, edges = bins(scaled(column, values))
    return {
        f"from, {axis_title(column)}": edges[:-1].tolist(),
        f"to, {axis_title(column)}": edges[1:].tolist(),
        "architectures": counts.astype(int).tolist(),
    }
