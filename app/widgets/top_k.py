"""How many of the truly best architectures the super-net has among its own best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.widgets import numbers, palette
from app.widgets.chart import base_figure, thin
from app.widgets.plot import Figure

TOP = 10


def overlaps(truth: Sequence[float], score: Sequence[float]) -> list[float]:
    """Return for k = 1 to n the share of the k best by truth among the k best by score.

    Larger is better; ties in the order of the input, as for `engine.metrics.top_k_overlap`.

    Args:
        truth: ground truth of n architectures.
        score: their scores.
    """
    shares, seen, common = [], set[int](), 0
    for k, pair in enumerate(zip(_best_first(truth), _best_first(score), strict=True), start=1):
        for one in pair:
            common += one in seen
            seen.add(one)
        shares.append(common / k)
    return shares


def _best_first(values: Sequence[float]) -> list[int]:
    return sorted(range(len(values)), key=lambda index: -values[index])


def figure(shares: Sequence[float], run_id: str) -> Figure:
    """Draw the overlap over k, and what a ranking without any sense would have."""
    drawn = base_figure(run_id, "k, number of best architectures", "found of the true top k (%)",
                        height=280)  # fmt: skip
    n = len(shares)
    k, percent = thin(range(1, n + 1), [100 * share for share in shares])
    drawn["data"] = [
        _line(k, percent, "Super-net", palette.ACCENT, "solid", "%{y:.0f} % of the true top %{x}"),
        _line(k, [100 * one / n for one in k], "Random order", palette.GREY, "dash",
              "chance: %{y:.0f} %"),
    ]  # fmt: skip
    drawn["layout"]["showlegend"] = True
    drawn["layout"]["yaxis"] |= {"rangemode": "tozero"}
    return drawn


def _line(
    x: Sequence[Any], y: Sequence[Any], name: str, colour: palette.Colour, dash: str, hover: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": name,
        "mode": "lines",
        "line": {"color": colour.css, "dash": dash, "width": 2.2},
        "hovertemplate": f"{hover}<extra></extra>",
    }


def sentence(shares: Sequence[float]) -> str:
    """Say how the overlap of the first ten compares with chance."""
    if not shares:
        return "No architecture has both a score and a ground truth yet"
    k = min(TOP, len(shares))
    chance = numbers.share(k / len(shares))
    return (
        f"The super-net's top {k} has {round(shares[k - 1] * k)} of the true top {k} "
        f"({numbers.share(shares[k - 1])}; chance gives {chance})"
    )


def columns(shares: Sequence[float]) -> dict[str, list[Any]]:
    """Return the overlap as columns for CSV."""
    n = len(shares)
    ks = list(range(1, n + 1))
    return {"k": ks, "overlap": list(shares), "random_overlap": [k / n for k in ks]}
