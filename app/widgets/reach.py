"""Keyboard reach for parts that scroll; see `static/reach.js`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

SCRIPT = Path(__file__).resolve().parent.parent / "static" / "reach.js"


@st.cache_resource(show_spinner=False)
def _mount() -> Any:
    return st.components.v2.component(
        "nas_workbench.reach", js=SCRIPT.read_text(encoding="utf-8"), isolate_styles=False
    )


def reach() -> None:
    """Mount the script, once a page."""
    with st.container(key="reach", height=1, border=False):
        _mount()(key="reach-script")
