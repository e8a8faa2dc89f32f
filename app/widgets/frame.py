"""Our style and script, which every page loads once.

Both stand in a container of the page itself. A `st.html` of nothing but a style would go to the
place of the notices, and the first notice of a fragment would replace it.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

STATIC = Path(__file__).resolve().parent.parent / "static"


def load() -> None:
    """Load style and script."""
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    script = (STATIC / "reach.js").read_text(encoding="utf-8")
    with st.container(key="frame", height=1, border=False):
        st.html(
            f"<style>{style}</style><script>{script}</script><span></span>",
            unsafe_allow_javascript=True,
        )
