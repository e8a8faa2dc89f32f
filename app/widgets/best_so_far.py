"""The best super-net accuracy that each searcher has found, beside random search."""

from __future__ import annotations

from typing import Any

from app.digest import Generations
from app.widgets import numbers, palette
from app.widgets.chart import base_figure, thin
from app.widgets.plot import Figure

BASELINE = "random"
MOST_MARKED = 60

Searches = dict[str, Generations]


def figure(searches: Searches, run_id: str) -> Figure:
    """Draw a curve per searcher; where one stopped early, a dotted line carries its best on."""
    drawn = base_figure(run_id, "architectures evaluated", "best super-net accuracy so far (%)")
    furthest = max((found.evaluated[-1] for found in searches.values()), default=0)
    for name, found in searches.items():
        drawn["data"] += _curves(name, found, furthest)
    drawn["layout"]["showlegend"] = True
    return drawn


def _curves(name: str, found: Generations, furthest: int) -> list[dict[str, Any]]:
    colour, dash = palette.algorithm(name)
    title, last = numbers.searcher(name), found.best_score[-1]
    x, y = thin(found.evaluated, found.best_score)
    label = [""] * (len(x) - 1) + [f"  {numbers.accuracy(last)}"]
    marked = "+markers" if len(x) <= MOST_MARKED else ""
    curve = {
        "type": "scatter",
        "mode": f"lines{marked}+text",
        "x": x,
        "y": y,
        "name": title,
        "text": label,
        "textposition": "top left" if found.evaluated[-1] == furthest else "top right",
        "textfont": {"color": colour.css, "size": 13},
        "line": {"color": colour.css, "dash": dash, "width": 2.2},
        "marker": {"symbol": "square" if name == BASELINE else "circle", "size": 7},
        "connectgaps": True,
        "cliponaxis": False,
        "hovertemplate": f"{title}<br>%{{x}} evaluated<br>%{{y:.2f}} %<extra></extra>",
    }
    if found.evaluated[-1] == furthest:
        return [curve]
    onward = {
        "type": "scatter",
        "mode": "lines",
        "x": [found.evaluated[-1], furthest],
        "y": [last, last],
        "name": f"{title}, evaluated no more",
        "showlegend": False,
        "line": {"color": colour.css, "dash": "dot", "width": 1.2},
        "hoverinfo": "skip",
    }
    return [curve, onward]


def sentence(searches: Searches) -> str:
    """Say what was found, and how far that is from random search."""
    known = {
        name: found.best_score[-1]
        for name, found in searches.items()
        if found.best_score and found.best_score[-1] is not None
    }
    if not known:
        return "No architecture has been scored yet"
    others = {name: value for name, value in known.items() if name != BASELINE}
    lead = max(others or known, key=lambda name: known[name])
    told = f"{numbers.searcher(lead)}{_effort(searches[lead])} {numbers.accuracy(known[lead])}"
    if lead == BASELINE or BASELINE not in known:
        return f"{told} super-net accuracy"
    return f"{told}, {_difference(known[lead] - known[BASELINE], searches[BASELINE])}"


def _effort(found: Generations) -> str:
    count = found.evaluated[-1]
    return f" found, with {numbers.count(count)} evaluations,"


def _difference(ahead: float, baseline: Generations) -> str:
    """Say how far ahead of random search; both are percentages, so are their differences."""
    effort = f"random search with {numbers.count(baseline.evaluated[-1])}"
    if abs(ahead) < 0.005:
        return f"the same as {effort}"
    word = "more" if ahead > 0 else "less"
    return f"{abs(ahead):.2f} points {word} than {effort}"


def columns(searches: Searches) -> dict[str, list[Any]]:
    """Return all searchers' generations as one table, for the CSV."""
    names = ("evaluated", "best_score", "mean_score", "best_text")
    table: dict[str, list[Any]] = {name: [] for name in ("searcher", *names)}
    for searcher, found in searches.items():
        table["searcher"] += [searcher] * len(found.evaluated)
        for name in names:
            table[name] += getattr(found, name)
    return table
