"""A running experiment at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from app.digest import RunDigest
from app.links import run_link
from app.widgets import numbers, progress
from app.widgets.drawing import drawing
from app.widgets.palette import STATES
from app.widgets.plain import plain
from app.widgets.sparkline import sparkline

if TYPE_CHECKING:
    from workers.client import RunSummary

MOST_WAITING = 6


def run_card(run: RunSummary, digest: RunDigest, names: str) -> None:
    """Draw the card; `names` says algorithm, space and data in words."""
    look = STATES[run.state]
    with st.container(border=True, height="stretch", key=f"card-{run.run_id}"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(f"**{plain(run.name)}**", width="stretch")
            st.badge(look.word, icon=f":material/{look.icon}:", color=look.badge)
            run_link(run.run_id, "Open", ":material/arrow_forward:")
        drawing(
            f'<div class="nw-quiet nw-small">{escape(names)} · seed {run.seed}</div>'
            + progress.block(run.progress, run.name)
            + _figures(digest)
        )


def _figures(digest: RunDigest) -> str:
    rankings = digest.rankings
    curve = rankings.metrics.get("sparse_kendall_tau", [])
    line = sparkline(curve, "Sparse Kendall tau so far")
    best, kind = best_accuracy(digest)
    parts = [
        _figure("Sparse Kendall τ", numbers.correlation(rankings.last("sparse_kendall_tau"))),
        line,
        _figure(kind, numbers.accuracy(best)),
    ]
    inside = "".join(parts)
    return f'<div class="nw-row" style="margin:.6rem 0 1rem;align-items:center">{inside}</div>'


def _figure(label: str, value: str) -> str:
    return (
        f'<span><span class="nw-quiet nw-small">{escape(label)}</span><br>'
        f'<span class="nw-figure">{value}</span></span>'
    )


def best_accuracy(digest: RunDigest) -> tuple[float | None, str]:
    """Return the best accuracy that is known so far in percent, and what kind it is.

    What was trained by itself counts before what the super-net says, and what was searched before
    what was merely sampled.
    """
    found = [event.get("stand_alone_accuracy") for event in digest.architectures.values()]
    alone = [value for value in found if value is not None]
    if alone:
        return max(alone), "Best, trained by itself"
    searched = [
        value for one in digest.searches.values() for value in one.best_score if value is not None
    ]
    if searched:
        return max(searched), "Best found, super-net"
    scores = [value for value in (digest.rankings.scores or [[]])[-1] if value is not None]
    return (max(scores), "Best of the sample, super-net") if scores else (None, "Best accuracy")


def waiting(runs: Sequence[RunSummary]) -> None:
    """Name the runs that wait for a worker, the next one first; nothing where none waits."""
    if not runs:
        return
    with st.container(border=True, key="waiting"):
        st.markdown(f"**Waiting for a free worker: {len(runs)}**")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            for run in runs[:MOST_WAITING]:
                run_link(run.run_id, f"{plain(run.name)} · seed {run.seed}", ":material/schedule:")
            if len(runs) > MOST_WAITING:
                st.caption(f"and {len(runs) - MOST_WAITING} more")
