"""The experiment that is being set up: kept while the viewer walks between pages.

Widgets of the form hold the changes. They start from a base mapping; whenever another base is
taken (a ready experiment, an uploaded file, an earlier run) the form begins a new generation
with fresh widgets.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

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
