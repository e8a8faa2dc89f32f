"""The experiment that is being set up: kept while the viewer walks between pages.

Widgets of the form hold the changes. They start from a base mapping; whenever another base is
taken (a ready experiment, an uploaded file, an earlier run) the form begins a new generation
with fresh widgets.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.spec.addons import LandmarkSpec
from engine.spec.experiment import ExperimentSpec

_BASE, _GENERATION = "draft-base", "draft-generation"


def base() -> dict[str, Any]:
    """Return the mapping that the form's widgets start from."""
    if _BASE not in st.session_state:
        start_from(ExperimentSpec())
    value: dict[str, Any] = st.session_state[_BASE]
    return value


def key() -> str:
    """Return the prefix of this generation's widget keys."""
    return f"form{st.session_state.get(_GENERATION, 0)}"


def start_from(spec: ExperimentSpec) -> None:
    """Begin anew with the values of a spec."""
    st.session_state[_BASE] = spec.model_dump(mode="json")
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def with_landmarks_of(spec: ExperimentSpec, run_id: str) -> ExperimentSpec:
    """Return the experiment of a run with the landmark add-on and that run's best as landmarks.

    Args:
        spec: of the run.
        run_id: its id; it comes before the earlier runs that it had itself.
    """
    value = spec.model_dump(mode="json")
    landmark: dict[str, Any] = value["addons"].get("landmark") or {}
    earlier = [run_id, *(name for name in landmark.get("earlier_runs", []) if name != run_id)]
    # A short run has fewer epochs than landmarks have rounds by default.
    rounds = min(landmark.get("rounds") or LandmarkSpec().rounds, spec.super_net.epochs)
    changes = {"earlier_runs": earlier[:100], "rounds": rounds}
    value["addons"]["landmark"] = landmark | changes
    value["name"] = f"{spec.name[:160]}, landmarks of an earlier run"
    value["published"] = {}  # nobody has printed figures of this one
    return ExperimentSpec.model_validate(value)
