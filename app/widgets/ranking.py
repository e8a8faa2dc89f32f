"""Super-net accuracy against stand-alone accuracy, one point an architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.digest import RunDigest
from app.widgets import numbers
from app.widgets.chart import base_figure
from app.widgets.palette import ACCENT, BACKGROUND, LANDMARK, RING
from app.widgets.plot import Figure

TOP = 3
MOST = 2000


@dataclass(frozen=True)
class Point:
    """One architecture of the scatter; ranks count from 1, best first."""

    text: str
    truth: float
    score: float
    truth_rank: int
    score_rank: int
    params: float | None
    flops: float | None

    @property
    def hover(self) -> str:
        """Return what is shown when the pointer rests on the point."""
        return (
            f"{self.text.replace('+', '+<br>')}<br>"
            f"stand-alone {numbers.accuracy(self.truth)} (rank {self.truth_rank})<br>"
            f"super-net {numbers.accuracy(self.score)} (rank {self.score_rank})<br>"
            f"{numbers.params(self.params)} parameters, {numbers.flops(self.flops)} FLOPs"
        )


def points(digest: RunDigest, index: int = -1) -> list[Point]:
    """Return the sample as the ranking of one evaluation saw it; -1 is the newest."""
    rankings = digest.rankings
    if not rankings.epoch:
        return []
    scores, truth = rankings.scores[index], rankings.truth[index]
    rows = [
        (entry, float(t), float(s))
        for entry, t, s in zip(digest.sample, truth, scores, strict=False)
        if t is not None and s is not None
    ]
    by_truth, by_score = _ranks([row[1] for row in rows]), _ranks([row[2] for row in rows])
    return [
        Point(e["text"], t, s, by_truth[i], by_score[i], e.get("params"), e.get("flops"))
        for i, (e, t, s) in enumerate(rows)
    ]


def _ranks(values: list[float]) -> list[int]:
    order = sorted(range(len(values)), key=lambda index: -values[index])
    ranks = [0] * len(values)
    for position, index in enumerate(order, start=1):
        ranks[index] = position
    return ranks


def scatter(sample: list[Point], landmarks: list[dict[str, Any]], run_id: str) -> Figure:
    """Draw the scatter; landmarks are diamonds, the three of best score are ringed."""
    figure = base_figure(run_id, "stand-alone accuracy (%)", "super-net accuracy (%)", height=420)
    shown = sample[:: max(1, len(sample) // MOST)]
    top = [point for point in sample if point.score_rank <= TOP]
    dot = {"size": 8, "color": ACCENT.css, "opacity": 0.65}
    ring = {"size": 16, "symbol": "circle-open", "color": RING.css, "line": {"width": 2.4}}
    figure["data"] = [
        _trace(shown, "Sampled architectures", dot),
        _trace(top, "Best 3 by super-net", ring),
    ]
    if landmarks:
        figure["data"].append(_landmark_trace(landmarks))
    figure["layout"]["showlegend"] = True
    return figure


def _trace(shown: list[Point], name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [p.truth for p in shown],
        "y": [p.score for p in shown],
        "text": [p.hover for p in shown],
        "name": name,
        "mode": "markers",
        "marker": marker,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _landmark_trace(landmarks: list[dict[str, Any]]) -> dict[str, Any]:
    edge = {"width": 1, "color": BACKGROUND.css}
    return {
        "type": "scatter",
        "x": [entry["value"] for entry in landmarks],
        "y": [entry["score"] for entry in landmarks],
        "text": [_landmark_hover(entry) for entry in landmarks],
        "name": "Landmarks",
        "mode": "markers",
        "marker": {"size": 11, "symbol": "diamond", "color": LANDMARK.css, "line": edge},
        "hovertemplate": "%{text}<extra></extra>",
    }


def _landmark_hover(entry: dict[str, Any]) -> str:
    text = str(entry["text"]).replace("+", "+<br>")
    return (
        f"{text}<br>held-out, stand-alone {numbers.accuracy(entry['value'])}<br>"
        f"super-net {numbers.accuracy(entry['score'])}<br>"
        f"landmark since round {entry['round']}"
    )


def sentence(sample: list[Point], tau: float | None) -> str:
    """Say how well the super-net orders the sample."""
    return (
        f"The super-net orders {len(sample)} architectures with Kendall τ = "
        f"{numbers.correlation(tau)}"
    )


def columns(sample: list[Point]) -> dict[str, list[Any]]:
    """Return the points as columns for CSV."""
    names = ("text", "truth", "score", "truth_rank", "score_rank", "params", "flops")
    return {name: [getattr(point, name) for point in sample] for name in names}


def landmarks(digest: RunDigest, index: int = -1) -> list[dict[str, Any]]:
    """Return the landmarks as one evaluation scored them; -1 is the newest."""
    if not digest.rankings.epoch:
        return []
    # Scores are in the order in which the landmarks were announced.
    pairs = zip(digest.landmarks.values(), digest.rankings.landmark_scores[index], strict=False)
    return [entry | {"score": score} for entry, score in pairs]
