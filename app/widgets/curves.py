"""Curves over epochs: ranking quality, loss, landmark term, learning rate, speed."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from app.digest import Epochs, Generations, Rankings
from app.widgets import numbers, palette
from app.widgets.chart import base_figure, thin
from app.widgets.palette import Theme

CORRELATIONS = {
    "sparse_kendall_tau": "Sparse Kendall τ",
    "kendall_tau": "Kendall τ",
    "spearman": "Spearman ρ",
}


def _line(
    x: Sequence[object], y: Sequence[object], name: str, colour: str, dash: str, symbol: str = ""
) -> go.Scatter:
    few = len(x) <= 60 and bool(symbol)
    return go.Scatter(
        x=x,
        y=y,
        name=name,
        mode="lines+markers" if few else "lines",
        line={"color": colour, "dash": dash, "width": 2.2},
        marker={"symbol": symbol or "circle", "size": 7},
        connectgaps=True,
    )


def correlations(rankings: Rankings, run_id: str, theme: Theme) -> go.Figure:
    """Draw the rank correlations over the epochs."""
    figure = base_figure(run_id, "epoch", "rank correlation (−1 to 1)")
    for name, title in CORRELATIONS.items():
        colour, dash, symbol = palette.METRICS[name]
        x, y = thin(rankings.epoch, rankings.metrics.get(name, [None] * len(rankings.epoch)))
        trace = _line(x, y, title, colour.on(theme), dash, symbol)
        trace.hovertemplate = "epoch %{x}<br>" + title + " %{y:.3f}<extra></extra>"
        figure.add_trace(trace)
    figure.add_hline(y=0, line={"color": palette.GREY.on(theme), "width": 1, "dash": "dot"})
    return figure


def correlations_sentence(rankings: Rankings) -> str:
    """Say how the ranking quality has moved."""
    known = [v for v in rankings.metrics.get("sparse_kendall_tau", []) if v is not None]
    if not known:
        return "The ranking correlation is not defined yet"
    last = numbers.correlation(known[-1])
    if len(known) == 1:
        return f"Sparse Kendall τ is {last} at epoch {rankings.epoch[-1]}"
    first, change = numbers.correlation(known[0]), known[-1] - known[0]
    verb = "rose" if change > 0.005 else "fell" if change < -0.005 else "stayed"
    return f"Sparse Kendall τ {verb} from {first} to {last} by epoch {rankings.epoch[-1]}"


def accuracy(rankings: Rankings, run_id: str, theme: Theme) -> go.Figure:
    """Draw the mean accuracy of the sample with the super-net's weights."""
    figure = base_figure(run_id, "epoch", "mean super-net accuracy (%)", 280)
    colour, dash, symbol = palette.METRICS["super_net_accuracy"]
    x, y = thin(rankings.epoch, rankings.metrics.get("super_net_accuracy", []))
    trace = _line(x, y, "Super-net accuracy", colour.on(theme), dash, symbol)
    trace.hovertemplate = "epoch %{x}<br>%{y:.2f} %<extra></extra>"
    figure.add_trace(trace)
    return figure


def single(
    epochs: Epochs, column: str, axis: str, colour: palette.Colour, run_id: str, theme: Theme
) -> go.Figure:
    """Draw one column of the training over the epochs."""
    figure = base_figure(run_id, "epoch", axis, 260)
    x, y = thin(epochs.epoch, getattr(epochs, column))
    trace = _line(x, y, axis, colour.on(theme), "solid")
    trace.hovertemplate = "epoch %{x}<br>%{y:.4g}<extra></extra>"
    figure.add_trace(trace)
    return figure


def landmark(epochs: Epochs, run_id: str, theme: Theme) -> go.Figure:
    """Draw the landmark term and its weight, on two axes."""
    figure = base_figure(run_id, "epoch", "landmark term (loss)", 260)
    x, term, weight = thin(epochs.epoch, epochs.landmark_loss, epochs.landmark_weight)
    figure.add_trace(_line(x, term, "Landmark term", palette.LANDMARK.on(theme), "solid"))
    second = _line(x, weight, "Weight λ<sub>t</sub> (right)", palette.VIOLET.on(theme), "dash")
    second.yaxis = "y2"
    figure.add_trace(second)
    figure.update_layout(
        yaxis2={
            "title": "weight λ<sub>t</sub>",
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "showgrid": False,
            "automargin": True,
            "tickmode": "auto",
            "nticks": 6,
        }
    )
    return figure


def searches(found: dict[str, Generations], run_id: str, theme: Theme) -> go.Figure:
    """Draw the best super-net accuracy found so far by each searcher."""
    figure = base_figure(run_id, "architectures evaluated", "best super-net accuracy so far (%)")
    for name, generations in found.items():
        colour, dash = palette.algorithm(name)
        x, y = thin(generations.evaluated, generations.best_score)
        trace = _line(x, y, name.capitalize(), colour.on(theme), dash, "circle")
        trace.hovertemplate = f"{name.capitalize()}<br>" + "%{x} evaluated<br>%{y:.2f} %"
        trace.hovertemplate += "<extra></extra>"
        figure.add_trace(trace)
    return figure


def searches_sentence(found: dict[str, Generations]) -> str:
    """Say which searcher is ahead."""
    best = {name: g.best_score[-1] for name, g in found.items() if g.best_score}
    known = {name: value for name, value in best.items() if value is not None}
    if not known:
        return "No architecture has been scored yet"
    order = sorted(known, key=lambda name: -known[name])
    lead = f"{order[0].capitalize()} found {numbers.accuracy(known[order[0]])}"
    if len(order) == 1:
        return f"{lead} by super-net accuracy"
    return f"{lead} by super-net accuracy, {order[1]} search {numbers.accuracy(known[order[1]])}"
