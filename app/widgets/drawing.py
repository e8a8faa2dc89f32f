"""Our own SVG within a page, where it takes the page's colours."""

from __future__ import annotations

import streamlit as st


def drawing(markup: str) -> None:
    """Draw trusted markup with inline SVG; whatever a user wrote in it must be escaped.

    `st.html` removes SVG, and an image could not follow the theme.
    """
    st.markdown(markup.replace("\n", " "), unsafe_allow_html=True)
