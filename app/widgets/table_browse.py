"""Looking into one sheet: spread, best rows, compromises, agreement, look-up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from app import lab_tables
from app import table_address as address
from app.sheet import Mask, Sheet, Values, best_rows
from app.widgets import table_agreement_view, table_histogram, table_network
from app.widgets import table_scatter as scatter
from app.widgets import table_top as top
from app.widgets.chart import show
from app.widgets.empty import empty
from app.widgets.plain import plain
from app.widgets.table_units import COSTS, axis_unit, descending, unscaled, written
from engine.spec.errors import ArchitectureError
from engine.tables.columns import PERCENT, Column

SHARES = {"All": 1.0, "Best 50 %": 0.5, "Best 10 %": 0.1, "Best 1 %": 0.01}


def draw(sheet: Sheet) -> None:
    """Draw the controls that all views share, then the views."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = _column_box(sheet, "Column", "column", sheet.columns, 0)
        share = 1.0
        if column.unit == PERCENT:
            label = st.segmented_control(
                "Architectures",
                list(SHARES),
                default="All",
                key="share",
                required=True,
                bind="query-params",
                help="Only the best by the chosen accuracy: rankings of good architectures agree "
                "less than those of all.",
            )
            share = SHARES[label or "All"]
    tabs = st.tabs(list(_VIEWS), key="view", on_change="rerun", bind="query-params")
    for tab, view in zip(tabs, _VIEWS.values(), strict=True):
        if tab.open:
            with tab:
                view(sheet, column, share)


def _column_box(
    sheet: Sheet, label: str, key: str, columns: tuple[Column, ...] | list[Column], start: int
) -> Column:
    names = [column.name for column in columns]
    name = st.selectbox(
        label,
        names,
        index=min(start, len(names) - 1),
        key=key,
        bind="query-params",
        width=340,
    )
    return sheet.column(str(name))


def _kept(sheet: Sheet, column: Column, share: float) -> Mask:
    """Return which rows the viewer wants to see."""
    values = sheet.values(column.name)
    return best_rows(values, share) if column.unit == PERCENT else ~np.isnan(values)


def _read(sheet: Sheet, name: str) -> Values:
    """Return a column; where the space has to count first, say so."""
    with st.spinner(f"Reading {name}; counting takes a few seconds the first time"):
        return sheet.values(name)


# -- spread and best rows -------------------------------------------------------------------------
def _distribution(sheet: Sheet, column: Column, share: float) -> None:
    values = _read(sheet, column.name)[_kept(sheet, column, share)]
    if not len(values):
        empty("This column is empty", "Choose another one.")
        return
    unit = axis_unit(column)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.number_input(
            f"Where would a value of yours lie? ({unit})" if unit else "A value of yours",
            value=None,
            key="value",
            bind="query-params",
            format="%.6g",
            placeholder="a number",
            width=300,
        )
        value = None if typed is None else unscaled(column, typed)
        if value is not None:
            st.markdown(table_histogram.place_of(column, values, value), width="stretch")
    show(
        table_histogram.sentence(column, values),
        table_histogram.figure(column, values, value, f"{sheet.stamp}-{column.name}-{share}"),
        "table-histogram",
        table_histogram.columns(column, values),
        note="Bins of the width of Freedman and Diaconis (1981).",
    )
    _known(sheet, column)


def _known(sheet: Sheet, column: Column) -> None:
    known = int(np.sum(~np.isnan(sheet.values(column.name))))
    if known < sheet.rows:
        counted = column.name not in sheet.source_columns
        word = "Counted for" if counted else "Known for"
        more = ": evenly spread ones and the best" if counted else ""
        st.caption(f"{word} {known:,} of {sheet.rows:,} architectures{more}.")


def _top(sheet: Sheet, column: Column, share: float) -> None:
    _read(sheet, column.name)
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        with st.container(horizontal=True):
            start = "Largest" if descending(column) else "Smallest"
            order = st.segmented_control(
                "First",
                ["Largest", "Smallest"],
                default=start,
                key=f"order-{start}",
                required=True,
            )
            count = st.segmented_control(
                "Rows", top.COUNTS, default=top.COUNTS[0], key="rows", required=True
            )
        row = top.draw(sheet, column, order == "Largest", int(count or top.COUNTS[0]))
    if row is None:
        empty("This column is empty", "Choose another one.")
        return
    with right:
        table_network.draw(sheet, row, "top")


