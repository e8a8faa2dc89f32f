"""The first rows of a sheet by one column."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app.sheet import Sheet, Values
from app.widgets import numbers
from app.widgets.chart import csv_bytes
from app.widgets.table_units import number_format, scaled
from engine.tables.columns import Column

COUNTS = (10, 25, 100, 500)
ALONGSIDE = 6


def first_rows(values: Values, count: int, largest: bool) -> npt.NDArray[np.intp]:
    """Return the rows of the largest or smallest values, equal ones in the order of the table."""
    known = np.flatnonzero(~np.isnan(values))
    keys = -values[known] if largest else values[known]
    return known[np.argsort(keys, kind="stable")[:count]]


def draw(sheet: Sheet, column: Column, largest: bool, count: int) -> int | None:
    """Draw the table and return the row that is chosen, the first if none is; None if empty."""
    rows = first_rows(sheet.values(column.name), count, largest)
    if not len(rows):
        return None
    shown = _alongside(sheet, column)
    word = "largest" if largest else "smallest"
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f"**The {len(rows)} {word} by {column.name}**", width="stretch")
        st.download_button(
            "CSV",
            data=lambda: csv_bytes(_as_columns(sheet, rows)),
            file_name=f"top-{len(rows)}.csv",
            mime="text/csv",
            key="csv-top",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            help="Download these rows with all columns",
        )
    chosen = st.dataframe(
        _frame(sheet, shown, rows),
        key=f"top-{sheet.stamp}-{column.name}-{word}-{count}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row-required",
        placeholder=numbers.NONE,
        column_config={c.name: st.column_config.NumberColumn(**number_format(c)) for c in shown}
        | {"Architecture": st.column_config.TextColumn(width="large")},
        alt=f"Architectures with the {word} {column.name}",
    )
    st.caption("Choose a row to see its network.")
    picked = chosen.selection.rows
    return int(rows[picked[0]]) if picked and picked[0] < len(rows) else int(rows[0])


def _alongside(sheet: Sheet, column: Column) -> list[Column]:
    """Return the column and some others: costs first, for they explain it."""
    others = [c for c in sheet.columns if c.unit in ("parameters", "multiply-adds")]
    others += [c for c in sheet.accuracies if c not in others]
    others += [c for c in sheet.columns if c not in others]
    return [column, *[c for c in others if c.name != column.name][:ALONGSIDE]]


def _frame(sheet: Sheet, shown: list[Column], rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    found: dict[str, Any] = {"Rank": range(1, len(rows) + 1)}
    for column in shown:
        found[column.name] = scaled(column, sheet.values(column.name)[rows])
    found["Architecture"] = [sheet.text(int(row)) for row in rows]
    return pd.DataFrame(found)


def _as_columns(sheet: Sheet, rows: npt.NDArray[np.intp]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"architecture": [sheet.text(int(row)) for row in rows]}
    for column in sheet.columns:
        values = sheet.values(column.name)[rows]
        found[f"{column.name} ({column.unit})"] = [
            None if np.isnan(value) else float(value) for value in values
        ]
    return found


def whole(sheet: Sheet) -> bytes:
    """Return all rows of a sheet with all columns of its source as CSV."""
    return csv_bytes(_as_columns(sheet, np.arange(sheet.rows)))
