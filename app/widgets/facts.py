"""Names and values side by side."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st


def facts(pairs: Mapping[str, object]) -> None:
    """Draw a list of facts; empty ones are an en dash."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value if value not in (None, '') else '–'))}</dd>"
        for name, value in pairs.items()
    )
    st.html(f'<dl class="nw-facts nw-small">{rows}</dl>')
