"""How many images each class has, in each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.widgets import palette
from app.widgets.chart import Columns, base_figure
from app.widgets.plot import Figure

# Part -> name, colour, filled, symbol: parts are told apart without colour too.
PARTS = {
    "train": ("Training", palette.ACCENT, True, "circle"),
    "held_out": ("Held-out", palette.ORANGE, False, "square-open"),
    "test": ("Test", palette.VIOLET, True, "triangle-up"),
}
MOST_BARS = 40
"""Bars of more classes would be thinner than a line; they are drawn as points."""

Counts = Mapping[str, Sequence[int]]


def figure(name: str, classes: Sequence[str], counts: Counts) -> Figure:
    """Draw a bar per class and part.

    Args:
        name: of the data set; the zoom is kept as long as it stays the same.
        classes: their names.
        counts: images per class of each part, keyed as `PARTS`.
    """
    drawn = base_figure(name, "class", "images")
    places = list(range(len(classes)))
    for part, values in counts.items():
        title, colour, filled, symbol = PARTS[part]
        line = {"color": colour.css, "width": 1.5}
        look: dict[str, Any] = {"type": "scatter", "mode": "markers"}
        look["marker"] = {"color": colour.css, "symbol": symbol, "size": 7}
        if len(classes) <= MOST_BARS:
            fill = colour.css if filled else "rgba(0,0,0,0)"
            look = {"type": "bar", "marker": {"color": fill, "line": line}}
        drawn["data"].append(
            {
                "name": title,
                "x": places,
                "y": list(values),
                "text": list(classes),
                "hovertemplate": f"%{{text}}<br>{title}: %{{y:,}} images<extra></extra>",
            }
            | look
            | ({"textposition": "none"} if look["type"] == "bar" else {})
        )
    step = -(-len(classes) // 25)
    drawn["layout"]["xaxis"] |= {"tickvals": places[::step], "ticktext": list(classes[::step])}
    drawn["layout"]["yaxis"]["rangemode"] = "tozero"
    drawn["layout"] |= {"barmode": "group", "bargap": 0.25, "showlegend": len(counts) > 1}
    return drawn


def bars(counts: Sequence[int], label: str) -> str:
    """Return a small SVG with a bar per class, for a card; `label` says what it shows."""
    high, wide = max(max(counts), 1), len(counts)
    gap = 0.25 if wide <= 40 else 0.0
    drawn = "".join(
        f'<rect x="{place + gap / 2:.3f}" y="{1 - count / high:.3f}" width="{1 - gap}" '
        f'height="{count / high:.3f}"/>'
        for place, count in enumerate(counts)
    )
    return (
        f'<svg role="img" aria-label="{escape(label, quote=True)}" viewBox="0 0 {wide} 1" '
        f'preserveAspectRatio="none" style="width:100%;height:2.2rem;display:block;'
        f'fill:{palette.ACCENT.css}">{drawn}</svg>'
    )


def columns(classes: Sequence[str], counts: Counts) -> Columns:
    """Return the data behind the chart."""
    return {"class": list(classes)} | {part: list(values) for part, values in counts.items()}


def sentence(counts: Sequence[int]) -> str:
    """Say how even the classes are."""
    low, high = min(counts), max(counts)
    if low == high:
        return f"Every class has {low:,} training images"
    if high <= 1.25 * low:
        return f"The classes are nearly even, with {low:,} to {high:,} training images each"
    if high <= 2 * low:
        return f"The classes differ in size, with {low:,} to {high:,} training images each"
    return f"The classes are uneven, with {low:,} to {high:,} training images each"
