"""The architecture of the ranking that the viewer clicked on; the address keeps the choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.widgets import numbers
from app.widgets.ranking import Point

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


def forget() -> None:
    """Put the chosen architecture away."""
    st.query_params.pop(QUERY, None)
