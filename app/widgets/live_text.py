"""A text area whose text counts while it is typed, not only when the viewer leaves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

SCRIPT = Path(__file__).resolve().parent.parent / "static" / "live_text.js"


@st.cache_resource(show_spinner=False)
def _mount() -> Any:
    return st.components.v2.component(
        "nas_workbench.live_text",
        html="<span hidden></span>",
        js=SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )


def listen(area: str) -> None:
    """Make what is typed into a text area count a moment after the last stroke.

    Streamlit's text areas, unlike its text inputs, cannot do that by themselves.

    Args:
        area: key of the container around it.
    """
    _mount()(key=f"{area}-live", data={"area": area}, height="content")
