"""Super-net accuracy against cost: everything a run evaluated, and what nothing else beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.evaluated import Evaluated
from app.widgets import numbers, palette
from app.widgets.chart import base_figure, kept_rows
from app.widgets.plot import Figure

COSTS = {"params": "Parameters", "flops": "FLOPs"}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")


def front(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Return the positions of the Pareto front, by rising cost.

    Args:
        costs: less is better.
        values: more is better; one per cost.

    Of entries that are equal in both, only the first is taken.
    """
    order = sorted(range(len(costs)), key=lambda row: (costs[row], -values[row], row))
    kept: list[int] = []
    for row in order:
        if not kept or values[row] > values[kept[-1]]:
            kept.append(row)
    return kept


def unit(costs: Sequence[float]) -> tuple[float, str]:
    """Return divisor and sign of the unit in which costs are readable."""
    top = max(costs, default=0)
    if top >= 1e9:
        return 1e9, "G"
    return (1e6, "M") if top >= 1e5 else (1e3, "k")


def shown(found: Evaluated, on_front: Sequence[int]) -> list[int]:
    """Return the positions of points to draw: the front, and the others evenly thinned out."""
    others = sorted(set(range(len(found))) - set(on_front))
    return [others[place] for place in kept_rows(len(others))]


def figure(
    found: Evaluated,
    cost: str,
    rows: Sequence[int],
    on_front: Sequence[int],
    texts: Sequence[str],
    run_id: str,
) -> Figure:
    """Draw the points and the front as a step line.

    Args:
        found: all that was evaluated.
        cost: `params` or `flops`.
        rows: positions of points beside the front.
        on_front: positions of the front, by rising cost.
        texts: what the architectures of `rows`, then those of `on_front`, are called.
        run_id: keeps the zoom.
    """
    costs = getattr(found, cost)
    by, sign = unit(costs)
    title = "parameters" if cost == "params" else "FLOPs (multiply-adds of one image)"
    drawn = base_figure(f"{run_id}-{cost}", f"{title}, {sign}", "super-net accuracy (%)")
    words = [_words(found, row, text) for row, text in zip([*rows, *on_front], texts, strict=True)]
    for number, name in enumerate(dict.fromkeys(found.searcher)):
        own = [place for place, row in enumerate(rows) if found.searcher[row] == name]
        colour, _ = palette.algorithm(name)
        points = _points(found, costs, by, [rows[place] for place in own])
        drawn["data"].append(
            points
            | {
                "mode": "markers",
                "name": numbers.searcher(name),
                "text": [words[place] for place in own],
                "marker": {
                    "color": colour.css, "size": 6, "opacity": 0.45,
                    "symbol": SYMBOLS[number % len(SYMBOLS)],
                },
            }
        )  # fmt: skip
    drawn["data"] += _front(found, costs, by, on_front, words[len(rows) :])
    drawn["layout"]["showlegend"] = True
    return drawn


def _points(
    found: Evaluated, costs: Sequence[float], by: float, rows: Sequence[int]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [costs[row] / by for row in rows],
        "y": [found.score[row] for row in rows],
        "customdata": list(rows),
        "hovertemplate": "%{text}<br>%{y:.2f} %<extra></extra>",
    }


def _front(
    found: Evaluated, costs: Sequence[float], by: float, rows: Sequence[int], words: list[str]
) -> list[dict[str, Any]]:
    """Return the steps, which go on to the largest cost, and the points that make them."""
    ends = [costs[row] / by for row in rows] + [max(costs, default=0) / by]
    heights = [found.score[row] for row in rows]
    steps = {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": [*heights, heights[-1]] if heights else [],
        "name": "The front as a line",
        "showlegend": False,
        "line": {"shape": "hv", "color": palette.RING.css, "width": 1.6},
        "hoverinfo": "skip",
    }
    marks = _points(found, costs, by, rows) | {
        "mode": "markers",
        "name": "Pareto front",
        "text": words,
        "marker": {
            "symbol": "circle-open", "size": 11, "color": palette.RING.css, "line": {"width": 2},
        },
    }  # fmt: skip
    return [steps, marks]


def _words(found: Evaluated, row: int, text: str) -> str:
    return (
        f"{text}<br>{numbers.params(found.params[row])} parameters, "
        f"{numbers.flops(found.flops[row])} FLOPs<br>{numbers.searcher(found.searcher[row])}, "
        f"generation {found.generation[row]}"
    )


def sentence(found: Evaluated, cost: str, on_front: Sequence[int]) -> str:
    """Say how many of all evaluations the front has."""
    less = "fewer parameters" if cost == "params" else "fewer FLOPs"
    count = len(on_front)
    told = f"{numbers.count(count)} of {numbers.count(len(found))} evaluations"
    verb = "is" if count == 1 else "are"
    return f"{told} {verb} on the Pareto front: none with {less} is as accurate"
