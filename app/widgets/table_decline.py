"""How agreement falls when only the best architectures are ranked (001, section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.widgets import numbers, palette
from app.widgets.chart import axis, base_figure
from app.widgets.plot import Figure

Points = Sequence[tuple[float, int, float | None]]


def figure(points: Points, symbol: str, key: str) -> Figure:
    """Draw the correlation over the share of the best that are ranked.

    Args:
        points: share, number of rows, correlation.
        symbol: what the correlation is called.
        key: the zoom survives while it is the same.
    """
    drawn = base_figure(key, "best share that is ranked (%)", f"{symbol} (−1 to 1)", 300)
    drawn["data"] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [100 * share for share, *_ in points],
            "y": [value for *_, value in points],
            "text": [f"{rows:,} architectures" for _, rows, _ in points],
            "line": {"color": palette.ACCENT.css, "width": 2.2},
            "marker": {"size": 8, "color": palette.ACCENT.css},
            "hovertemplate": "best %{x} %, %{text}<br>%{y:.3f}<extra></extra>",
        }
    ]
    ticks = [100 * share for share, *_ in points]
    drawn["layout"]["xaxis"] = axis(
        "best share that is ranked (%)",
        type="log",
        autorange="reversed",
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
    )
    return drawn


def sentence(first: str, second: str, points: Points, symbol: str) -> str:
    """Say how the agreement changes from all to the best few."""
    known = [point for point in points if point[2] is not None]
    if not known:
        return f"{symbol} of {first} and {second} is not defined"
    whole, least = known[0], known[-1]
    start = f"{symbol} of {first} and {second} is {numbers.correlation(whole[2])} over all"
    if len(known) == 1:
        return start
    return (
        f"{start} and {numbers.correlation(least[2])} among the best {100 * least[0]:g} % "
        f"({least[1]:,})"
    )


def columns(points: Points) -> dict[str, list[Any]]:
    """Return the points as columns for CSV."""
    return {
        "best share (%)": [100 * share for share, *_ in points],
        "architectures": [rows for _, rows, _ in points],
        "correlation": [value for *_, value in points],
    }
