"""How far the runs of each setting spread: box plots with every run as a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from app.widgets.chart import base_figure, kept_rows
from app.widgets.compare_look import Look, wrapped
from app.widgets.palette import GREY
from app.widgets.plot import Figure

LABEL = 20


@dataclass(frozen=True)
class Quantity:
    """What the boxes are of: its name within a sentence, axis, and how values are written."""

    title: str
    axis: str
    form: str
    unit: str


QUANTITIES = {
    "final_accuracy": Quantity("final accuracy", "mean accuracy of the best 3 (%)", ".2f", " %"),
    "sparse_kendall_tau": Quantity(
        "sparse Kendall τ", "final sparse Kendall τ (−1 to 1)", ".3f", ""
    ),
}


@dataclass(frozen=True)
class Box:
    """One setting: value by run id."""

    name: str
    look: Look
    values: Mapping[str, float]


def figure(boxes: Sequence[Box], random: Mapping[str, Sequence[float]], quantity: str) -> Figure:
    """Draw one lying box a setting, the first on top, and below them random draws.

    Args:
        boxes: the settings.
        random: ground truths of random architectures by what they are called; drawn in grey.
        quantity: one of `QUANTITIES`.
    """
    told = QUANTITIES[quantity]
    rows = len(boxes) + len(random)
    drawn = base_figure(f"boxes-{quantity}", told.axis, "", 120 + 58 * max(rows, 2))
    drawn["data"] = [_box(box, told) for box in boxes]
    drawn["data"] += [_draws(name, values, told) for name, values in random.items()]
    drawn["layout"]["yaxis"] |= {"autorange": "reversed", "title": {"text": ""}, "showgrid": False}
    drawn["layout"]["boxgap"] = 0.45
    return drawn


def _box(box: Box, told: Quantity) -> dict[str, Any]:
    colour = box.look.colour.css
    hover = f"{wrapped(box.look.label)}<br>%{{customdata}}<br>%{{x:{told.form}}}{told.unit}"
    return _plain(wrapped(box.look.label, LABEL), list(box.values.values()), colour) | {
        "uid": box.name,
        "customdata": list(box.values),
        "hovertemplate": f"{hover}<extra></extra>",
        "marker": {"color": colour, "symbol": box.look.symbol, "size": 9, "opacity": 0.85},
    }


def _draws(name: str, values: Sequence[float], told: Quantity) -> dict[str, Any]:
    ordered = sorted(values)  # leaving out every so many of the ordered ones keeps the quartiles
    kept = [ordered[row] for row in kept_rows(len(ordered))]
    return _plain(wrapped(name, LABEL), kept, GREY.css) | {
        "uid": name,
        "hovertemplate": f"{wrapped(name)}<br>%{{x:{told.form}}}{told.unit}<extra></extra>",
        "marker": {"color": GREY.css, "symbol": "circle", "size": 4, "opacity": 0.35},
    }


def _plain(name: str, values: list[float], colour: str) -> dict[str, Any]:
    return {
        "type": "box",
        "orientation": "h",
        "x": values,
        "y": [name] * len(values),
        "name": name,
        "boxpoints": "all",
        "pointpos": 0,
        "jitter": 0.5,
        "hoveron": "points",
        "fillcolor": "rgba(0,0,0,0)",
        "line": {"color": colour, "width": 1.6},
    }


def sentence(boxes: Sequence[Box], random: Mapping[str, Sequence[float]], quantity: str) -> str:
    """Say which setting has the best median, and how random draws do."""
    told = QUANTITIES[quantity]
    middle = {box.look.short: median(box.values.values()) for box in boxes if box.values}
    if not middle:
        return f"No finished run knows its {told.title}"
    best = max(middle, key=lambda label: middle[label])
    lead = f"{best} has the best median {told.title}, {_value(middle[best], told)}"
    if len(middle) == 1:
        lead = f"{best} has a median {told.title} of {_value(middle[best], told)}"
    if len(random) != 1:
        return lead
    (draws,) = random.values()
    return f"{lead}; half of the random architectures reach {_value(median(draws), told)}"


def _value(value: float, told: Quantity) -> str:
    return f"{value:{told.form}}{told.unit}".replace("-", "−")


def columns(
    boxes: Sequence[Box], random: Mapping[str, Sequence[float]], quantity: str
) -> dict[str, list[Any]]:
    """Return every value as a row for CSV; random draws have no run."""
    rows = [(box.name, run_id, value) for box in boxes for run_id, value in box.values.items()]
    rows += [(name, "", value) for name, values in random.items() for value in values]
    names = ("setting", "run", quantity)
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
