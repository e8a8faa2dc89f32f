"""Curves of a learner over the epochs: entropy, skip connections, options, further numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.widgets import palette
from app.widgets.chart import base_figure, thin
from app.widgets.palette import Colour
from app.widgets.plot import Figure

HEIGHT = 260
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
MOST_MARKED = 30


@dataclass(frozen=True)
class Told:
    """Numbers that some learners add to their report, drawn in one chart.

    Attributes:
        sentence: what the chart shows.
        axis: title of the vertical axis, with the unit.
        lines: title per reported name.
        note: what the numbers are.
    """

    sentence: str
    axis: str
    lines: Mapping[str, str]
    note: str = ""


KNOWN = (
    Told(
        "The temperature of the Gumbel noise sets how hard options are weighed",
        "temperature τ (no unit)",
        {"temperature": "Temperature τ"},
        "High temperatures level the weights of the options, low ones sharpen them towards the "
        "one that was drawn.",
    ),
    Told(
        "What the draws of the policy earn, and what is expected of them",
        "reward (1: all images right)",
        {"reward": "Reward of the latest draws", "baseline": "Baseline"},
        "The reward is the accuracy on held-out images, less what a recipe charges for cost. "
        "Draws above the baseline, a moving average, become more probable.",
    ),
    Told(
        "The best and the mean of the pool of architectures",
        "super-net accuracy (%)",
        {"pool_best": "Best of the pool", "pool_mean": "Mean of the pool"},
    ),
    Told(
        "How much of the pool the model decodes exactly",
        "share of architectures (0 to 1)",
        {"reconstructed": "Decoded exactly"},
    ),
    Told(
        "Options that are left after pruning",
        "options, all choices together",
        {"options_kept": "Options left"},
    ),
)


def told(names: Sequence[str]) -> list[Told]:
    """Return the charts for what a learner reports; what is not known has a chart of its own."""
    charts = []
    left = list(names)
    for known in KNOWN:
        lines = {name: title for name, title in known.lines.items() if name in left}
        if lines:
            charts.append(Told(known.sentence, known.axis, lines, known.note))
            left = [name for name in left if name not in lines]
    for name in left:
        title = name.replace("_", " ").capitalize()
        charts.append(Told(f"{title}, as the learner reports it", f"{title} (as reported)",
                           {name: title}))  # fmt: skip
    return charts


def figure(
    epochs: Sequence[int],
    lines: Mapping[str, Sequence[float | None]],
    axis: str,
    run_id: str,
    colours: Sequence[Colour] = (palette.ACCENT, palette.OCHRE),
    height: int = HEIGHT,
    from_zero: bool = False,
) -> Figure:
    """Draw named curves over the epochs; every curve has a dash of its own.

    Args:
        epochs: one an entry.
        lines: values by title.
        axis: title of the vertical axis, with the unit.
        run_id: keeps the zoom.
        colours: of the curves, in their order; taken again when there are more.
        height: in pixels.
        from_zero: show the axis from 0, where that means something.
    """
    drawn = base_figure(run_id, "epoch", axis, height)
    for number, (title, values) in enumerate(lines.items()):
        x, y = thin(epochs, values)
        line = {
            "color": colours[number % len(colours)].css,
            "dash": DASHES[number % len(DASHES)],
            "width": 2.2,
        }
        drawn["data"].append(_curve(x, y, title, line))
    drawn["layout"]["showlegend"] = len(lines) > 1
    if from_zero:
        drawn["layout"]["yaxis"]["rangemode"] = "tozero"
    return drawn


def _curve(x: list[Any], y: list[Any], title: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(x) <= MOST_MARKED else "lines",
        "x": x,
        "y": y,
        "name": title,
        "line": line,
        "marker": {"size": 5},
        "connectgaps": True,
        "hovertemplate": f"{title}, epoch %{{x}}<br>%{{y:.4g}}<extra></extra>",
    }
