"""What a searcher evaluated, generation by generation: every score, their median and best."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from app.evaluated import Evaluated
from app.widgets import numbers, palette
from app.widgets.chart import MOST_POINTS, base_figure, thin
from app.widgets.plot import Figure

WIDTH = 0.5  # of a strip, where the next generation is 1 away


def shown(found: Evaluated, searcher: str) -> list[int]:
    """Return the positions of at most about `MOST_POINTS` entries, equally many a generation.

    Within a generation they are evenly spread over its scores, best and worst among them.
    """
    groups = _generations(found, searcher)
    each = max(2, MOST_POINTS // max(len(groups), 1))
    kept = []
    for rows in groups.values():
        if len(rows) > each:
            order = sorted(rows, key=lambda row: found.score[row])
            rows = sorted(order[round(i * (len(order) - 1) / (each - 1))] for i in range(each))
        kept += rows
    return kept


def _generations(found: Evaluated, searcher: str) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for row in found.of(searcher):
        groups.setdefault(found.generation[row], []).append(row)
    return groups


def figure(
    found: Evaluated,
    searcher: str,
    rows: Sequence[int],
    texts: Sequence[str],
    run_id: str,
    chosen: int | None = None,
) -> Figure:
    """Draw one strip of points a generation, and lines through median and best.

    Args:
        found: all that was evaluated; median and best are those of whole generations.
        searcher: whose generations are drawn.
        rows: positions of the points to draw, see `shown`; each tells its own when clicked.
        texts: what the architectures of `rows` are called.
        run_id: keeps the zoom.
        chosen: position of the entry that is ringed.
    """
    drawn = base_figure(f"{run_id}-{searcher}", "generation", "super-net accuracy (%)")
    colour, _ = palette.algorithm(searcher)
    groups = _generations(found, searcher)
    drawn["data"] = [_points(found, rows, texts, groups, colour)]
    for name, take, line in (
        ("Best of the generation", max, {"color": colour.css, "dash": "solid"}),
        ("Median", median, {"color": palette.GREY.css, "dash": "dash"}),
    ):
        values = [take(found.score[row] for row in group) for group in groups.values()]
        x, y = thin(list(groups), values)
        drawn["data"].append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(x) < 3 else "lines",
                "x": x,
                "y": y,
                "name": name,
                "line": line | {"width": 2.2},
                "hovertemplate": f"{name}, generation %{{x}}<br>%{{y:.2f}} %<extra></extra>",
            }
        )
    if chosen in rows:
        drawn["data"].append(_ring(drawn["data"][0], list(rows).index(chosen)))
    drawn["layout"]["showlegend"] = True
    if len(groups) <= 12:
        drawn["layout"]["xaxis"] |= {"tickmode": "linear", "dtick": 1}
    return drawn


def _points(
    found: Evaluated,
    rows: Sequence[int],
    texts: Sequence[str],
    groups: dict[int, list[int]],
    colour: palette.Colour,
) -> dict[str, Any]:
    first = {number: group[0] for number, group in groups.items()}
    size = {number: len(group) for number, group in groups.items()}
    place = [
        found.generation[row]
        + WIDTH * ((row - first[found.generation[row]] + 0.5) / size[found.generation[row]] - 0.5)
        for row in rows
    ]
    words = [
        f"{text}<br>{numbers.params(found.params[row])} parameters, "
        f"{numbers.flops(found.flops[row])} FLOPs<br>generation {found.generation[row]}"
        for row, text in zip(rows, texts, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": place,
        "y": [found.score[row] for row in rows],
        "name": "An architecture",
        "text": words,
        "customdata": list(rows),
        "marker": {"color": colour.css, "size": 6, "opacity": 0.45},
        "hovertemplate": "%{text}<br>%{y:.2f} %<extra></extra>",
    }


def _ring(points: dict[str, Any], place: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [points["x"][place]],
        "y": [points["y"][place]],
        "name": "Selected",
        "marker": {
            "symbol": "circle-open", "size": 15, "color": palette.RING.css, "line": {"width": 2.4},
        },
        "hoverinfo": "skip",
    }  # fmt: skip


def sentence(found: Evaluated, searcher: str) -> str:
    """Say how the median has moved from the first generation to the last."""
    middles = [
        median(found.score[row] for row in rows) for rows in _generations(found, searcher).values()
    ]
    name = numbers.searcher(searcher)
    first, last = numbers.accuracy(middles[0]), numbers.accuracy(middles[-1])
    if len(middles) == 1:
        return f"{name}: the median of what was scored is {last}"
    verb = "rose" if middles[-1] > middles[0] else "fell" if middles[-1] < middles[0] else "stayed"
    way = f"at {last}" if verb == "stayed" else f"from {first} to {last}"
    return f"{name}: the median of a generation {verb} {way}"


def columns(found: Evaluated, rows: Sequence[int]) -> dict[str, list[Any]]:
    """Return entries as a table, for the CSV; architectures by their option indices."""
    return {
        "searcher": [found.searcher[row] for row in rows],
        "generation": [found.generation[row] for row in rows],
        "architecture": [found.indices[row] for row in rows],
        "super_net_accuracy": [found.score[row] for row in rows],
        "params": [found.params[row] for row in rows],
        "flops": [found.flops[row] for row in rows],
    }
