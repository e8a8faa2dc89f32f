"""Mean and standard deviation over the seeds of one setting, as a band behind a run's own line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.widgets import palette
from app.widgets.chart import thin

Curve = Mapping[int, float]


@dataclass(frozen=True)
class Band:
    """One metric over several seeds.

    Attributes:
        seeds: how many have any value.
        epoch: where at least two seeds have a value, ascending.
        mean: over the seeds that have one there.
        deviation: standard deviation with n - 1.
        count: n, the seeds that have a value there.
    """

    seeds: int
    epoch: list[int]
    mean: list[float]
    deviation: list[float]
    count: list[int]


def band(curves: Sequence[Curve]) -> Band:
    """Gather the curves of several seeds, values by epoch; one seed alone makes no band."""
    filled = [curve for curve in curves if curve]
    result = Band(len(filled), [], [], [], [])
    for epoch in sorted(set().union(*filled)):
        values = [curve[epoch] for curve in filled if epoch in curve]
        if len(values) < 2:
            continue
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
        result.epoch.append(epoch)
        result.mean.append(mean)
        result.deviation.append(spread)
        result.count.append(len(values))
    return result


def own_curve(epochs: Sequence[int], values: Sequence[float | None]) -> dict[int, float]:
    """Return a run's own column as a curve."""
    return {e: v for e, v in zip(epochs, values, strict=False) if v is not None}


def traces(found: Band, title: str, colour: palette.Colour) -> list[dict[str, Any]]:
    """Draw the band and its mean; nothing where it has no epoch."""
    if not found.epoch:
        return []
    epoch, mean, deviation, count = thin(found.epoch, found.mean, found.deviation, found.count)
    upper = [m + d for m, d in zip(mean, deviation, strict=True)]
    lower = [m - d for m, d in zip(mean, deviation, strict=True)]
    name = f"{title}, mean ± std of {found.seeds} seeds"
    line = {"color": colour.css, "width": 1.2}
    text = [
        f"mean {m:.3f} ± {d:.3f} over {n} seeds"
        for m, d, n in zip(mean, deviation, count, strict=True)
    ]
    area = {
        "type": "scatter",
        "x": [*epoch, *reversed(epoch)],
        "y": [*upper, *reversed(lower)],
        "name": name,
        "mode": "lines",
        "fill": "toself",
        "line": {"color": colour.css, "width": 0},
        "opacity": 0.35,  # on top of the half-transparent fill that plotly takes from the line
        "hoverinfo": "skip",
        "legendgroup": "seeds",
    }
    middle = {
        "type": "scatter",
        "x": epoch,
        "y": mean,
        "text": text,
        "name": "Mean over seeds",
        "mode": "lines",
        "line": line | {"dash": "longdashdot"},
        "hovertemplate": "epoch %{x}<br>%{text}<extra></extra>",
        "legendgroup": "seeds",
        "showlegend": False,
    }
    return [area, middle]


def columns(found: Band, metric: str, epochs: Sequence[int]) -> dict[str, list[Any]]:
    """Return the band as columns for CSV, one row for each of a run's own epochs."""
    row = {epoch: position for position, epoch in enumerate(found.epoch)}
    names = {"mean": found.mean, "std": found.deviation, "seeds": found.count}
    return {
        f"{metric}_{name}": [column[row[e]] if e in row else None for e in epochs]
        for name, column in names.items()
    }
