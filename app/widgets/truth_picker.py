"""Where stand-alone accuracies come from: training, or a table that is chosen, not typed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import ground_truths, links
from app.widgets import numbers
from app.widgets.form_from_schema import Form, help_of
from app.widgets.schema import Field, at, find

PATH = "evaluation.ground_truth"
_PICKED = ("table", "column", "landmark_column")


def draw(field: Field, form: Form) -> None:
    """Draw the section `evaluation.ground_truth`.

    Args:
        field: the section.
        form: where it is drawn.
    """
    picked = tuple(f"{PATH}.{name}" for name in _PICKED)
    st.markdown(f"**{form.label(field)}**", help=field.help)
    form.section(field.fields, picked)
    if at(form.current, f"{PATH}.source") == "table" or set(picked) & set(form.faults):
        _table(field, form)


def _table(field: Field, form: Form) -> None:
    space = str(at(form.current, "space"))
    known = {truth.name: truth for truth in ground_truths.of_space(space)}

    def written(name: str) -> str:
        rows = f" · {numbers.count(known[name].rows)} architectures" if name in known else ""
        return f"{name}{rows}"

    table = find(field.fields, f"{PATH}.table")
    _select(table, form, list(known), "Choose a table, or type the path of a CSV file", written)
    if not known:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("No imported table is about this space.")
            st.page_link(links.TABLES, label="Import one", icon=":material/table_chart:")
    columns = ground_truths.columns_of(str(at(form.current, f"{PATH}.table") or ""), space)
    for name in _PICKED[1:]:
        column = find(field.fields, f"{PATH}.{name}")
        if form.matters(column):
            _select(column, form, columns, "Choose a column" if columns else "Type a column")


def _select(field: Field, form: Form, options: list[str], hint: str, written: Any = str) -> None:
    key = f"{form.key}:{field.path}"
    start = at(form.base, field.path)
    now = st.session_state.get(key, start)
    every = list(dict.fromkeys([*options, *(one for one in (start, now) if one)]))
    st.selectbox(
        form.label(field),
        every,
        index=every.index(start) if start in every else None,
        key=key,
        format_func=written,
        accept_new_options=True,
        placeholder=hint,
        help=help_of(field),
        persist_state="session",
    )
    form.fault(field.path)
