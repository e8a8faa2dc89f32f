"""One column against another, one point an architecture, with the best compromises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from app.sheet import Values
from app.widgets import numbers, palette
from app.widgets.chart import MOST_POINTS, base_figure
from app.widgets.plot import Figure
from app.widgets.table_units import COSTS, axis_title, scaled, short, written
from engine.tables.columns import PERCENT, Column

Rows = npt.NDArray[np.intp]
GRID = (40, 30)
HOVERED = 64


def drawn_rows(x: Values, y: Values, most: int = MOST_POINTS) -> Rows:
    """Choose the rows that are drawn, in ascending order.

    Where there are too many, the extremes of both columns stay, then one of every small area, so
    that the cloud keeps its outline, and the others are drawn at random (always the same ones).

    Args:
        x, y: shape (n,), NaN where nothing is known.
        most: at least 4 + the number of small areas.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(known) <= most:
        return known
    x, y = x[known], y[known]
    ends = [x.argmin(), x.argmax(), y.argmin(), y.argmax()]
    areas = _part(x, GRID[0]) * GRID[1] + _part(y, GRID[1])
    order = np.random.default_rng(0).permutation(len(known))
    _, first = np.unique(areas[order], return_index=True)
    kept = np.union1d(ends, order[first])
    rest = order[~np.isin(order, kept)][: max(most - len(kept), 0)]
    found: Rows = known[np.union1d(kept, rest)]
    return found


def _part(values: Values, count: int) -> npt.NDArray[np.int64]:
    low, high = values.min(), values.max()
    span = (high - low) or 1.0
    return np.minimum((values - low) / span * count, count - 1).astype(np.int64)


def front(cost: Values, gain: Values) -> Rows:
    """Return the rows that no other one beats in both, by ascending cost.

    A row is beaten by one that costs no more and gains no less, and differs; of equal rows the
    first stays.

    Args:
        cost: smaller is better, NaN where nothing is known.
        gain: larger is better.
    """
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(gain))
    order = known[np.lexsort((-gain[known], cost[known]))]
    before = np.concatenate([[-np.inf], np.maximum.accumulate(gain[order])[:-1]])
    found: Rows = order[gain[order] > before]
    return found


def has_front(x: Column, y: Column) -> bool:
    """Tell whether a front means something: accuracy against something that costs."""
    return x.unit in COSTS and y.unit == PERCENT


def figure(
    x: tuple[Column, Values],
    y: tuple[Column, Values],
    text: Callable[[int], str],
    chosen: int | None,
    key: str,
) -> Figure:
    """Draw the scatter; a point carries its row as `customdata`.

    Args:
        x, y: columns with their values, shape (n,).
        text: gives the architecture of a row.
        chosen: row that is ringed.
        key: the zoom survives while it is the same.
    """
    drawn = base_figure(key, axis_title(x[0]), axis_title(y[0]), 460)
    points = _trace(x, y, text, drawn_rows(x[1], y[1]))
    points |= {
        "name": "Architectures",
        "mode": "markers",
        "marker": {"size": 7, "color": palette.ACCENT.css, "opacity": 0.5},
    }
    drawn["data"].append(points)
    if has_front(x[0], y[0]):
        line = _trace(x, y, text, front(x[1], y[1]))
        line |= {
            "name": "Not beaten in both",
            "mode": "lines+markers",
            "line": {"color": palette.ORANGE.css, "width": 1.6, "dash": "dash", "shape": "hv"},
            "marker": {"size": 9, "symbol": "diamond", "color": palette.ORANGE.css},
        }
        drawn["data"].append(line)
    if chosen is not None and np.isfinite(x[1][chosen]) and np.isfinite(y[1][chosen]):
        ring = _trace(x, y, text, np.array([chosen]))
        ring |= {
            "name": "Chosen",
            "mode": "markers",
            "marker": {
                "size": 17,
                "symbol": "circle-open",
                "color": palette.RING.css,
                "line": {"width": 2.6},
            },
        }
        drawn["data"].append(ring)
    drawn["layout"]["showlegend"] = True
    return drawn


def _trace(
    x: tuple[Column, Values], y: tuple[Column, Values], text: Callable[[int], str], rows: Rows
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": scaled(x[0], x[1][rows]).tolist(),
        "y": scaled(y[0], y[1][rows]).tolist(),
        "customdata": rows.tolist(),
        "text": [
            f"{_hovered(text(int(row)))}<br>{short(y[0].name)} {written(y[0], float(y[1][row]))}"
            f"<br>{short(x[0].name)} {written(x[0], float(x[1][row]))}"
            for row in rows
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hovered(text: str) -> str:
    broken = text.replace("+", "+<br>")
    return text[:HOVERED] + "…" if broken == text and len(text) > HOVERED else broken


def sentence(x: tuple[Column, Values], y: tuple[Column, Values], rho: float | None) -> str:
    """Say how the two columns go together."""
    count = int(np.sum(np.isfinite(x[1]) & np.isfinite(y[1])))
    return (
        f"{y[0].name} against {x[0].name}: Spearman ρ = {numbers.correlation(rho)} over "
        f"{numbers.count(count)} architectures"
    )


def columns(
    x: tuple[Column, Values], y: tuple[Column, Values], text: Callable[[int], str]
) -> dict[str, list[Any]]:
    """Return all points, also those that are not drawn, as columns for CSV."""
    rows = np.flatnonzero(np.isfinite(x[1]) & np.isfinite(y[1]))
    return {
        "architecture": [text(int(row)) for row in rows],
        f"{x[0].name} ({x[0].unit})": x[1][rows].tolist(),
        f"{y[0].name} ({y[0].unit})": y[1][rows].tolist(),
    }
