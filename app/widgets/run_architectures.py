"""The architectures that a run found: table, drawing, downloads."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import client
from app.client import Drawn
from app.feed import RunFeed
from app.widgets import cell_graph, downloads, numbers
from app.widgets.empty import empty
from app.widgets.facts import facts
from engine.core.space import Cost
from engine.events import Event


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
        st.markdown(f"**The {len(found)} best architectures by super-net accuracy**")
        rank = _table(found, feed.run_id)
    with right:
        _one(feed, found[rank])


def _table(found: dict[int, Event], run_id: str) -> int:
    """Draw the table and return the chosen rank, the first if none is chosen."""
    ranks = sorted(found)
    rows = [_row(found[rank]) for rank in ranks]
    chosen = st.dataframe(
        pd.DataFrame(rows),
        key=f"found-{run_id}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row-required",
        column_config={
            "Super-net": st.column_config.NumberColumn("Super-net (%)", format="%.2f"),
            "Stand-alone": st.column_config.NumberColumn("Stand-alone (%)", format="%.2f"),
            "Architecture": st.column_config.TextColumn(width="large"),
        },
        alt="Found architectures with accuracies, parameters and FLOPs",
    )
    picked = chosen.selection.rows
    st.caption("Choose a row to see its cell and take it away.")
    return ranks[picked[0]] if picked and picked[0] < len(ranks) else ranks[0]


def _row(event: Event) -> dict[str, Any]:
    return {
        "Rank": event["rank"],
        "Super-net": event["super_net_accuracy"],
        "Stand-alone": event["stand_alone_accuracy"],
        "Params": numbers.params(event["params"]),
        "FLOPs": numbers.flops(event["flops"]),
        "Found by": event.get("searcher", ""),
        "Architecture": event["text"],
    }


def _one(feed: RunFeed, event: Event) -> None:
    run, spec = client.folder(feed.run_id), client.spec(feed.run_id)
    st.markdown(f"**Architecture {event['rank']}**")
    drawn = client.describe(spec.space, spec.network, event["indices"], spec.space_settings)
    cell_graph.show(Drawn(drawn.text, drawn.graphs, Cost(event["params"], event["flops"])))
    facts(
        {
            "Super-net accuracy": numbers.accuracy(event["super_net_accuracy"]),
            "Stand-alone accuracy": numbers.accuracy(event["stand_alone_accuracy"]),
            "Parameters": numbers.params(event["params"]),
            "FLOPs": numbers.flops(event["flops"]),
        }
    )
    downloads.architecture(run, event["rank"])
