"""Experiments that are ready to run: what they need, and how long they take in this lab."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import client
from engine.catalog import example_files
from engine.datasets.cifar_layout import LAYOUTS
from engine.lab_folders import data_folder
from engine.measured import cost_key
from engine.spec.errors import WorkbenchError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build

PRESETS = 3
TAG = "preset"
SHELF = "presets/"


@dataclass(frozen=True)
class Offer:
    """An experiment that can be started as it is.

    Attributes:
        key: name of its file without ending, with its shelf: `presets/nb201_best`.
        path: of the file.
        spec: the experiment.
        missing: what must be there before it can run, a sentence; empty when it can.
    """

    key: str
    path: Path
    spec: ExperimentSpec
    missing: str = ""


def offers() -> tuple[list[Offer], list[Offer]]:
    """Return the ready experiments, and three presets: the best settings of each space."""
    files = example_files()
    ready = [
        _offer(Path(example.file).stem, files[Path(example.file).stem], example.spec)
        for example in client.examples()
        if example.spec is not None
    ]
    return ready, [_offer(key, files[key], spec) for key, spec in _presets().items()]


@st.cache_data(show_spinner=False, ttl=30)
def _presets() -> dict[str, ExperimentSpec]:
    found: dict[str, ExperimentSpec] = {}
    for key, value in client.shelved().items():
        if key.startswith(SHELF) and TAG in (value.get("tags") or []) and len(found) < PRESETS:
            with suppress(WorkbenchError):  # `validate` tells what is wrong with a damaged one
                found[key] = build(value)
    return found


def _offer(key: str, path: Path, spec: ExperimentSpec) -> Offer:
    return Offer(key, path, spec, missing(spec))


def missing(spec: ExperimentSpec) -> str:
    """Say which data an experiment needs that are not on this machine; empty if none."""
    layout = LAYOUTS.get(spec.data.name)
    if spec.data.path is not None or layout is None:
        return ""
    folder = data_folder() / "datasets"
    if any((folder / archive.file_name).is_file() for archive in layout.archives):
        return ""
    return f"{layout.title} is not on this machine yet."


# -- how long it takes ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Took:
    """Finished runs of one experiment, whatever their seeds.

    Attributes:
        seconds: of each run, shortest first.
        devices: what they ran on.
    """

    seconds: list[float]
    devices: list[str]


def took(spec: ExperimentSpec) -> Took | None:
    """Return how long this very experiment took in this lab; None if it never finished here."""
    wanted, seconds, devices = cost_key(spec), list[float](), set[str]()
    for run in client.runs():
        alike = (run.algorithm, run.space, run.data) == (
            spec.algorithm, spec.space, spec.data.name,
        )  # fmt: skip
        if run.state == "finished" and alike:
            key, spent, device = _finished(run.run_id, run.changed)
            if key == wanted and spent is not None:
                seconds.append(spent)
                devices.add(device)
    return Took(sorted(seconds), sorted(devices)) if seconds else None


@st.cache_data(show_spinner=False, max_entries=2048)
def _finished(run_id: str, changed: float) -> tuple[str, float | None, str]:
    """Return key, seconds and device of a finished run; `changed` makes a redone one new.

    A run whose record is damaged has no seconds: its own page says what is wrong.
    """
    try:
        cost = (client.folder(run_id).result() or {}).get("cost") or {}
        found = cost_key(client.spec(run_id))
    except WorkbenchError:
        return "", None, ""
    seconds = cost.get("seconds") or {}
    return found, sum(seconds.values()) if seconds else None, str(cost.get("device") or "")
