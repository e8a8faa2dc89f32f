"""Stand-alone accuracies as they become known, before there is a ranking to look at."""

from __future__ import annotations

from typing import Any

from app.digest import RunDigest
from app.widgets import numbers
from app.widgets.chart import base_figure, thin
from app.widgets.palette import ACCENT, LANDMARK
from app.widgets.plot import Figure
from engine.events import Event

KINDS = {
    "sample": ("Correlation sample", ACCENT, "circle"),
    "landmark": ("Landmarks", LANDMARK, "diamond"),
}


def known(digest: RunDigest) -> dict[str, list[Event]]:
    """Return what is known of sample and landmarks, in the order it was learned."""
    return {kind: [e for e in digest.truths if e["purpose"] == kind] for kind in KINDS}


def figure(digest: RunDigest, run_id: str) -> Figure:
    """Draw one point an architecture, in the order they were trained."""
    drawn = base_figure(run_id, "architectures, in the order they were trained",
                        "stand-alone accuracy (%)", height=300)  # fmt: skip
    order = {id(event): place for place, event in enumerate(digest.truths, start=1)}
    for kind, events in known(digest).items():
        if events:
            drawn["data"].append(_trace(kind, events, order))
    drawn["layout"]["showlegend"] = True
    return drawn


def _trace(kind: str, events: list[Event], order: dict[int, int]) -> dict[str, Any]:
    title, colour, symbol = KINDS[kind]
    x, y, text = thin(
        [order[id(event)] for event in events],
        [event["value"] for event in events],
        [f"{event['text']}<br>{numbers.accuracy(event['value'])}" for event in events],
    )
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "text": text,
        "name": title,
        "mode": "markers",
        "marker": {"size": 9, "symbol": symbol, "color": colour.css, "opacity": 0.8},
        "hovertemplate": "%{text}<extra></extra>",
    }


def sentence(digest: RunDigest) -> str:
    """Say how many accuracies are known and how far they spread."""
    values = [event["value"] for events in known(digest).values() for event in events]
    low, high = numbers.accuracy(min(values)), numbers.accuracy(max(values))
    if len(values) == 1:
        return f"The first architecture reaches {low} by itself"
    return f"{len(values)} architectures trained by themselves reach {low} to {high}"


def columns(digest: RunDigest) -> dict[str, list[Any]]:
    """Return the accuracies as columns for CSV."""
    events = [event for events in known(digest).values() for event in events]
    return {name: [event[name] for event in events] for name in ("purpose", "text", "value")}
