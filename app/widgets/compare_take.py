"""The comparison table as text for papers, notes and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from engine.compare import ComparisonTable

# What it is called, how the engine calls it, ending, type.
_FORMS = {
    "Markdown": ("markdown", "md", "text/markdown"),
    "LaTeX": ("latex", "tex", "application/x-tex"),
    "CSV": ("csv", "csv", "text/csv"),
}
_PAPER, _ALL = "As in the paper", "All figures"


def draw(table: ComparisonTable) -> None:
    """Draw the choice of form, the text with a button that copies it, and the download."""
    with st.expander("Copy or download the table", icon=":material/content_copy:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            form = st.segmented_control(
                "Form", list(_FORMS), default="Markdown", required=True, key="table-form"
            )
            layout = st.segmented_control(
                "Layout",
                [_PAPER, _ALL],
                default=_PAPER,
                required=True,
                key="table-layout",
                help="All figures: Kendall τ, Spearman ρ, agreement between seeds, chance to "
                "surpass random, random architectures and random search beside each setting",
            )
            name, ending, mime = _FORMS[form or "Markdown"]
            text = written(table, name, layout or _PAPER)
            st.download_button(
                "Download",
                data=text + "\n",
                file_name=f"comparison.{ending}",
                mime=mime,
                key="table-download",
                icon=":material/download:",
                on_click="ignore",
            )
        st.code(text, language=None, height=260)


def written(table: ComparisonTable, form: str, layout: str) -> str:
    """Return the table as text in a form of `engine.compare.FORMATS`."""
    from engine.compare import render, render_landmark

    return render_landmark(table, form) if layout == _PAPER else render(table, form)
