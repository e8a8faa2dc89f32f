"""The architecture of the ranking that the viewer clicked on; the address keeps the choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import client
from app.widgets import cell_graph, numbers
from app.widgets.facts import facts
from app.widgets.ranking import Point
from engine.spec.experiment import ExperimentSpec

QUERY = "point"


def pick(indices: Any) -> None:
    """Remember what was clicked, and draw anew: other charts mark it too.

    None and points without an architecture change nothing.
    """
    if not (isinstance(indices, list) and indices and all(isinstance(i, int) for i in indices)):
        return
    named = "-".join(map(str, indices))
    if st.query_params.get(QUERY) != named:
        st.query_params[QUERY] = named
        st.rerun()


def picked() -> tuple[int, ...]:
    """Return the option indices of the chosen architecture; empty where there is none."""
    parts = st.query_params.get(QUERY, "").split("-")
    return tuple(int(part) for part in parts) if all(p.isdecimal() for p in parts) else ()


def known(
    indices: Sequence[int],
    sample: Sequence[Point],
    landmarks: Sequence[dict[str, Any]],
) -> dict[str, str]:
    """Return what is known of an architecture, by name; empty where it is not of this run."""
    for point in sample:
        if point.indices == tuple(indices):
            n = numbers.count(len(sample))
            return {
                "Stand-alone accuracy": numbers.accuracy(point.truth),
                "Rank by ground truth": f"{point.truth_rank} of {n}",
                "Super-net accuracy": numbers.accuracy(point.score),
                "Rank by super-net": f"{point.score_rank} of {n}",
                "Parameters": numbers.params(point.params),
                "FLOPs": numbers.flops(point.flops),
            }
    for entry in landmarks:
        if tuple(entry.get("indices") or ()) == tuple(indices):
            return {
                "Held-out accuracy, stand-alone": numbers.accuracy(entry["value"]),
                "Super-net accuracy": numbers.accuracy(entry["score"]),
                "Landmark since round": numbers.count(entry["round"]),
                "Parameters": numbers.params(entry.get("params")),
                "FLOPs": numbers.flops(entry.get("flops")),
            }
    return {}


def show(spec: ExperimentSpec, indices: Sequence[int], told: dict[str, str]) -> None:
    """Draw the chosen architecture with its facts, and a way to put it away."""
    with st.container(border=True, key="picked"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown("**The architecture that you clicked on**", width="stretch")
            st.button(
                "Close",
                key="picked-close",
                type="tertiary",
                icon=":material/close:",
                on_click=lambda: st.query_params.pop(QUERY, None),
            )
        left, right = st.columns([1.6, 1], gap="medium", vertical_alignment="center")
        with left:
            drawn = client.describe(spec.space, spec.network, list(indices), spec.space_settings)
            cell_graph.show(drawn)
        with right:
            facts(told)
