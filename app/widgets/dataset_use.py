"""The way from a data set to a new experiment."""

from __future__ import annotations

import streamlit as st

from app import drafts, links
from app.lab_datasets import Known


def use_button(item: Known) -> None:
    """Draw the button that takes the data set into the experiment being set up."""
    if st.button(
        "Use in a new experiment",
        key=f"use-{item.name}",
        icon=":material/add_circle:",
        help="Everything else of the experiment that you are setting up stays as it is",
    ):
        preview = item.preview
        data = item.spec.model_dump(mode="json")
        if preview is not None and preview.height != preview.width:  # networks take squares
            data["resolution"] = min(preview.height, preview.width)
        drafts.change("data", data)
        st.switch_page(links.NEW)
