"""What a learner thinks of every choice: a heat map, and its entropy over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import client
from app.digest import Learning
from app.feed import RunFeed
from app.widgets import chart, numbers, palette
from app.widgets.plot import Figure

ROW_PIXELS = 26


def draw(feed: RunFeed) -> None:
    """Draw both charts, or nothing where the algorithm learns nothing but weights."""
    learning = feed.digest.learning
    if not learning.epoch:
        return
    spec = client.folder(feed.run_id).spec()
    names, options = client.mixture(spec.space, spec.space_settings)
    rows = learning.probabilities
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        chart.show(
            heat_sentence(learning),
            heat_map(rows, names, options, feed.run_id),
            "search-probabilities",
            long_table(rows, names, options),
        )
    with right:
        chart.show(
            entropy_sentence(learning),
            entropy(learning, feed.run_id),
            "search-entropy",
            {"epoch": learning.epoch, "entropy": learning.entropy},
        )


def heat_sentence(learning: Learning) -> str:
    """Say how certain the learner is at its latest epoch."""
    sure = sum(max(row, default=0.0) > 0.5 for row in learning.probabilities)
    words = f"{numbers.count(sure)} of {numbers.count(len(learning.probabilities))}"
    return f"At epoch {learning.epoch[-1]}, {words} choices give one option more than half"


def entropy_sentence(learning: Learning) -> str:
    """Say how the choices' mean entropy has moved; 0 is certain."""
    known = [value for value in learning.entropy if value is not None]
    if len(known) < 2:
        return "The entropy of the choices after the first epoch"
    verb = "fell" if known[-1] < known[0] else "rose" if known[-1] > known[0] else "stayed"
    return f"The entropy of a choice {verb} from {known[0]:.2f} to {known[-1]:.2f} nats"


def heat_map(
    rows: Sequence[Sequence[float]],
    names: Sequence[str],
    options: Sequence[Sequence[str]],
    run_id: str,
) -> Figure:
    """Draw one row a choice and one column an option.

    Args:
        rows: what each option counts, per choice; choices may have different numbers of options.
        names: of the choices.
        options: names of each choice's options.
        run_id: keeps the zoom.
    """
    columns = list(dict.fromkeys(option for one in options for option in one))
    cells: list[list[float | None]] = []
    for row, own in zip(rows, options, strict=True):
        known = dict(zip(own, row, strict=True))
        cells.append([known.get(option) for option in columns])
    height = max(220, 90 + ROW_PIXELS * len(names))
    figure = chart.base_figure(run_id, "option", "choice", height)
    figure["layout"]["yaxis"] |= {"type": "category", "autorange": "reversed"}
    figure["layout"]["xaxis"] |= {"type": "category", "tickangle": -30}
    figure["data"].append(
        {
            "type": "heatmap",
            "x": columns,
            "y": list(names),
            "z": cells,
            "name": "probability",
            "zmin": 0,
            "zmax": max((max(row, default=0.0) for row in rows), default=1.0),
            "colorscale": "Cividis",
            "colorbar": {"title": {"text": "probability"}, "thickness": 12},
            "hovertemplate": "%{y}<br>%{x}<br>%{z:.3f}<extra></extra>",
        }
    )
    return figure


def entropy(learning: Learning, run_id: str) -> Figure:
    """Draw the mean entropy of the choices over the epochs."""
    figure = chart.base_figure(run_id, "epoch", "mean entropy of a choice (nats)")
    x, y = chart.thin(learning.epoch, learning.entropy)
    figure["data"].append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "name": "Entropy",
            "line": {"color": palette.VIOLET.css, "width": 2.2},
            "hovertemplate": "epoch %{x}<br>%{y:.3f} nats<extra></extra>",
        }
    )
    return figure


def long_table(
    rows: Sequence[Sequence[float]], names: Sequence[str], options: Sequence[Sequence[str]]
) -> dict[str, list[object]]:
    """Return one line per choice and option, for the CSV."""
    table: dict[str, list[object]] = {"choice": [], "option": [], "probability": []}
    for row, name, own in zip(rows, names, options, strict=True):
        for option, value in zip(own, row, strict=True):
            table["choice"].append(name)
            table["option"].append(option)
            table["probability"].append(value)
    return table
