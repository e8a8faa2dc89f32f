"""The browser application: navigation, look, and where faults become sentences."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # `streamlit run` puts only this file's own folder on the path
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app import links  # noqa: E402
from app.guard import shielded  # noqa: E402
from app.widgets import brand, frame, palette  # noqa: E402


def main() -> None:
    """Draw the frame and the chosen page."""
    st.set_page_config(page_title="NAS Workbench", page_icon=brand.favicon(), layout="wide")
    frame.load()
    theme = palette.theme()
    st.logo(brand.logo(theme), size="large", icon_image=brand.mark(theme))
    page = st.navigation(links.pages(), position="sidebar")
    shielded(page.run)()


main()
