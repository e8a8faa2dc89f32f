"""Curves over epochs: ranking quality, loss, landmark term, learning rate, speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.digest import Epochs, Rankings
from app.widgets import numbers, palette
from app.widgets.chart import axis, base_figure, kept_rows, thin
from app.widgets.plot import Figure

CORRELATIONS = {
    "sparse_kendall_tau": "Sparse Kendall τ",
    "kendall_tau": "Kendall τ",
    "spearman": "Spearman ρ",
}
MOST_MARKED = 60
# One path a step makes these columns jump; their running mean is drawn on top.
NOISY = ("loss", "accuracy", "images_per_second")
FROM_ZERO = ("images_per_second", "memory_mb")
SMOOTHED = 10


def _line(
    x: Sequence[object],
    y: Sequence[object],
    name: str,
    colour: palette.Colour,
    dash: str = "solid",
    symbol: str = "",
    hover: str = "%{y:.4g}",
) -> dict[str, Any]:
    marked = bool(symbol) and len(x) <= MOST_MARKED
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": name,
        "mode": "lines+markers" if marked else "lines",
        "line": {"color": colour.css, "dash": dash, "width": 2.2},
        "marker": {"symbol": symbol or "circle", "size": 7, "color": colour.css},
        "connectgaps": True,
        "hovertemplate": f"{hover}<extra></extra>",
    }


def correlations(
    rankings: Rankings,
    run_id: str,
    more: Sequence[dict[str, Any]] = (),
    intervals: Mapping[str, Mapping[str, float | None]] | None = None,
) -> Figure:
    """Draw the rank correlations over the epochs.

    Args:
        rankings: the run's evaluations.
        run_id: keeps the zoom.
        more: traces that belong to the chart, such as a band over seeds or a printed figure.
        intervals: `low` and `high` of the last evaluation by metric, where they are known.
    """
    figure = base_figure(run_id, "epoch", "rank correlation (−1 to 1)")
    for name, title in CORRELATIONS.items():
        colour, dash, symbol = palette.METRICS[name]
        x, y = thin(rankings.epoch, rankings.metrics.get(name, [None] * len(rankings.epoch)))
        hover = f"epoch %{{x}}<br>{title} %{{y:.3f}}"
        figure["data"].append(_line(x, y, title, colour, dash, symbol, hover))
    known = (intervals or {}).get("sparse_kendall_tau", {})
    figure["data"] += _interval(rankings, known.get("low"), known.get("high"))
    # Behind the lines, though after them: what the viewer has hidden is known by its number.
    figure["data"] += [trace | {"zorder": -1} for trace in more]
    figure["layout"]["showlegend"] = True
    figure["layout"]["shapes"] = [
        {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0,
            "line": {"color": palette.GREY.css, "width": 1, "dash": "dot"},
        }
    ]  # fmt: skip
    return figure


def _interval(rankings: Rankings, low: float | None, high: float | None) -> list[dict[str, Any]]:
    """Draw the interval of the newest sparse Kendall tau as an error bar."""
    value = rankings.last("sparse_kendall_tau")
    if value is None or low is None or high is None:
        return []
    colour = palette.METRICS["sparse_kendall_tau"][0].css
    bar = {
        "type": "data", "symmetric": False, "array": [max(high - value, 0.0)],
        "arrayminus": [max(value - low, 0.0)], "color": colour, "width": 6, "thickness": 2,
    }  # fmt: skip
    return [
        {
            "type": "scatter",
            "x": [rankings.epoch[-1]],
            "y": [value],
            "error_y": bar,
            "name": "95 % interval",
            "mode": "markers",
            "marker": {"color": colour, "size": 8},
            "hovertemplate": f"95 % interval {low:.3f} to {high:.3f}<extra></extra>",
            "showlegend": False,
        }
    ]


def intervals_sentence(intervals: Mapping[str, Mapping[str, float | None]]) -> str:
    """Write the intervals of the last evaluation; empty where none is known."""
    parts = [
        f"{title} {numbers.correlation(found.get('low'))} to "
        f"{numbers.correlation(found.get('high'))}"
        for name, title in CORRELATIONS.items()
        if (found := intervals.get(name, {})).get("low") is not None
    ]
    count = next((found.get("n") for found in intervals.values() if found.get("n")), None)
    if not parts:
        return ""
    return (
        f"Last evaluation, {numbers.count(count)} architectures, 95 % bootstrap intervals: "
        f"{', '.join(parts)}."
    )


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
    way = f"near {last}" if verb == "stayed" else f"from {first} to {last}"
    return f"Sparse Kendall τ {verb} {way} by epoch {rankings.epoch[-1]}"


def accuracy(rankings: Rankings, run_id: str) -> Figure:
    """Draw the mean accuracy of the sample with the super-net's weights."""
    figure = base_figure(run_id, "epoch", "mean super-net accuracy (%)", 280)
    colour, dash, symbol = palette.METRICS["super_net_accuracy"]
    x, y = thin(rankings.epoch, rankings.metrics.get("super_net_accuracy", []))
    hover = "epoch %{x}<br>%{y:.2f} %"
    figure["data"].append(_line(x, y, "Super-net accuracy", colour, dash, symbol, hover))
    return figure


