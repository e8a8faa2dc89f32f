"""Experiments as a table; choosing a cell opens the run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app import client
from app.links import go_to_run
from app.widgets import numbers
from app.widgets.palette import STATES

if TYPE_CHECKING:
    from workers.client import RunSummary

_ICONS = {
    "queued": "◷",
    "running": "▶",
    "paused": "❚❚",
    "finished": "✓",
    "failed": "✕",
    "stopped": "■",
    "interrupted": "⚠",
    "deleted": "␡",
}


def matches(run: RunSummary, words: str) -> bool:
    """Tell whether every word occurs somewhere in what the table shows of a run."""
    hay = " ".join(
        [
            run.name,
            run.run_id,
            run.algorithm,
            run.space,
            run.data,
            run.state,
            *run.tags,
            f"seed {run.seed}",
            client.title("algorithms", run.algorithm),
            client.title("spaces", run.space),
        ]
    ).lower()
    return all(word in hay for word in words.lower().split())


def frame(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """Return the table's columns; numbers stay numbers, so that they sort."""
    where = numbers.zone()
    return pd.DataFrame([_row(run, where) for run in runs])


def _row(run: RunSummary, where: ZoneInfo) -> dict[str, Any]:
    return {
        "State": f"{_ICONS[run.state]} {STATES[run.state].word}",
        "Name": run.name,
        "Sparse Kendall τ": _metric(run, "sparse_kendall_tau"),
        "Best 3, mean accuracy": _metric(run, "final_accuracy"),
        "Done": _percent(run),
        "Started": datetime.fromtimestamp(run.created, where),
        "Algorithm": run.algorithm,
        "Space": run.space,
        "Data": run.data,
        "Seed": str(run.seed),
        "Tags": list(run.tags),
    }


def _metric(run: RunSummary, name: str) -> float | None:
    """Return a figure of the result; for a run that is going on, the newest it has told."""
    if run.state != "running":
        value: float | None = run.metrics.get(name)
        return value
    feed = client.feed(run.run_id)
    feed.refresh()
    return feed.digest.rankings.last(name)


def _percent(run: RunSummary) -> int:
    done = 1.0 if run.state == "finished" else (run.progress or {}).get("fraction") or 0.0
    return round(100 * done)


def run_table(runs: Sequence[RunSummary], key: str) -> None:
    """Draw the table."""
    chosen = st.dataframe(
        frame(runs),
        key=key,
        hide_index=True,
        placeholder=numbers.NONE,
        on_select="rerun",
        selection_mode="single-cell",
        column_config=_columns(),
        alt="Experiments with state, progress, ranking quality and settings",
    )
    cells = chosen.selection.cells
    if cells and cells[0][0] < len(runs):
        go_to_run(runs[cells[0][0]].run_id)


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "Name": column.TextColumn(width=270),
        "State": column.TextColumn(width="small"),
        "Done": column.ProgressColumn(format="%d %%", min_value=0, max_value=100, width="small"),
        "Sparse Kendall τ": column.NumberColumn(format="%.3f"),
        "Best 3, mean accuracy": column.NumberColumn(format="%.2f %%"),
        "Tags": column.ListColumn(width="small"),
        "Started": column.DatetimeColumn(format="MMM D, HH:mm"),
    }
