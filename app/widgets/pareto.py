"""The best trade-offs: the architectures that no other one beats in both cost and accuracy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.widgets import palette
from app.widgets.chart import MOST_POINTS, base_figure, kept_rows
from app.widgets.plot import Figure

# What a network costs: name in records, in words, and the axis with its unit.
COSTS = {
    "params": ("Parameters", "parameters"),
    "flops": ("FLOPs", "FLOPs (multiply-adds of one image)"),
    "latency_ms": ("Latency", "latency (ms, one image)"),
}
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True)
class Dot:
    """One architecture of the scatter.

    Attributes:
        cost, value: its place; less cost and more value are better.
        group: algorithm or searcher, which gives the colour.
        hover: what is shown when the pointer rests on it.
        key: told when it is clicked; None: it cannot be clicked.
        within: dots of one such name can be compared and have a front of their own, say a data
            set.
    """

    cost: float
    value: float
    group: str
    hover: str
    key: Any = None
    within: str = ""


def front(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Return the indices of the points that no other dominates, cheapest first.

    A point dominates another if it costs no more, is worth no less, and differs in one of both
    (Pareto dominance). Equal points stand or fall together. Points that are not finite are left
    out.

    Args:
        costs: to be small, shape (n,).
        values: to be large, shape (n,).
    """
    cost, value = np.asarray(costs, dtype=float), np.asarray(values, dtype=float)
    finite = np.flatnonzero(np.isfinite(cost) & np.isfinite(value))
    if not len(finite):
        return []
    # Cheapest first and of equal cost the best first; a stable order keeps equal points in theirs.
    order = finite[np.lexsort((-value[finite], cost[finite]))]
    cost, value = cost[order], value[order]
    other = np.r_[True, (cost[1:] != cost[:-1]) | (value[1:] != value[:-1])]
    beats = np.r_[True, value[1:] > np.maximum.accumulate(value)[:-1]]
    kept = beats[other][np.cumsum(other) - 1]  # equal points share what holds for their first
    return [int(place) for place in order[kept]]


def figure(
    dots: Sequence[Dot],
    run_id: str,
    x: str,
    y: str,
    name: Callable[[str], str] = str,
    chosen: Collection[Any] = (),
    height: int = 400,
) -> Figure:
    """Draw dots, coloured by group, and the front of each `within` as a step line.

    At most `MOST_POINTS` dots are drawn: all of the fronts, those that are chosen, and of the
    others evenly many.

    Args:
        dots: the architectures.
        run_id: what the zoom belongs to, see `base_figure`.
        x, y: titles of the axes with units.
        name: how a group is called in the legend.
        chosen: keys of dots that are ringed.
        height: in pixels.
    """
    drawn = base_figure(run_id, x, y, height)
    drawn["layout"]["xaxis"]["tickformat"] = "~s"
    drawn["layout"]["showlegend"] = True
    places = list(dict.fromkeys(dot.within for dot in dots))
    fronts = {place: _front_of(dots, place) for place in places}
    best = {index for indices in fronts.values() for index in indices}
    shown = [dots[index] for index in _kept(dots, best, chosen)]
    for number, (place, indices) in enumerate(fronts.items()):
        drawn["data"].append(_line([dots[i] for i in indices], _end(dots, place), place, number))
    for group in dict.fromkeys(dot.group for dot in shown):
        members = [dot for dot in shown if dot.group == group]
        drawn["data"].append(_points(members, name(group), group, places))
    ringed = [dot for dot in shown if dot.key in chosen]
    if ringed:
        drawn["data"].append(_rings(ringed))
    return drawn


def _front_of(dots: Sequence[Dot], place: str) -> list[int]:
    members = [index for index, dot in enumerate(dots) if dot.within == place]
    found = front([dots[i].cost for i in members], [dots[i].value for i in members])
    return [members[position] for position in found]


def _kept(dots: Sequence[Dot], best: Collection[int], chosen: Collection[Any]) -> list[int]:
    must = [i for i, dot in enumerate(dots) if i in best or dot.key in chosen][:MOST_POINTS]
    taken = set(must)
    others = [index for index in range(len(dots)) if index not in taken]
    room = MOST_POINTS - len(must)
    if len(others) > room:
        others = [others[row * len(others) // room] for row in range(room)]
    return sorted([*must, *others])


def _end(dots: Sequence[Dot], place: str) -> float:
    return max(dot.cost for dot in dots if dot.within == place)


def _line(best: Sequence[Dot], end: float, place: str, number: int) -> dict[str, Any]:
    rows = kept_rows(len(best))
    x, y = [best[row].cost for row in rows], [best[row].value for row in rows]
    return {
        "type": "scatter",
        "x": [*x, end] if x else [],
        "y": [*y, y[-1]] if y else [],
        "name": f"Front: {place}" if place else "Pareto front",
        "mode": "lines",
        "line": {
            "shape": "hv", "width": 2, "color": palette.GREY.css,
            "dash": _DASHES[number % len(_DASHES)],
        },
        "hoverinfo": "skip",
    }  # fmt: skip


def _points(
    members: Sequence[Dot], name: str, group: str, places: Sequence[str]
) -> dict[str, Any]:
    colour, _ = palette.algorithm(group)
    symbols = {place: _SYMBOLS[n % len(_SYMBOLS)] for n, place in enumerate(places)}
    trace: dict[str, Any] = {
        "type": "scatter",
        "x": [dot.cost for dot in members],
        "y": [dot.value for dot in members],
        "text": [dot.hover for dot in members],
        "name": name,
        "mode": "markers",
        "marker": {
            "size": 9, "color": colour.css, "opacity": 0.75,
            "symbol": [symbols[dot.within] for dot in members],
            "line": {"width": 1, "color": palette.BACKGROUND.css},
        },
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    if any(dot.key is not None for dot in members):
        trace["customdata"] = [dot.key for dot in members]
    return trace


def _rings(ringed: Sequence[Dot]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [dot.cost for dot in ringed],
        "y": [dot.value for dot in ringed],
        "name": "Selected",
        "mode": "markers",
        "marker": {
            "size": 17, "symbol": "circle-open", "color": palette.RING.css,
            "line": {"width": 2.4},
        },
        "hoverinfo": "skip",
    }  # fmt: skip
