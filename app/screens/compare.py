"""Runs and groups of runs side by side."""

from __future__ import annotations

from app import links
from app.widgets.empty import empty


def render() -> None:
    """Draw the page."""
    links.heading("Compare")
    empty("Nothing to compare yet", "Runs and groups of runs side by side.")


render()
