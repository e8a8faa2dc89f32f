"""A line the size of a word."""

from __future__ import annotations

from collections.abc import Sequence

from app.widgets.palette import ACCENT

WIDTH, HEIGHT, EDGE = 150, 34, 4
MOST = 80


def sparkline(values: Sequence[float | None], label: str) -> str:
    """Return SVG text of a small curve with its last point marked; empty below two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    step = max(1, len(known) // MOST)
    shown = [*known[:-1:step], known[-1]]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    points = [
        (
            EDGE + (WIDTH - 2 * EDGE) * index / (len(shown) - 1),
            HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - low) / span,
        )
        for index, value in enumerate(shown)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (
        f'<svg role="img" aria-label="{label}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" style="color:{ACCENT.css}">'
        f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.8" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.8" fill="currentColor"/></svg>'
    )
