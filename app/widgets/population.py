"""What a searcher evaluated, generation by generation: every score, their median and best."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from app.evaluated import Evaluated
from app.widgets import numbers, palette
from app.widgets.chart import MOST_POINTS, base_figure, kept_rows
from app.widgets.plot import Figure

WIDTH = 0.5  # of a strip, where the next generation is 1 away
LEAST = 2  # entries of a generation that are drawn: its best and its worst


def shown(found: Evaluated, searcher: str) -> list[int]:
    """Return the positions of at most about `MOST_POINTS` entries.

    Where there are very many generations some are left out, evenly; of each equally many entries
    stay, evenly spread over its scores, best and worst among them.
    """
    groups = list(found.generations(searcher).values())
    if len(groups) > MOST_POINTS // LEAST:
        groups = [groups[place] for place in kept_rows(len(groups))[::LEAST]]
    each = max(LEAST, MOST_POINTS // max(len(groups), 1))
    kept: list[int] = []
    for rows in groups:
        if len(rows) > each:
            order = sorted(rows, key=lambda row: found.score[row])
            kept += sorted(order[round(i * (len(order) - 1) / (each - 1))] for i in range(each))
        else:
            kept += rows
    return kept


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
    groups = found.generations(searcher)
    drawn["data"] = [_points(found, rows, texts, groups, colour)]
    every = list(groups)
    x = [every[place] for place in kept_rows(len(every))]
    for name, take, line in (
        ("Best of the generation", max, {"color": colour.css, "dash": "solid"}),
        ("Median", median, {"color": palette.GREY.css, "dash": "dash"}),
    ):
        drawn["data"].append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(x) < 3 else "lines",
                "x": x,
                "y": [take(found.scores(groups[number])) for number in x],
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
    groups: dict[int, range],
    colour: palette.Colour,
) -> dict[str, Any]:
    own = [groups[found.generation[row]] for row in rows]
    place = [
        found.generation[row] + WIDTH * ((row - group.start + 0.5) / len(group) - 0.5)
        for row, group in zip(rows, own, strict=True)
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
    groups = list(found.generations(searcher).values())
    before, after = median(found.scores(groups[0])), median(found.scores(groups[-1]))
    name = numbers.searcher(searcher)
    first, last = numbers.accuracy(before), numbers.accuracy(after)
    if len(groups) == 1:
        return f"{name}: the median of what was scored is {last}"
    verb = "rose" if after > before else "fell" if after < before else "stayed"
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