# -- compromises --------------------------------------------------------------------------------
def _scatter(sheet: Sheet, column: Column, share: float) -> None:
    others = [c for c in sheet.columns if c.name != column.name]
    if not others:
        empty("There is nothing to compare with", "This table has a single column.")
        return
    units = [c.unit for c in others]
    start = next((units.index(u) for u in ("parameters", *COSTS) if u in units), 0)
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        across = _column_box(sheet, "Against", "against", others, start)
        kept = _kept(sheet, column, share)
        x = across, np.where(kept, _read(sheet, across.name), np.nan)
        y = column, np.where(kept, _read(sheet, column.name), np.nan)
        best = _best(sheet, column)
        row = _picked(sheet)
        clicked = show(
            scatter.sentence(x, y, lab_tables.correlation(x[1], y[1], "spearman")),
            scatter.figure(x, y, sheet.text, best if row is None else row, _zoom(sheet, x, y)),
            "table-scatter",
            scatter.columns(x, y, sheet.text),
            note="Click on a point to see its network.",
        )
        _drawn_words(x[1], y[1])
        _known(sheet, across)
    if clicked is not None:
        st.query_params[address.ROW] = str(int(clicked))
        st.rerun()
    with right:
        st.markdown("**The best one**" if row is None else "**The one you clicked on**")
        table_network.draw(sheet, best if row is None else row, "scatter")


def _zoom(sheet: Sheet, x: tuple[Column, Values], y: tuple[Column, Values]) -> str:
    return f"{sheet.stamp}-{x[0].name}-{y[0].name}"


def _drawn_words(x: Values, y: Values) -> None:
    known = int(np.sum(np.isfinite(x) & np.isfinite(y)))
    drawn = len(scatter.drawn_rows(x, y))
    if drawn < known:
        st.caption(
            f"Drawn are {drawn:,} of {known:,}: all extremes, one of every small area, and others "
            "at random. CSV has all. Click on a point to see its network."
        )
    else:
        st.caption("Click on a point to see its network.")


def _picked(sheet: Sheet) -> int | None:
    """Return the row that the address names."""
    text = st.query_params.get(address.ROW, "")
    row = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
    return row if 0 <= row < sheet.rows else None


def _best(sheet: Sheet, column: Column) -> int:
    values = sheet.values(column.name)
    return int(top.first_rows(values, 1, descending(column))[0]) if len(values) else 0


# -- look-up --------------------------------------------------------------------------------------
def _look_up(sheet: Sheet, column: Column, share: float) -> None:
    text = st.text_input(
        "Architecture in the notation of its space",
        key="arch",
        bind="query-params",
        placeholder=sheet.text(0),
        help="Any encoding of an equal network finds the row.",
    )
    if not (text or "").strip():
        st.caption(f"For example: `{sheet.text(0)}`")
        return
    try:
        found = sheet.look_up(str(text).strip())
    except ArchitectureError as error:
        st.error(f"This is no architecture of {sheet.space.title}: {plain(str(error))}")
        return
    if found.row is None:
        empty("Not in this table", f"Neither {found.given} nor an equal network has a row.")
        return
    if found.exact:
        st.success("The table has a row for exactly this text.", icon=":material/check_circle:")
    else:
        st.info(
            f"The same network is in the table under another text: {plain(sheet.text(found.row))}",
            icon=":material/join_inner:",
        )
    value = float(sheet.values(column.name)[found.row])
    place = f", rank {table_network.rank(sheet, found.row, column.name)}"
    st.markdown(
        f"**{column.name}: {written(column, value)}"
        f"{place if column.unit == PERCENT and not np.isnan(value) else ''}**"
    )
    table_network.draw(sheet, found.row, "look-up", wide=True)


View = Callable[[Sheet, Column, float], None]
_VIEWS: dict[str, View] = {
    "Distribution": _distribution,
    "Best": _top,
    "Compromises": _scatter,
    "Agreement": table_agreement_view.draw,
    "Look up": _look_up,
}
