"""The experiment that is being set up: kept while the viewer walks between pages.

Widgets of the form hold the changes. They start from a base mapping; whenever another base is
taken (a ready experiment, an uploaded file, an earlier run) the form begins a new generation
with fresh widgets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.spec.addons import LandmarkSpec
from engine.spec.experiment import ExperimentSpec

_BASE, _GENERATION, _AXES, _SEEDS = "draft-base", "draft-generation", "draft-axes", "draft-seeds"
_NOW = "draft-now"

Values = list[Any]


def base() -> dict[str, Any]:
    """Return the mapping that the form's widgets start from."""
    if _BASE not in st.session_state:
        start_from(ExperimentSpec())
    value: dict[str, Any] = st.session_state[_BASE]
    return value


def key() -> str:
    """Return the prefix of this generation's widget keys."""
    return f"form{st.session_state.get(_GENERATION, 0)}"


def seeds() -> str:
    """Return the seeds that the form starts with, as they are written in their box."""
    given: str | None = st.session_state.get(_SEEDS)
    return str(base()["seed"]) if given is None else given


def axes() -> dict[str, Values]:
    """Return the swept fields that the form starts with, each with its values."""
    found: dict[str, Values] = st.session_state.get(_AXES, {})
    return found


def remember(value: Mapping[str, Any], axes: Mapping[str, Values], seeds: Sequence[int]) -> None:
    """Keep what the form holds now, for other pages that change a part of it."""
    st.session_state[_NOW] = (dict(value), dict(axes), list(seeds))


def change(section: str, value: Any) -> None:
    """Set a section of what the form holds, and leave everything else as the viewer left it."""
    now, axes, seeds = st.session_state.get(_NOW, (base(), {}, ()))
    _begin({**now, section: value}, axes, seeds)


def start_from(
    spec: ExperimentSpec,
    axes: Mapping[str, Sequence[Any]] | None = None,
    seeds: Sequence[int] = (),
) -> None:
    """Begin anew with the values of a spec.

    Args:
        spec: where the fields start.
        axes: fields that vary, by dotted path, each with its values.
        seeds: one job each; empty: the seed of the spec.
    """
    _begin(spec.model_dump(mode="json"), axes or {}, seeds)


def _begin(value: dict[str, Any], axes: Mapping[str, Sequence[Any]], seeds: Sequence[int]) -> None:
    st.session_state[_BASE] = value
    st.session_state[_AXES] = {path: list(values) for path, values in axes.items()}
    st.session_state[_SEEDS] = ", ".join(map(str, seeds)) or None
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    st.session_state.pop(_NOW, None)


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
