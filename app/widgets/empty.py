"""Words where there is nothing to draw yet."""

from __future__ import annotations

from html import escape

import streamlit as st


def empty(title: str, explanation: str) -> None:
    """Say what will stand here, and when."""
    st.html(f'<div class="nw-empty"><h4>{escape(title)}</h4><p>{escape(explanation)}</p></div>')
