"""Ground truth: imported benchmarks and the lab's own results."""

from __future__ import annotations

from app import links
from app.widgets.empty import empty


def render() -> None:
    """Draw the page."""
    links.heading("Tables")
    empty(
        "No table has been imported yet",
        "Ground truth: imported benchmarks and the lab's own results.",
    )


render()
