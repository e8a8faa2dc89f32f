"""What all runs have found."""

from __future__ import annotations

from app import links
from app.widgets.empty import empty


def render() -> None:
    """Draw the page."""
    links.heading("Architectures")
    empty("No architecture has been found yet", "What all runs have found.")


render()
