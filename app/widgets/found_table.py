"""Found architectures as a table in which several rows can be selected."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app import client
from app.found import Found
from app.widgets import numbers

MILLION = 1e6
NAMED = 3
PICKED = "pick"


def chosen(found: Sequence[Found]) -> list[str]:
    """Return the keys of the selected architectures, the one selected last at the end.

    The table's own state counts; before it is drawn for the first time the address does
    (`?pick=RUN/RANK,RUN/RANK`).
    """
    asked = [key for key in st.query_params.get(PICKED, "").split(",") if key]
    state = st.session_state.get(_table_key(found))
    if state is None:
        present = {one.key for one in found}
        return [key for key in dict.fromkeys(asked) if key in present]
    rows = [found[row].key for row in state["selection"]["rows"] if row < len(found)]
    return [*(key for key in asked if key in rows), *(key for key in rows if key not in asked)]


def choose(found: Sequence[Found], keys: Sequence[str]) -> None:
    """Select architectures before the table is drawn, and write them into the address."""
    wanted = set(keys)
    rows = [row for row, one in enumerate(found) if one.key in wanted]
    st.session_state[_table_key(found)] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    remember(keys)


def remember(keys: Sequence[str]) -> None:
    """Write the selection into the address."""
    if keys:
        st.query_params[PICKED] = ",".join(keys)
    else:
        st.query_params.pop(PICKED, None)


def draw(
    found: Sequence[Found],
    together: Mapping[tuple[str, str], Sequence[Found]],
    picked: Sequence[str],
) -> None:
    """Draw the table.

    Args:
        found: the rows, in their order.
        together: all architectures by network, see `equal_networks`.
        picked: keys of the selected rows.
    """
    key = _table_key(found)
    if key not in st.session_state:
        choose(found, picked)
    st.dataframe(
        frame(found, together),
        key=key,
        hide_index=True,
        height=420 if len(found) > 10 else "auto",
        placeholder=numbers.NONE,
        on_select="rerun",
        selection_mode="multi-row",
        column_config=_columns(),
        alt="Found architectures with run, accuracies, parameters, FLOPs and latency",
    )


def _table_key(found: Sequence[Found]) -> str:
    """Return a key that other rows do not share, so that rows cannot be mixed up."""
    told = hashlib.sha256("\n".join(one.key for one in found).encode()).hexdigest()
    return f"found-table-{told[:16]}"


def frame(
    found: Sequence[Found], together: Mapping[tuple[str, str], Sequence[Found]]
) -> pd.DataFrame:
    """Return the table's columns; numbers stay numbers, so that they sort."""
    return pd.DataFrame(
        {
            "Run": [one.run_name for one in found],
            "Rank": [one.rank for one in found],
            "Stand-alone": _numbers([one.stand_alone for one in found]),
            "Super-net": _numbers([one.super_net for one in found]),
            "Params": _numbers([one.params for one in found]) / MILLION,
            "FLOPs": _numbers([one.flops for one in found]) / MILLION,
            "Latency": _numbers([one.latency_ms for one in found]),
            "Algorithm": _titles("algorithms", [one.algorithm for one in found]),
            "Space": _titles("spaces", [one.space for one in found]),
            "Data": _titles("datasets", [one.data for one in found]),
            "Seed": [str(one.seed) for one in found],
            "Found by": [numbers.searcher(one.searcher) or None for one in found],
            "Also found by": [also(one, together[one.network]) or None for one in found],
            "Architecture": [one.text for one in found],
        }
    )


def _numbers(values: list[float | None]) -> npt.NDArray[np.float64]:
    return np.array(values, dtype=np.float64)  # None becomes NaN, an empty cell


def _titles(kind: str, names: list[str]) -> list[str]:
    titles = {name: client.title(kind, name) for name in set(names)}
    return [titles[name] for name in names]


def also(one: Found, equal: Sequence[Found]) -> str:
    """Say which others found the same network; empty where none did."""
    others = [other for other in equal if other.key != one.key]
    if not others:
        return ""
    names = dict.fromkeys(f"{other.run_name} (seed {other.seed})" for other in others)
    listed = ", ".join(list(names)[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(others)}×: {listed}{more}"


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "Run": column.TextColumn(width=220),
        "Rank": column.NumberColumn(width="small", help="Within its run, by super-net accuracy"),
        "Stand-alone": column.NumberColumn("Stand-alone (%)", format="%.2f"),
        "Super-net": column.NumberColumn("Super-net (%)", format="%.2f"),
        "Params": column.NumberColumn("Params (M)", format="%.3f"),
        "FLOPs": column.NumberColumn("FLOPs (M)", format="%.2f"),
        "Latency": column.NumberColumn(
            "Latency (ms)", format="%.3g", help="One image, on the device of the run"
        ),
        "Seed": column.TextColumn(width="small"),
        "Found by": column.TextColumn(width="small"),
        "Also found by": column.TextColumn(
            width=200, help="Runs that found the same network, also under another encoding"
        ),
        "Architecture": column.TextColumn(width="large"),
    }
