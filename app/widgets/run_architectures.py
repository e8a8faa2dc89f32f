"""The architectures that a run found: table, drawing, downloads, and what to do with them.

`?architecture=RANK` in the address selects one. `select` does so from elsewhere. Architectures
that were not found, such as those of the correlation sample, are drawn by `one_architecture`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import client, drafts, links
from app.feed import RunFeed
from app.rights import may_edit
from app.widgets import downloads, numbers, one_architecture, train_box
from app.widgets.empty import empty
from engine.events import Event

ADDRESS = "architecture"


def table_key(run_id: str) -> str:
    """Return the session-state key of the table, whose state has the selected row."""
    return f"found-{run_id}"


def select(run_id: str, rank: int) -> None:
    """Have the tab show the architecture of a rank when it is drawn next."""
    st.query_params[ADDRESS] = str(rank)
    st.session_state.pop(table_key(run_id), None)


def draw(feed: RunFeed) -> None:
    """Draw the tab."""
    found = feed.digest.architectures
    if not found:
        empty(
            "No architecture is found yet",
            "At the end of the run the best ones are trained by themselves, drawn here, and "
            "offered as code, weights and ONNX.",
        )
        return
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_title(found), width="stretch")
            downloads.every_rank(client.folder(feed.run_id))
        rank = _table(found, feed.run_id)
        _landmarks(feed)
    with right:
        _one(feed, found[rank])


def _title(found: Mapping[int, Event]) -> str:
    if len(found) == 1:
        return "**The best architecture by super-net accuracy**"
    return f"**The {len(found)} best architectures by super-net accuracy**"


def _table(found: dict[int, Event], run_id: str) -> int:
    """Draw the table and return the chosen rank, the first if none is chosen."""
    ranks = sorted(found)
    asked = st.query_params.get(ADDRESS, "")
    first = ranks.index(int(asked)) if asked.isdecimal() and int(asked) in found else 0
    chosen = st.dataframe(
        _frame([found[rank] for rank in ranks]),
        key=table_key(run_id),
        hide_index=True,
        placeholder=numbers.NONE,
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [first], "columns": [], "cells": []}},
        column_config=_columns(),
        alt="Found architectures with accuracies, parameters, FLOPs and latency",
    )
    picked = chosen.selection.rows
    st.caption("Choose a row to see its cell and take it away.")
    rank = ranks[picked[0]] if picked and picked[0] < len(ranks) else ranks[first]
    if asked != str(rank) and (asked or rank != ranks[0]):
        st.query_params[ADDRESS] = str(rank)
    return rank


def _frame(events: list[Event]) -> pd.DataFrame:
    rows = pd.DataFrame([_row(event) for event in events])
    return rows.astype({"Latency": float})


def _row(event: Event) -> dict[str, Any]:
    return {
        "Rank": event["rank"],
        "Super-net": event["super_net_accuracy"],
        "Stand-alone": event["stand_alone_accuracy"],
        "Params": numbers.params(event["params"]),
        "FLOPs": numbers.flops(event["flops"]),
        "Latency": _latency(event),
        "Found by": numbers.searcher(event.get("searcher", "")),
        "Architecture": event["text"],
    }


def _latency(event: Event) -> float | None:
    value: float | None = (event.get("measured") or {}).get("latency_ms")
    return value


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "Super-net": column.NumberColumn("Super-net (%)", format="%.2f"),
        "Stand-alone": column.NumberColumn("Stand-alone (%)", format="%.2f"),
        "Latency": column.NumberColumn(
            "Latency (ms)", format="%.3g", help="One image, on the device of the run"
        ),
        "Architecture": column.TextColumn(width="large"),
    }


def _landmarks(feed: RunFeed) -> None:
    """Offer the run's best as landmarks of a new experiment."""
    if st.button(
        "Use as landmarks",
        icon=":material/flag:",
        key="use-as-landmarks",
        disabled=not may_edit(),
        help="Opens New experiment with the settings of this run and its landmarks and found "
        "architectures as the first landmarks, the best first"
        if may_edit()
        else "You may look, but not change anything here",
    ):
        drafts.start_from(drafts.with_landmarks_of(client.spec(feed.run_id), feed.run_id))
        st.switch_page(links.NEW)


def _one(feed: RunFeed, event: Event) -> None:
    run, spec = client.folder(feed.run_id), client.spec(feed.run_id)
    st.markdown(f"**Architecture {event['rank']}**")
    one_architecture.show(spec, event["indices"], _facts(feed, event))
    downloads.architecture(run, event["rank"])
    train_box.draw(run, spec, event["rank"])


def _facts(feed: RunFeed, event: Event) -> dict[str, object]:
    device = str((feed.digest.started.get("measured") or {}).get("device") or "")
    return {
        "Super-net accuracy": numbers.accuracy(event["super_net_accuracy"]),
        "Stand-alone accuracy": numbers.accuracy(event["stand_alone_accuracy"]),
        **one_architecture.costs(event["params"], event["flops"], _latency(event), device),
    }
