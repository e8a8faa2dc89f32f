"""Images to search on."""

from __future__ import annotations

from app import links
from app.widgets.empty import empty


def render() -> None:
    """Draw the page."""
    links.heading("Datasets")
    empty("No data set", "Images to search on.")


render()
