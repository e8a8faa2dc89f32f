"""The frame of every chart: a sentence above, axes with units, kept zoom, data to take away."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.widgets.palette import GREY, GRID
from app.widgets.plot import Figure, plot

HEIGHT = 340
MOST_POINTS = 1500

Columns = Mapping[str, Sequence[Any]]


def base_figure(run_id: str, x: str, y: str, height: int = HEIGHT) -> Figure:
    """Return an empty figure; its zoom survives new data as long as `run_id` is the same."""
    layout = {
        "uirevision": run_id,
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
        "showlegend": False,
        "legend": {
            "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0,
        },
        "hoverlabel": {"align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GREY.css, "activecolor": GREY.css},
        "xaxis": axis(x),
        "yaxis": axis(y),
    }  # fmt: skip
    return {"data": [], "layout": layout}


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Return an axis whose title names quantity and unit."""
    return {
        "title": {"text": title, "font": {"color": GREY.css, "size": 13}, "standoff": 8},
        "tickfont": {"color": GREY.css, "size": 12},
        "automargin": True,
        "autorange": True,  # said aloud, or plotly.js forgets the viewer's zoom with new data
        "zeroline": False,
        "gridcolor": GRID.css,
    } | more


def kept_rows(length: int) -> Sequence[int]:
    """Return the numbers of at most `MOST_POINTS` rows, evenly spread; first and last stay."""
    if length <= MOST_POINTS:
        return range(length)
    step = (length - 1) / (MOST_POINTS - 1)
    return [round(position * step) for position in range(MOST_POINTS)]


def thin(*columns: Sequence[Any]) -> list[list[Any]]:
    """Leave out rows of all columns alike; see `kept_rows`."""
    kept = kept_rows(len(columns[0]))
    return [[column[index] for index in kept] for column in columns]


def csv_bytes(columns: Columns) -> bytes:
    """Write columns as CSV; None becomes an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue().encode()


def show(
    sentence: str,
    figure: Figure,
    key: str,
    columns: Columns | Callable[[], Columns],
    note: str = "",
) -> Any:
    """Draw a chart with its sentence.

    Args:
        sentence: what one sees.
        figure: the chart.
        key: unique on the page.
        columns: the data behind it, offered as CSV; a function where making them takes long, which
            is called when somebody asks for the file.
        note: help beside the sentence.

    Returns:
        The `customdata` of a point that was clicked just now, else None.
    """
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f"**{sentence}**", width="stretch", help=note or None)
        st.download_button(
            "CSV",
            data=lambda: csv_bytes(columns() if callable(columns) else columns),
            file_name=f"{key}.csv",
            mime="text/csv",
            key=f"csv-{key}",
            help="Download the data of this chart; the chart itself offers PNG and SVG",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
    return plot(figure, key, sentence)
