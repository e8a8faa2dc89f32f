"""Does a better ranking find better networks? S-KdT against final accuracy, one point a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.widgets import numbers
from app.widgets.chart import base_figure
from app.widgets.compare_look import Look, wrapped
from app.widgets.palette import BACKGROUND
from app.widgets.plot import Figure

LEAST = 4  # fewer points have next to no order to agree upon


@dataclass(frozen=True)
class Point:
    """One finished run; accuracy in percent."""

    run_id: str
    setting: str
    look: Look
    seed: int
    tau: float
    accuracy: float


def figure(points: Sequence[Point]) -> Figure:
    """Draw one marker a run; `customdata` is its id, so that a click can open it."""
    names = list(dict.fromkeys(point.setting for point in points))
    drawn = base_figure(
        "tau-accuracy",
        "final sparse Kendall τ (−1 to 1)",
        "mean accuracy of the best 3 (%)",
        380 + 24 * len(names),
    )
    drawn["data"] = [_trace(name, [p for p in points if p.setting == name]) for name in names]
    drawn["layout"]["showlegend"] = True
    return drawn


def _trace(name: str, points: Sequence[Point]) -> dict[str, Any]:
    look = points[0].look
    edge = {"width": 1, "color": BACKGROUND.css}
    return {
        "type": "scatter",
        "mode": "markers",
        "uid": name,
        "name": wrapped(look.label),
        "x": [point.tau for point in points],
        "y": [point.accuracy for point in points],
        "customdata": [point.run_id for point in points],
        "text": [_hover(point) for point in points],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": look.symbol, "size": 12, "color": look.colour.css, "line": edge},
    }


def _hover(point: Point) -> str:
    return (
        f"{wrapped(point.look.label)}<br>seed {point.seed}<br>"
        f"sparse Kendall τ {numbers.correlation(point.tau)}<br>"
        f"final accuracy {numbers.accuracy(point.accuracy)}<br>click to open the run"
    )


def sentence(points: Sequence[Point]) -> str:
    """Say how far ranking quality and final accuracy go together over the runs."""
    from engine.metrics import kendall_tau

    if len(points) < LEAST:
        return f"Ranking quality and final accuracy of {_runs(len(points))}"
    tau = kendall_tau([point.tau for point in points], [point.accuracy for point in points])
    if tau is None:
        return f"Ranking quality and final accuracy of {_runs(len(points))}, which do not differ"
    return (
        f"Over {_runs(len(points))}, ranking quality and final accuracy agree with Kendall "
        f"τ = {numbers.correlation(tau)}"
    )


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def columns(points: Sequence[Point]) -> dict[str, list[Any]]:
    """Return the points as columns for CSV."""
    return {
        "setting": [point.setting for point in points],
        "run": [point.run_id for point in points],
        "seed": [point.seed for point in points],
        "sparse_kendall_tau": [point.tau for point in points],
        "final_accuracy": [point.accuracy for point in points],
    }