def single(epochs: Epochs, column: str, title: str, colour: palette.Colour, run_id: str) -> Figure:
    """Draw one column of the training over the epochs."""
    figure = base_figure(run_id, "epoch", title, 260)
    values = getattr(epochs, column)
    if column in FROM_ZERO:
        figure["layout"]["yaxis"]["rangemode"] = "tozero"
    x, y = thin(epochs.epoch, values)
    line = _line(x, y, title, colour, hover="epoch %{x}<br>%{y:.4g}")
    figure["data"].append(line)
    if len(x) > SMOOTHED and column in NOISY:
        line["opacity"] = 0.4
        hover = f"mean of {SMOOTHED} epochs %{{y:.4g}}"
        smooth = [running_mean(values, row) for row in kept_rows(len(values))]
        figure["data"].append(_line(x, smooth, f"Mean of {SMOOTHED}", colour, hover=hover))
    return figure


def running_mean(values: Sequence[float | None], row: int) -> float | None:
    """Return the mean of a row's value and those before it, over `SMOOTHED` in all."""
    known = [v for v in values[max(0, row + 1 - SMOOTHED) : row + 1] if v is not None]
    return sum(known) / len(known) if known else None


FORGETTING = {
    "forgetting": ("Mean", palette.ACCENT, "solid"),
    "forgetting_top": ("Best 5", palette.GREEN, "dash"),
    "forgetting_max": ("Worst", palette.VIOLET, "dot"),
}


def forgetting(epochs: Epochs, run_id: str) -> Figure:
    """Draw the error differences of multi-model forgetting over the epochs."""
    figure = base_figure(run_id, "epoch", "error difference (percentage points)", 280)
    for name, (title, colour, dash) in FORGETTING.items():
        x, y = thin(epochs.epoch, getattr(epochs, name))
        hover = f"epoch %{{x}}<br>{title} %{{y:.2f}}"
        figure["data"].append(_line(x, y, title, colour, dash, hover=hover))
    figure["layout"]["showlegend"] = True
    return figure


def landmark(epochs: Epochs, run_id: str) -> Figure:
    """Draw the landmark term, and below it its weight: two scales on one pair of axes mislead."""
    figure = base_figure(run_id, "epoch", "landmark term (loss)", 330)
    x, term, weight = thin(epochs.epoch, epochs.landmark_loss, epochs.landmark_weight)
    hover = "epoch %{x}<br>%{y:.4g}"
    lower = _line(x, weight, "Weight λ", palette.VIOLET, "dash", hover=f"{hover}")
    figure["data"] = [
        _line(x, term, "Landmark term", palette.LANDMARK, hover=hover),
        lower | {"yaxis": "y2"},
    ]
    layout = figure["layout"]
    layout["yaxis"] |= {"domain": [0.46, 1], "rangemode": "tozero", "nticks": 5}
    layout["yaxis2"] = axis("weight λ", domain=[0, 0.32], rangemode="tozero", nticks=4)
    layout["xaxis"]["anchor"] = "y2"
    return figure
