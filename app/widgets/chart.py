"""The frame of every chart: a sentence above, axes with units, kept zoom, data to take away."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app.widgets import palette

HEIGHT = 340
MOST_POINTS = 1500

Columns = Mapping[str, Sequence[Any]]


def base_figure(run_id: str, x: str, y: str, height: int = HEIGHT) -> go.Figure:
    """Return an empty figure; its zoom survives new data as long as `run_id` is the same."""
    figure = go.Figure()
    figure.update_layout(
        uirevision=run_id,
        height=height,
        margin={"l": 8, "r": 8, "t": 24, "b": 8},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        hoverlabel={"align": "left"},
        modebar={"orientation": "h"},
    )
    ink = palette.GREY.on(palette.theme())
    axis = {"automargin": True, "zeroline": False, "tickfont": {"color": ink}}
    figure.update_xaxes(title={"text": x, "font": {"color": ink}}, **axis)
    figure.update_yaxes(title={"text": y, "font": {"color": ink}}, **axis)
    return figure


def thin(*columns: Sequence[Any]) -> list[list[Any]]:
    """Leave out rows evenly until at most `MOST_POINTS` are left; first and last stay."""
    length = len(columns[0])
    if length <= MOST_POINTS:
        return [list(column) for column in columns]
    step = (length - 1) / (MOST_POINTS - 1)
    kept = [round(position * step) for position in range(MOST_POINTS)]
    return [[column[index] for index in kept] for column in columns]


def csv_bytes(columns: Columns) -> bytes:
    """Write columns as CSV; None becomes an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue().encode()


def show(sentence: str, figure: go.Figure, key: str, columns: Columns, note: str = "") -> None:
    """Draw a chart with its sentence; `columns` is the data behind it, offered as CSV."""
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f"**{sentence}**", width="stretch", help=note or None)
        st.download_button(
            "CSV",
            data=lambda: csv_bytes(columns),
            file_name=f"{key}.csv",
            mime="text/csv",
            key=f"csv-{key}",
            help="Download the data of this chart",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
    st.plotly_chart(figure, key=key, config=_config(key), alt=sentence)


def _config(name: str) -> dict[str, Any]:
    return {
        "displaylogo": False,
        "scrollZoom": False,
        "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 3},
        "responsive": True,
    }
