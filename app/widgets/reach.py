"""Keyboard reach for parts that scroll; see `static/reach.js`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

SCRIPT = Path(__file__).resolve().parent.parent / "static" / "reach.js"


def reach() -> None:
    """Load the script, once a page."""
    script = SCRIPT.read_text(encoding="utf-8")
    with st.container(key="reach", height=1, border=False):
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
