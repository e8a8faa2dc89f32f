"""Where an experiment can start: a ready one, an earlier run, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import client, drafts
from app.jobs import as_axes
from app.widgets import numbers, sweep_box
from app.widgets.empty import empty
from app.widgets.palette import STATES
from app.widgets.plain import plain
from engine.batch import read_batch
from engine.spec.errors import WorkbenchError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, read_mapping
from engine.spec.sweep import SECTION, is_sweep

DEFAULTS = "Defaults"
_SHELVES = {"presets": "Preset", "factors": "Sweep"}


def draw(known: Mapping[str, Any]) -> None:
    """Draw the three ways.

    Args:
        known: fields that the form can vary, by dotted path.
    """
    with st.expander(
        "Start from a ready experiment, an earlier run or a file", icon=":material/upload_file:"
    ):
        ready, earlier, file = st.tabs(["Ready ones and presets", "An earlier run", "A file"])
        with ready:
            _ready(known)
        with earlier:
            _earlier()
        with file:
            _upload(known)


def take(file: str, value: dict[str, Any], known: Mapping[str, Any]) -> None:
    """Put an experiment or a sweep into the form, or a sweep that it cannot hold above it.

    Args:
        file: name, for the box of a sweep.
        value: what it holds.
        known: fields that the form can vary, by dotted path.

    Raises:
        SpecError: it is not valid; nothing was changed.
    """
    if not is_sweep(value):
        drafts.start_from(build(value))
        return
    read_batch(value).require()
    held = as_axes(value, known)
    if held is None:
        sweep_box.take(file, value)
    else:
        drafts.start_from(*held)


# -- ready ones -----------------------------------------------------------------------------------
def _offers() -> dict[str, dict[str, Any]]:
    ready = {e.spec.name: e.spec.model_dump(mode="json") for e in client.examples() if e.spec}
    defaults = ExperimentSpec().model_dump(mode="json")
    return {DEFAULTS: defaults} | ready | client.shelved()


def _ready(known: Mapping[str, Any]) -> None:
    offers = _offers()
    name = st.selectbox(
        "Ready experiment, preset or sweep",
        list(offers),
        key="start-name",
        format_func=lambda one: _label(one, offers[one]),
    )
    _card(name, offers[name])
    if st.button("Use its settings", icon=":material/tune:"):
        try:
            take(f"{name}.yaml", offers[name], known)
        except WorkbenchError as error:
            st.error(f"{plain(name)} was not taken over. {plain(str(error))}")
        else:
            st.toast("The form has its settings", icon=":material/check:")
            st.rerun()


def _label(name: str, value: dict[str, Any]) -> str:
    shelf, _, _ = name.partition("/")
    if shelf not in _SHELVES:
        return name
    title = value.get("name", name)
    return f"{_SHELVES[shelf]}: {title}"


def _card(name: str, value: dict[str, Any]) -> None:
    """Say what an offer is: its notes, its parts, and how many jobs a sweep makes."""
    if name == DEFAULTS:
        st.caption("Every field as the engine has it: SPOS on NAS-Bench-201, handwritten digits.")
        return
    said = [
        client.title("spaces", str(value.get("space", "nb201"))),
        client.title("algorithms", str(value.get("algorithm", "spos"))),
        client.title("datasets", str((value.get("data") or {}).get("name", "digits"))),
    ]
    epochs = (value.get("super_net") or {}).get("epochs")
    if epochs:
        said.append(f"{numbers.count(epochs)} epochs")
    if is_sweep(value):
        said.append("varies " + ", ".join(value[SECTION]))
    st.markdown(" · ".join(plain(one) for one in said))
    notes = " ".join(str(value.get("notes", "")).split())
    if notes:
        st.caption(plain(notes))


# -- earlier runs ---------------------------------------------------------------------------------
def _earlier() -> None:
    runs = {run.run_id: run for run in client.runs()}
    if not runs:
        empty("No runs yet", "Once something was queued, its settings can be used again here.")
        return

    def written(run_id: str) -> str:
        run = runs[run_id]
        return f"{run.name} · seed {run.seed} · {STATES[run.state].word.lower()}"

    chosen = st.selectbox(
        "Earlier run",
        list(runs),
        index=None,
        key="start-run",
        format_func=written,
        placeholder="Type a word of its name",
    )
    if st.button(
        "Use the settings of this run", icon=":material/tune:", key="clone", disabled=not chosen
    ):
        drafts.start_from(client.spec(str(chosen)))
        st.toast("The form has its settings", icon=":material/check:")
        st.rerun()


# -- files ----------------------------------------------------------------------------------------
def _upload(known: Mapping[str, Any]) -> None:
    number = st.session_state.get("uploads", 0)
    file = st.file_uploader(
        "Experiment or sweep file (YAML)",
        ["yaml", "yml", "json"],
        key=f"upload{number}",
        max_upload_size=1,
        help="What is in the form is kept if the file is refused.",
    )
    if file is None:
        return
    try:
        take(file.name, read_mapping(file.getvalue().decode("utf-8")), known)
    except UnicodeDecodeError:
        st.error(f"{file.name} is not a text file in UTF-8. Nothing was changed.")
    except WorkbenchError as error:
        st.error(f"{file.name} was not taken over. {error}")
    else:
        st.session_state["uploads"] = number + 1
        st.toast(f"{file.name} was read", icon=":material/check:")
        st.rerun()
