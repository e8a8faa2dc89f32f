"""Where the ranking is wrong: each architecture's true rank joined to its rank by the super-net.

After 000 figure 6.4. Lines that cross are pairs in the wrong order; a steep line is one
architecture far from its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from app.widgets import palette
from app.widgets.chart import axis, base_figure
from app.widgets.plot import Figure
from app.widgets.ranking import Point
from engine.metrics import shuffled_change

HEIGHT = 560
MOST_LINES = 200
NEAR, FAR = 0.05, 0.2  # displacements as shares of the ranks


@dataclass(frozen=True)
class Bin:
    """How architectures that are displaced alike are drawn."""

    name: str
    colour: palette.Colour
    width: float
    opacity: float


# Blue is too low, orange too high: told apart by everybody, and the slope says the same.
BINS = (
    Bin("Far too high", palette.ORANGE, 2.4, 1.0),
    Bin("Too high", palette.ORANGE, 1.2, 0.6),
    Bin("About right", palette.GREY, 1.0, 0.45),
    Bin("Too low", palette.BLUE, 1.2, 0.6),
    Bin("Far too low", palette.BLUE, 2.4, 1.0),
)
_DRAWN = (2, 1, 3, 0, 4)  # the farthest last, on top of the others


def displacement(point: Point) -> int:
    """Return how many places too low the super-net ranks an architecture; negative: too high."""
    return point.score_rank - point.truth_rank


def bin_of(point: Point, n: int) -> Bin:
    """Return the bin of an architecture among n: about right, off, or far off, on either side."""
    away = displacement(point)
    steps = (abs(away) > NEAR * n) + (abs(away) > FAR * n)
    return BINS[2 + (steps if away > 0 else -steps)]


def shown(points: Sequence[Point]) -> list[Point]:
    """Return at most `MOST_LINES` architectures, evenly spread over the true ranks."""
    order = sorted(points, key=lambda point: point.truth_rank)
    if len(order) <= MOST_LINES:
        return order
    step = (len(order) - 1) / (MOST_LINES - 1)
    return [order[round(position * step)] for position in range(MOST_LINES)]


def figure(points: Sequence[Point], run_id: str, chosen: Sequence[int] = ()) -> Figure:
    """Draw the two rankings as two columns, best on top, joined by one line an architecture.

    Args:
        points: of one evaluation.
        run_id: keeps the zoom.
        chosen: option indices of the architecture whose line is drawn on top.
    """
    drawn = base_figure(run_id, "ranked by", "rank by ground truth (1 is best)", HEIGHT)
    kept, n = shown(points), len(points)
    for place in _DRAWN:
        inside = [point for point in kept if bin_of(point, n) is BINS[place]]
        if inside:
            drawn["data"].append(_lines(BINS[place], inside) | {"legendrank": place})
    drawn["data"].append(_ends(kept, n, 0))
    drawn["data"].append(_ends(kept, n, 1) | {"yaxis": "y2"})
    own = [point for point in points if chosen and point.indices == tuple(chosen)]
    if own:
        drawn["data"].append(_lines(Bin("Chosen", palette.VIOLET, 4.0, 1.0), own))
    layout = drawn["layout"]
    layout["showlegend"] = True
    layout["hovermode"] = "closest"
    layout["xaxis"] |= {
        "tickvals": [0, 1], "ticktext": ["ground truth", "super-net"], "showgrid": False,
    }  # fmt: skip
    ranks = {"autorange": "reversed", "showgrid": False, "tickvals": _ticks(n)}
    layout["yaxis"] |= ranks
    title = "rank by super-net (1 is best)"
    layout["yaxis2"] = axis(title, **ranks, overlaying="y", side="right", matches="y")
    return drawn


def _ticks(n: int) -> list[int]:
    """Return about eight round ranks: 1, then multiples of a step, then n."""
    step = next(s for s in _steps() if n <= 8 * s)
    inner = [rank for rank in range(step, n, step) if n - rank > step // 2]
    return sorted({1, *inner, n})


def _steps() -> Iterator[int]:
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)


def _lines(one: Bin, inside: Sequence[Point]) -> dict[str, Any]:
    """One trace for a whole bin: a trace an architecture would take seconds to draw."""
    x: list[int | None] = []
    y: list[int | None] = []
    for point in inside:
        x += [0, 1, None]
        y += [point.truth_rank, point.score_rank, None]
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": one.name if len(inside) == 1 else f"{one.name} ({len(inside)})",
        "mode": "lines",
        "line": {"color": one.colour.css, "width": one.width},
        "opacity": one.opacity,
        "hoverinfo": "skip",
    }


def _ends(kept: Sequence[Point], n: int, side: int) -> dict[str, Any]:
    """Dots at one end of the lines, which carry the words and can be clicked."""
    return {
        "type": "scatter",
        "x": [side] * len(kept),
        "y": [point.score_rank if side else point.truth_rank for point in kept],
        "text": [f"{_words(point)}<br>{point.hover}" for point in kept],
        "customdata": [list(point.indices) for point in kept],
        "name": "Super-net rank" if side else "True rank",
        "mode": "markers",
        "marker": {"size": 6, "color": [bin_of(point, n).colour.css for point in kept]},
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _words(point: Point) -> str:
    away = displacement(point)
    if away == 0:
        return "In its true place"
    return f"{abs(away)} place{'s' if abs(away) > 1 else ''} too {'low' if away > 0 else 'high'}"


def mean_displacement(points: Sequence[Point]) -> float:
    """Return the mean of |rank by super-net - true rank|, in ranks; 0 without architectures."""
    return sum(abs(displacement(point)) for point in points) / len(points) if points else 0.0


def sentence(points: Sequence[Point]) -> str:
    """Say how far architectures are from their places, against chance."""
    n = len(points)
    if n < 2:
        return "There is no disorder in fewer than two architectures"
    return (
        f"An architecture is {mean_displacement(points):.1f} of {n} places off on average; "
        f"in a random order {shuffled_change(n):.1f}"
    )


def note(n: int) -> str:
    """Explain the chart of n architectures."""
    near, far = math.floor(NEAR * n), math.floor(FAR * n)
    words = (
        f"One line an architecture. About right is at most {near} places off, far off more than "
        f"{far}. Lines that cross are pairs in the wrong order."
    )
    some = f" Of {n} architectures {MOST_LINES} are drawn, evenly spread over the true ranks."
    return words + (some if n > MOST_LINES else "")


def columns(points: Sequence[Point]) -> dict[str, list[Any]]:
    """Return ranks and displacements as columns for CSV, best by ground truth first."""
    order = sorted(points, key=lambda point: point.truth_rank)
    return {
        "text": [point.text for point in order],
        "truth_rank": [point.truth_rank for point in order],
        "score_rank": [point.score_rank for point in order],
        "displacement": [displacement(point) for point in order],
    }
