"""One architecture of a table: drawn, with every number that is known of it and its rank."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from app.client import Drawn
from app.sheet import Network, Sheet
from app.widgets import cell_graph, numbers
from app.widgets.empty import empty
from app.widgets.facts import facts
from app.widgets.table_protocol import count
from app.widgets.table_units import descending, written
from engine.core.space import Cost
from engine.spec.errors import ArchitectureError
from engine.tables.columns import PERCENT

SHOWN = 12  # numbers beyond these are scrolled to


def draw(sheet: Sheet, row: int, key: str, wide: bool = False) -> None:
    """Draw the architecture of a row; `wide` puts its numbers beside it instead of below."""
    try:
        found = sheet.network_of(row)
    except ArchitectureError as error:
        empty("This row cannot be drawn", str(error))
        return
    if wide:
        left, right = st.columns([1.2, 1], gap="large")
        with left:
            _drawing(sheet, found)
        with right:
            _values(sheet, row, key)
    else:
        _drawing(sheet, found)
        _values(sheet, row, key)


def _drawing(sheet: Sheet, found: Network) -> None:
    cell_graph.show(Drawn(found.text, found.graphs, found.cost or Cost(0, 0)))
    if found.cost is not None:
        facts(
            {
                "Parameters": numbers.params(found.cost.params),
                "FLOPs": numbers.flops(found.cost.flops),
                "Counted in": skeleton(sheet),
            }
        )


def skeleton(sheet: Sheet) -> str:
    """Say in which skeleton parameters and FLOPs are counted."""
    network = sheet.network
    return (
        f"{network.channels} channels, {count(network.cells, 'cell')}, {network.classes} classes, "
        f"{network.resolution} × {network.resolution} images"
    )


def _values(sheet: Sheet, row: int, key: str) -> None:
    rows = []
    for column in sheet.columns:
        value = float(sheet.values(column.name)[row])
        if not math.isnan(value):
            rows.append(
                {
                    "Column": column.name,
                    "Value": written(column, value),
                    "Rank": rank(sheet, row, column.name) if column.unit == PERCENT else "",
                }
            )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key=f"values-{key}",
        height="auto" if len(rows) <= SHOWN else 460,
        alt="Every number that is known of this architecture, with its rank",
    )


def rank(sheet: Sheet, row: int, name: str) -> str:
    """Return the rank of a row in a column as words, 1 for the best; equal values share one."""
    column, values = sheet.column(name), sheet.values(name)
    better = values > values[row] if descending(column) else values < values[row]
    return f"{1 + int(np.sum(better)):,} of {int(np.sum(~np.isnan(values))):,}"
