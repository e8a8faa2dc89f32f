"""Figures that others have printed for a setting, as dashed lines with their source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.widgets import numbers, palette
from engine.spec.experiment import PublishedFigure

LONGEST = 46  # letters of a source beside a line; all of it is shown under the pointer


def lines(
    published: Mapping[str, PublishedFigure],
    titles: Mapping[str, str],
    epochs: Sequence[int],
    scale: float = 1.0,
) -> list[dict[str, Any]]:
    """Draw one line for each printed figure that the chart has a curve of.

    Args:
        published: printed figures by metric.
        titles: of the chart's curves by metric; other figures are left out.
        epochs: ascending; a line spans them from 0.
        scale: turns the printed unit into the chart's.
    """
    end = epochs[-1] if epochs else 1
    drawn = []
    for name, title in titles.items():
        if name in published:
            colour, _, _ = palette.METRICS[name]
            one = published[name]
            drawn.append(_line(title, one.value * scale, one.source, end, colour))
    return drawn


def _line(
    title: str, value: float, source: str, end: int, colour: palette.Colour
) -> dict[str, Any]:
    words = f"{title} as printed: {value:.4g}<br>{_wrapped(source)}"
    return {
        "type": "scatter",
        "x": [0, end],
        "y": [value, value],
        "name": f"Printed {title}",
        "mode": "lines+text",
        "line": {"color": colour.css, "dash": "longdash", "width": 1.6},
        "text": [f"{value:.4g} · {escape(_short(source))}", ""],
        "textposition": "top right",
        "textfont": {"color": colour.css, "size": 12},
        "hovertext": [words, words],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _short(source: str) -> str:
    return source if len(source) <= LONGEST else source[: LONGEST - 1].rstrip() + "…"


def _wrapped(source: str) -> str:
    """Break a long source into lines that a hover box can hold."""
    rows, row = [], ""
    for word in source.split():
        if row and len(row) + len(word) > 50:
            rows.append(row)
            row = ""
        row = f"{row} {word}".strip()
    return "<br>".join(escape(one) for one in [*rows, row])


def sentence(
    published: Mapping[str, PublishedFigure],
    metrics: Mapping[str, Any],
    titles: Mapping[str, str],
) -> str:
    """Write every printed figure beside what is measured here; empty without printed figures.

    Args:
        published: printed figures by metric.
        metrics: the latest measured ones.
        titles: of metrics; those without one stand under their own name.
    """
    parts = [
        f"{titles.get(name, name)} {numbers.metric(name, one.value)} in print, "
        f"{numbers.metric(name, metrics.get(name))} here ({one.source})"
        for name, one in published.items()
    ]
    return f"{'; '.join(parts)}." if parts else ""
