"""A running experiment at a glance."""

from __future__ import annotations

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

IDLE = {"queued": "Waiting for a free worker", "running": "Preparing data and network"}


def run_card(run: RunSummary, digest: RunDigest, names: str) -> None:
    """Draw the card; `names` says algorithm, space and data in words."""
    look = STATES[run.state]
    with st.container(border=True, key=f"card-{run.run_id}"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(f"**{plain(run.name)}**", width="stretch")
            st.badge(look.word, icon=f":material/{look.icon}:", color=look.badge)
            run_link(run.run_id, "Open", ":material/arrow_forward:")
        drawing(
            f'<div class="nw-quiet nw-small">{escape(names)} · seed {run.seed}</div>'
            + progress.block(run.progress, run.name, IDLE.get(run.state, "Preparing"))
            + _figures(digest)
        )


def _figures(digest: RunDigest) -> str:
    rankings = digest.rankings
    curve = rankings.metrics.get("sparse_kendall_tau", [])
    line = sparkline(curve, "Sparse Kendall tau so far")
    said = numbers.correlation(rankings.last("sparse_kendall_tau"))
    accuracy = numbers.accuracy(rankings.last("super_net_accuracy"))
    return (
        '<div class="nw-row" style="margin:.6rem 0 1rem;align-items:center">'
        f'<span><span class="nw-quiet nw-small">Sparse Kendall τ</span><br>'
        f'<span class="nw-figure">{said}</span></span>{line}'
        f'<span><span class="nw-quiet nw-small">Super-net accuracy</span><br>'
        f'<span class="nw-figure">{accuracy}</span></span></div>'
    )
