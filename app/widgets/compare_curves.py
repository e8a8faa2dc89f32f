"""Curves of several settings in one chart: mean over seeds with a band, or every run by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from app.digest import RunDigest
from app.widgets.chart import base_figure, kept_rows, thin
from app.widgets.compare_look import Look, wrapped
from app.widgets.palette import Colour
from app.widgets.plot import Figure

MOST_MARKED = 40
WASH = "2B"  # opacity of a band, as the last two digits of #rrggbbaa

Series = tuple[Sequence[float], Sequence[float | None]]


@dataclass(frozen=True)
class Metric:
    """A quantity that can be drawn.

    Attributes:
        title: its name within a sentence.
        x, y: titles of the axes, with units.
        form: how plotly.js writes a value.
        unit: what stands behind a value.
        lower: whether low values are good.
    """

    title: str
    x: str
    y: str
    form: str = ".3f"
    unit: str = ""
    lower: bool = False


METRICS = {
    "sparse_kendall_tau": Metric(
        "sparse Kendall τ", "epoch", "sparse Kendall τ with the ground truth (−1 to 1)"
    ),
    "kendall_tau": Metric("Kendall τ", "epoch", "Kendall τ with the ground truth (−1 to 1)"),
    "spearman": Metric("Spearman ρ", "epoch", "Spearman ρ with the ground truth (−1 to 1)"),
    "super_net_accuracy": Metric(
        "super-net accuracy", "epoch", "mean super-net accuracy of the sample (%)", ".2f", " %"
    ),
    "loss": Metric("training loss", "epoch", "training loss", ".4f", "", lower=True),
    "best": Metric(
        "best score of the search", "architectures evaluated",
        "best super-net accuracy so far (%)", ".2f", " %",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Runs:
    """The curves of one setting, by run id."""

    name: str
    look: Look
    series: Mapping[str, Series]


@dataclass(frozen=True)
class Band:
    """Mean and spread over runs at each x where at least one run has a value.

    Attributes:
        low, high: mean ± standard deviation (n - 1) for three or more runs, least and largest
            value for two, the value itself for one.
        n: number of runs with a value.
    """

    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]
    n: list[int]


def series(digest: RunDigest, metric: str) -> Series:
    """Return one run's curve; x rises."""
    if metric == "loss":
        return digest.epochs.epoch, digest.epochs.loss
    if metric == "best":
        found = next(iter(digest.searches.values()), None)  # the main searcher comes first
        return ((), ()) if found is None else (found.evaluated, found.best_score)
    rankings = digest.rankings
    return rankings.epoch, rankings.metrics.get(metric, [None] * len(rankings.epoch))


def band(runs: Sequence[Series]) -> Band:
    """Return mean and spread over runs, at no more points than a chart draws."""
    values: dict[float, list[float]] = {}
    for x, y in runs:
        for place, value in zip(x, y, strict=True):
            if value is not None:
                values.setdefault(place, []).append(value)
    every = sorted(values)
    places = [every[row] for row in kept_rows(len(every))]
    spreads = [_spread(values[place]) for place in places]
    means, lows, highs = ([spread[i] for spread in spreads] for i in range(3))
    return Band(places, means, lows, highs, [len(values[place]) for place in places])


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    n = len(values)
    mean = sum(values) / n
    if n < 3:
        return mean, min(values), max(values)
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return mean, mean - deviation, mean + deviation


def figure(groups: Sequence[Runs], metric: str, apart: bool) -> Figure:
    """Draw one line a setting, or with `apart` one line a run."""
    told = METRICS[metric]
    # The zoom belongs to the quantity and to what is drawn, not to how much of it has arrived.
    drawn = base_figure(f"{metric}-{apart}", told.x, told.y, 400 + 24 * len(groups))
    for group in groups:
        drawn["data"] += _apart(group, told) if apart else _together(group, told)
    drawn["layout"]["showlegend"] = True
    return drawn


