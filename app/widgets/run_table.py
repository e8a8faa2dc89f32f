"""Experiments as a table; choosing a cell opens the run, choosing rows selects runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
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

ALT = "Experiments with state, progress, ranking quality, accuracy, cost and settings"
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
    if not words.strip():
        return True
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
    """Return the table's columns; numbers and times stay such, so that they sort."""
    where = numbers.zone()
    return pd.DataFrame([_row(run, where) for run in runs])


def _row(run: RunSummary, where: ZoneInfo) -> dict[str, Any]:
    return {
        "Name": run.name,
        "State": f"{_ICONS[run.state]} {STATES[run.state].word}",
        "Done": _percent(run),
        "Sparse Kendall τ": _tau(run),
        "Best accuracy": run.best_accuracy,
        "Cost": None if run.seconds is None else timedelta(seconds=round(run.seconds)),
        "Algorithm": run.algorithm,
        "Space": run.space,
        "Data": run.data,
        "Seed": str(run.seed),
        "Tags": list(run.tags),
        "Started": datetime.fromtimestamp(run.created, where),
    }


def _tau(run: RunSummary) -> float | None:
    """Return the sparse Kendall tau; for a run that is going on, the newest it has told."""
    if run.state != "running":
        value: float | None = run.metrics.get("sparse_kendall_tau")
        return value
    feed = client.feed(run.run_id)
    feed.refresh()
    return feed.digest.rankings.last("sparse_kendall_tau")


def _percent(run: RunSummary) -> int:
    done = 1.0 if run.state == "finished" else (run.progress or {}).get("fraction") or 0.0
    return round(100 * done)


def run_table(runs: Sequence[RunSummary], key: str) -> None:
    """Draw the table; choosing a cell opens the run."""
    chosen = st.dataframe(
        frame(runs),
        key=key,
        hide_index=True,
        placeholder=numbers.NONE,
        on_select="rerun",
        selection_mode="single-cell",
        column_config=columns(),
        alt=ALT,
    )
    _open_chosen(runs, chosen.selection.cells)


def choosing_table(runs: Sequence[RunSummary], key: str, chosen: Collection[str]) -> list[str]:
    """Draw the table with a box before each row; choosing a cell still opens the run.

    Rows are known to the browser by their places alone, so the table begins anew, with the same
    runs selected, when other runs stand in it: a new run must not move a selection to another.

    Args:
        runs: the rows.
        key: of the table.
        chosen: ids of the runs that are selected when the table begins.

    Returns:
        Ids of the runs that are selected now.
    """
    ids = [run.run_id for run in runs]
    before, version = st.session_state.get(f"{key}-rows", (None, 0))
    if before != ids:
        version += 1
        st.session_state[f"{key}-rows"] = (ids, version)
    marked = [place for place, run_id in enumerate(ids) if run_id in chosen]
    told = st.dataframe(
        frame(runs),
        key=f"{key}-{version}",
        hide_index=True,
        placeholder=numbers.NONE,
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        selection_default={"selection": {"rows": marked}},
        column_config=columns(),
        height=_height(len(runs)),
        alt=ALT,
    )
    _open_chosen(runs, told.selection.cells)
    return [ids[place] for place in told.selection.rows if place < len(ids)]


def _open_chosen(runs: Sequence[RunSummary], cells: Sequence[Any]) -> None:
    if cells and cells[0][0] < len(runs):
        go_to_run(runs[cells[0][0]].run_id)


def _height(rows: int) -> int | str:
    """Return a height that shows a short list whole and many rows of a long one."""
    return "content" if rows <= 16 else 640


def columns() -> dict[str, Any]:
    """Return how the columns are written."""
    column = st.column_config
    return {
        "Name": column.TextColumn(width=210),
        "State": column.TextColumn(width=105),
        "Done": column.ProgressColumn(format="%d %%", min_value=0, max_value=100, width="small"),
        "Sparse Kendall τ": column.NumberColumn(
            format="%.3f", help="How well the super-net ranks the sample; of a running one so far"
        ),
        "Best accuracy": column.NumberColumn(
            format="%.2f %%", help="Best stand-alone accuracy among the architectures found"
        ),
        "Cost": column.NumberColumn(
            format="localized", help="Time of all stages, the ground truth included"
        ),
        "Tags": column.ListColumn(width="small"),
        "Started": column.DatetimeColumn(format="MMM D, HH:mm"),
    }
