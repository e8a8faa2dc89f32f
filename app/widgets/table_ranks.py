"""The rank of every architecture in some columns over its rank in one (001, Figure 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from app.sheet import Values
from app.widgets import numbers, palette
from app.widgets.chart import MOST_POINTS, base_figure
from app.widgets.plot import Figure
from app.widgets.table_scatter import drawn_rows
from app.widgets.table_units import short

LOOKS = (
    (palette.ACCENT, "circle"),
    (palette.ORANGE, "diamond"),
    (palette.VIOLET, "triangle-up"),
)
MOST_COLUMNS = len(LOOKS)

Ranks = npt.NDArray[np.float64]


def ranks(values: Values) -> Ranks:
    """Return 1 + the number of strictly better rows of each; NaN where nothing is known."""
    found = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    ordered = np.sort(-values[known])
    found[known] = 1 + np.searchsorted(ordered, -values[known], side="left")
    return found


def figure(
    base: tuple[str, Ranks], others: Mapping[str, Ranks], text: Callable[[int], str], key: str
) -> Figure:
    """Draw ranks over ranks; a point carries its row as `customdata`.

    Args:
        base: name and ranks of the column on the horizontal axis.
        others: up to `MOST_COLUMNS` columns.
        text: gives the architecture of a row.
        key: the zoom survives while it is the same.
    """
    drawn = base_figure(
        key, f"rank by {base[0]} (1 is best)", "rank by the other (1 is best)", 460
    )
    for (name, own), (colour, symbol) in zip(others.items(), LOOKS, strict=False):
        rows = drawn_rows(base[1], own, MOST_POINTS)
        drawn["data"].append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": short(name),
                "x": base[1][rows].tolist(),
                "y": own[rows].tolist(),
                "customdata": rows.tolist(),
                "text": [text(int(row)).replace("+", "+<br>")[:200] for row in rows],
                "marker": {"size": 5, "symbol": symbol, "color": colour.css, "opacity": 0.5},
                "hovertemplate": "%{text}<br>rank %{x} and rank %{y}<extra></extra>",
            }
        )
    known = base[1][~np.isnan(base[1])]
    last = float(known.max()) if len(known) else 1.0
    drawn["layout"]["shapes"] = [
        {
            "type": "line", "x0": 1, "y0": 1, "x1": last, "y1": last,
            "line": {"color": palette.GREY.css, "width": 1.4, "dash": "dot"},
        }
    ]  # fmt: skip
    drawn["layout"]["showlegend"] = True
    return drawn


def sentence(base: str, found: Mapping[str, float | None], symbol: str) -> str:
    """Say how the columns agree with the one on the horizontal axis."""
    said = [f"{name} {numbers.correlation(value)}" for name, value in found.items()]
    return f"{symbol} with {base}: {', '.join(said)}"


def columns(
    base: tuple[str, Ranks], others: Mapping[str, Ranks], text: Callable[[int], str]
) -> dict[str, list[Any]]:
    """Return the ranks of all rows as columns for CSV; None where nothing is known."""
    rows = np.flatnonzero(~np.isnan(base[1]))
    found: dict[str, list[Any]] = {"architecture": [text(int(row)) for row in rows]}
    for name, own in {base[0]: base[1], **others}.items():
        found[f"rank by {name}"] = [None if np.isnan(v) else int(v) for v in own[rows]]
    return found