def _together(group: Runs, metric: Metric) -> list[dict[str, Any]]:
    found = band(list(group.series.values()))
    spread = _area(group.look.colour)
    low = {"x": found.x, "y": found.low, "uid": f"{group.name}-low"} | spread
    high = {"x": found.x, "y": found.high, "uid": f"{group.name}-high", "fill": "tonexty"} | spread
    mean = _line(group, found.x, found.mean, group.name)
    mean["text"] = [_told(group, metric, found, row) for row in range(len(found.x))]
    return [low | {"legendgroup": group.name}, high | {"legendgroup": group.name}, mean]


def _area(colour: Colour) -> dict[str, Any]:
    """Return what an edge of the band looks like: no line, a thin wash between the two."""
    return {
        "type": "scatter",
        "mode": "lines",
        "line": {"width": 0, "color": colour.css},
        "fillcolor": f"{colour.css}{WASH}",
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _told(group: Runs, metric: Metric, found: Band, row: int) -> str:
    low, mean, high = (_value(v[row], metric) for v in (found.low, found.mean, found.high))
    lines = [wrapped(group.look.label), f"{metric.x} {found.x[row]:g}"]
    if found.n[row] == 1:
        return "<br>".join([*lines, f"{mean} (1 of {len(group.series)} runs)"])
    lines.append(f"mean {mean} ({found.n[row]} of {len(group.series)} runs)")
    return "<br>".join([*lines, f"band {low} to {high}"])


def _value(value: float, metric: Metric) -> str:
    return f"{value:{metric.form}}{metric.unit}".replace("-", "−")


def _apart(group: Runs, metric: Metric) -> list[dict[str, Any]]:
    lines = []
    for position, (run_id, curve) in enumerate(group.series.items()):
        x, y = thin(*curve)
        line = _line(group, x, y, run_id)
        line["showlegend"] = position == 0
        line["text"] = [_alone(group, metric, run_id, at, v) for at, v in zip(x, y, strict=True)]
        line["customdata"] = [run_id] * len(line["x"])
        lines.append(line)
    return lines


def _alone(group: Runs, metric: Metric, run_id: str, x: float, y: float | None) -> str:
    value = "" if y is None else _value(y, metric)
    return f"{wrapped(group.look.label)}<br>{run_id}<br>{metric.x} {x:g}<br>{value}"


def _line(group: Runs, x: Sequence[Any], y: Sequence[Any], uid: str) -> dict[str, Any]:
    look = group.look
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "uid": uid,
        "name": wrapped(look.label),
        "legendgroup": group.name,
        "mode": "lines+markers" if len(x) <= MOST_MARKED else "lines",
        "line": {"color": look.colour.css, "dash": look.dash, "width": 2.2},
        "marker": {"symbol": look.symbol, "size": 7, "color": look.colour.css},
        "connectgaps": True,
        "hovertemplate": "%{text}<extra></extra>",
    }


def sentence(groups: Sequence[Runs], metric: str) -> str:
    """Say which setting is ahead at its last point."""
    told = METRICS[metric]
    last = {group.look.short: _last(group) for group in groups}
    known = {label: value for label, value in last.items() if value is not None}
    if not known:
        return f"No run has told its {told.title} yet"
    sign = 1 if told.lower else -1
    order = sorted(known, key=lambda label: sign * known[label])
    value = _value(known[order[0]], told)
    if len(known) == 1:
        return f"{order[0]} has a {told.title} of {value}"
    word = "lowest" if told.lower else "highest"
    return f"{order[0]} has the {word} {told.title}, {value}"


def _last(group: Runs) -> float | None:
    found = band(list(group.series.values()))
    return found.mean[-1] if found.mean else None


def columns(groups: Sequence[Runs], metric: str) -> dict[str, list[Any]]:
    """Return every run's curve as rows for CSV, nothing left out."""
    rows = [
        (group.name, run_id, x, y)
        for group in groups
        for run_id, (xs, ys) in group.series.items()
        for x, y in zip(xs, ys, strict=True)
    ]
    names = ("setting", "run", METRICS[metric].x.replace(" ", "_"), metric)
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
