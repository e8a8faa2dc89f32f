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
    ends = sorted(found.best_score[-1] or 0.0 for found in searches.values())
    for name, found in searches.items():
        # The labels of two curves that end close to each other must not cover each other.
        lowest = len(ends) > 1 and (found.best_score[-1] or 0.0) == ends[0] != ends[-1]
        drawn["data"] += _curves(name, found, furthest, "bottom" if lowest else "top")
    drawn["layout"]["showlegend"] = True
    drawn["layout"]["margin"] |= {"r": 70}
    return drawn


def _curves(name: str, found: Generations, furthest: int, side: str) -> list[dict[str, Any]]:
    colour, dash = palette.algorithm(name)
    title, last = numbers.searcher(name), found.best_score[-1]
    x, y = thin(found.evaluated, found.best_score)
    label = [""] * (len(x) - 1) + [f" {numbers.accuracy(last)}"]
    marked = "+markers" if len(x) <= MOST_MARKED else ""
    curve = {
        "type": "scatter",
        "mode": f"lines{marked}+text",
        "x": x,
        "y": y,
        "name": title,
        "text": label,
        "textposition": f"{side} right",
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
    effort = searches[lead].evaluated[-1]
    told = f"{numbers.searcher(lead)} found {numbers.accuracy(known[lead])} with "
    told += f"{numbers.count(effort)} evaluations"
    if lead == BASELINE or BASELINE not in known:
        return told
    given = searches[BASELINE].evaluated[-1]
    other = f"random search with {'as many' if given == effort else numbers.count(given)}"
    return f"{told}, {_difference(known[lead] - known[BASELINE])} {other}"


def _difference(ahead: float) -> str:
    """Say how far ahead of another something is; percentages differ by points."""
    if abs(ahead) < 0.005:
        return "the same as"
    return f"{abs(ahead):.2f} points {'more' if ahead > 0 else 'less'} than"


def columns(searches: Searches) -> dict[str, list[Any]]:
    """Return all searchers' generations as one table, for the CSV."""
    names = ("evaluated", "best_score", "mean_score", "best_text")
    table: dict[str, list[Any]] = {name: [] for name in ("searcher", *names)}
    for searcher, found in searches.items():
        table["searcher"] += [searcher] * len(found.evaluated)
        for name in names:
            table[name] += getattr(found, name)
    return table
