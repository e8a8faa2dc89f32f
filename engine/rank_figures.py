"""How well a super-net ranks many architectures, where the truth of all of them is known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from engine.metrics import ranking_correlations, ranking_metrics
from engine.rank import Ranking

RESAMPLES = 1000
# Above it a resample takes tenths of a second, and the interval is a thousandth wide.
MANY, RESAMPLES_OF_MANY = 50_000, 100


def ranking_figures(ranking: Ranking) -> dict[str, Any]:
    """Return correlations with intervals, and the metrics of the ranking.

    Landmarks are left out, since the super-net was told their order. Kendall's tau is computed by
    sorting, O(n log n), so that a whole space takes milliseconds.

    Returns:
        `n` architectures that count, `landmarks` left out, `known` those with a ground truth;
        `correlations` by name as value, low, high and n, from `resamples` bootstrap resamples;
        `metrics` as in `ranking_metrics`, ranks being those among these architectures. The last
        three are None unless the truth of all is known.
    """
    kept = ~ranking.landmarks
    truth, scores = ranking.truth[kept], ranking.scores[kept]
    known = int((~np.isnan(truth)).sum())
    figures: dict[str, Any] = {
        "run_id": ranking.run_id,
        "space": ranking.space,
        "n": int(kept.sum()),
        "landmarks": int(ranking.landmarks.sum()),
        "known": known,
        "threshold": ranking.threshold,
        "resamples": None,
        "correlations": None,
        "metrics": None,
    }
    if known < len(truth) or not known:
        return figures
    resamples = RESAMPLES if known <= MANY else RESAMPLES_OF_MANY
    correlations = ranking_correlations(truth, scores, ranking.threshold, resamples=resamples)
    return figures | {
        "resamples": resamples,
        "correlations": {name: asdict(value) for name, value in correlations.items()},
        "metrics": ranking_metrics(truth, scores, ranking.threshold, population=truth),
    }


def figures_text(figures: dict[str, Any]) -> str:
    """Write the figures as lines for a terminal."""
    count = f"{figures['n']:,} architectures"
    if figures["landmarks"]:
        count += f" ({figures['landmarks']} landmarks left out)"
    if figures["correlations"] is None:
        return (
            f"{count}; the ground truth of {figures['known']:,} is known, so that there is no "
            "correlation over all of them."
        )
    lines = [count]
    for name, found in figures["correlations"].items():
        value = "undefined" if found["value"] is None else f"{found['value']:.4f}"
        if found["low"] is not None:
            value += f"  [{found['low']:.4f}, {found['high']:.4f}]"
        lines.append(f"{name.replace('_', ' ')}: {value}")
    return "\n".join(lines)
