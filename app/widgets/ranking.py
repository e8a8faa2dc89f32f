"""Super-net accuracy against stand-alone accuracy, one point an architecture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np

from app.digest import RunDigest
from app.widgets import numbers
from app.widgets.chart import base_figure
from app.widgets.palette import ACCENT, BACKGROUND, LANDMARK, RING, VIOLET, Colour
from app.widgets.plot import Figure
from engine.metrics.disorder import disorder

TOP = 3
MOST = 2000
FEW = 8  # below it quartiles say little
FENCE, EDGE = 3.0, 0.06


@dataclass(frozen=True)
class Point:
    """One architecture of the sample; ranks count from 1, best first, see `engine.metrics`."""

    text: str
    indices: tuple[int, ...]
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
            f"{_broken(self.text)}<br>"
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
    order = disorder([row[1] for row in rows], [row[2] for row in rows])
    by_truth, by_score = order.truth_rank.tolist(), order.score_rank.tolist()
    return [
        Point(
            e["text"], tuple(e.get("indices") or ()), t, s, by_truth[i], by_score[i],
            e.get("params"), e.get("flops"),
        )
        for i, (e, t, s) in enumerate(rows)
    ]  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """Something at a place of the scatter."""

    x: float
    y: float
    hover: str
    indices: tuple[int, ...]
    colour: Colour

    def within(self, frame: Frame) -> Mark:
        """Return the mark moved to the nearest place of a frame."""
        x = min(max(self.x, frame.left), frame.right)
        return replace(self, x=x, y=min(max(self.y, frame.low), frame.high))


@dataclass(frozen=True)
class Frame:
    """The part of the scatter that is drawn; infinite where nothing is cut off."""

    left: float
    right: float
    low: float
    high: float

    def holds(self, mark: Mark) -> bool:
        """Tell whether a mark lies inside."""
        return self.left <= mark.x <= self.right and self.low <= mark.y <= self.high

    def symbol(self, mark: Mark) -> str:
        """Return the triangle that points to where a mark outside is."""
        if mark.y < self.low:
            return "triangle-down"
        if mark.y > self.high:
            return "triangle-up"
        return "triangle-left" if mark.x < self.left else "triangle-right"


EVERYTHING = Frame(-math.inf, math.inf, -math.inf, math.inf)


def frame(sample: Sequence[Point]) -> Frame:
    """Return the frame that a few far outliers do not stretch.

    A point is outside where it is more than three times the distance between the quartiles away
    from the nearer quartile (Tukey's outer fences). The frame ends a little beyond the last point
    inside, so that what is outside can be drawn at its edge.
    """
    left, right = _fences([point.truth for point in sample])
    low, high = _fences([point.score for point in sample])
    return Frame(left, right, low, high)


def _fences(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < FEW:
        return -math.inf, math.inf
    lower, upper = (float(value) for value in np.quantile(values, (0.25, 0.75)))
    reach = FENCE * (upper - lower)
    if reach == 0:  # most values are equal: the fence would cut off all others
        return -math.inf, math.inf
    inside = [value for value in values if lower - reach <= value <= upper + reach]
    room = EDGE * (max(inside) - min(inside))
    left = min(inside) - room if min(values) < min(inside) else -math.inf
    return left, max(inside) + room if max(values) > max(inside) else math.inf


def marks(sample: Sequence[Point]) -> list[Mark]:
    """Return the sampled architectures as marks."""
    return [Mark(p.truth, p.score, p.hover, p.indices, ACCENT) for p in sample]


def landmark_marks(landmarks: Sequence[dict[str, Any]]) -> list[Mark]:
    """Return the landmarks as marks."""
    return [
        Mark(e["value"], e["score"], _landmark_hover(e), tuple(e.get("indices") or ()), LANDMARK)
        for e in landmarks
    ]


def scatter(
    sample: Sequence[Point],
    landmarks: Sequence[dict[str, Any]],
    run_id: str,
    inside: Frame = EVERYTHING,
    chosen: Sequence[int] = (),
) -> Figure:
    """Draw the scatter; landmarks are diamonds, the three of best score are ringed.

    What lies outside the frame stands as a triangle at its edge: the axes still find their range
    by themselves, and keep the viewer's zoom.

    Args:
        sample: of one evaluation.
        landmarks: as that evaluation scored them.
        run_id: keeps the zoom.
        inside: what is drawn in its true place.
        chosen: option indices of the architecture that is framed.
    """
    figure = base_figure(run_id, "stand-alone accuracy (%)", "super-net accuracy (%)", height=420)
    shown = marks(sample[:: max(1, len(sample) // MOST)])
    known = landmark_marks(landmarks)
    top = [mark.within(inside) for mark in marks([p for p in sample if p.score_rank <= TOP])]
    ring = {"size": 16, "symbol": "circle-open", "color": RING.css, "line": {"width": 2.4}}
    dot = {"size": 8, "color": ACCENT.css, "opacity": 0.65}
    figure["data"] = [
        _trace([mark for mark in shown if inside.holds(mark)], "Sampled architectures", dot),
        _trace(top, "Best 3 by super-net", ring),
    ]
    if known:
        edge = {"width": 1, "color": BACKGROUND.css}
        diamond = {"size": 11, "symbol": "diamond", "color": LANDMARK.css, "line": edge}
        kept = [mark for mark in known if inside.holds(mark)]
        figure["data"].append(_trace(kept, "Landmarks", diamond))
    outside = [mark for mark in [*shown, *known] if not inside.holds(mark)]
    if outside:
        figure["data"].append(_outside(outside, inside))
    framed = [mark.within(inside) for mark in [*shown, *known] if mark.indices == tuple(chosen)]
    if chosen and framed:
        square = {"size": 20, "symbol": "square-open", "color": VIOLET.css, "line": {"width": 2.4}}
        figure["data"].append(_trace(framed, "Chosen", square))
    figure["layout"]["showlegend"] = True
    return figure


def _outside(outside: Sequence[Mark], inside: Frame) -> dict[str, Any]:
    marker = {
        "size": 11,
        "symbol": [inside.symbol(mark) for mark in outside],
        "color": [mark.colour.css for mark in outside],
    }
    moved = [replace(m, hover=f"Outside the drawn range<br>{m.hover}") for m in outside]
    return _trace([mark.within(inside) for mark in moved], "Outside the range", marker)


def outside_count(
    sample: Sequence[Point], landmarks: Sequence[dict[str, Any]], inside: Frame
) -> int:
    """Return how many architectures lie outside a frame."""
    everything = [*marks(sample), *landmark_marks(landmarks)]
    return sum(not inside.holds(mark) for mark in everything)


def _trace(shown: Sequence[Mark], name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [mark.x for mark in shown],
        "y": [mark.y for mark in shown],
        "text": [mark.hover for mark in shown],
        "customdata": [list(mark.indices) for mark in shown],
        "name": name,
        "mode": "markers",
        "marker": marker,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _landmark_hover(entry: dict[str, Any]) -> str:
    return (
        f"{_broken(str(entry['text']))}<br>"
        f"held-out, stand-alone {numbers.accuracy(entry['value'])}<br>"
        f"super-net {numbers.accuracy(entry['score'])}<br>"
        f"landmark since round {entry['round']}"
    )


def _broken(text: str) -> str:
    """Break the text of an architecture into lines that a hover box can hold."""
    return escape(text).replace("+", "+<br>")


def sentence(sample: Sequence[Point], tau: float | None, epoch: int) -> str:
    """Say how well the super-net orders the sample at an epoch."""
    return (
        f"At epoch {epoch} the super-net orders {len(sample)} architectures with "
        f"Kendall\u00a0τ\u00a0=\u00a0{numbers.correlation(tau)}"
    )


def columns(sample: Sequence[Point]) -> dict[str, list[Any]]:
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
