"""The only bridge between the pages and the rest: store client, catalogue, spaces, examples."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from app.background import Tasks
from app.feed import RunFeed
from app.shared import Shared
from engine.compose import check
from engine.core.architecture import Architecture
from engine.core.space import CellGraph, Cost, Space
from engine.runs import RunFolder
from engine.spaces import get_space
from engine.spec.errors import ExportError, SpecError, WorkbenchError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, load, load_mapping, problems
from engine.spec.network import NetworkSpec

if TYPE_CHECKING:
    from workers.client import Client, RunSummary, SystemStatus

ROOT = Path(__file__).resolve().parent.parent
KEPT_FEEDS = 64
FRESH_SECONDS = 1.0
EXPORT_SECONDS = 300


def _open_client() -> Client:
    from workers.client import Client
    from workers.settings import Settings

    return Client(Settings.from_environment())


def _open_catalog() -> dict[str, Any]:
    from engine.catalog import load_catalog

    return load_catalog()


@st.cache_resource(show_spinner=False)
def client() -> Client:
    """Return the one connection of this process.

    Raises:
        StoreError: the store cannot be reached.
    """
    return _open_client()


@st.cache_resource(show_spinner=False)
def catalog() -> dict[str, Any]:
    """Return everything that the engine registers, with help and schemas."""
    return _open_catalog()


def entry(kind: str, name: str) -> dict[str, Any]:
    """Return the catalogue's entry of a name, or one that holds just the name."""
    found = [item for item in catalog()[kind] if item["name"] == name]
    return found[0] if found else {"name": name, "title": name}


def title(kind: str, name: str) -> str:
    """Return the catalogue's title of a name."""
    return str(entry(kind, name).get("title") or name)


@st.cache_resource(show_spinner=False)
def tasks() -> Tasks:
    """Return the background tasks of this server."""
    return Tasks()


# -- runs -------------------------------------------------------------------------------------
@dataclass
class _Feeds:
    lock: threading.Lock = field(default_factory=threading.Lock)
    by_run: OrderedDict[str, RunFeed] = field(default_factory=OrderedDict)


@st.cache_resource(show_spinner=False)
def _feeds() -> _Feeds:
    return _Feeds()


def feed(run_id: str) -> RunFeed:
    """Return the shared reader of a run; those not looked at for longest are forgotten."""
    feeds = _feeds()
    with feeds.lock:
        known = feeds.by_run.pop(run_id, None) or RunFeed(client(), run_id)
        feeds.by_run[run_id] = known
        while len(feeds.by_run) > KEPT_FEEDS:
            feeds.by_run.popitem(last=False)
    return known


def folder(run_id: str) -> RunFolder:
    """Return a run's folder."""
    return client().folder(run_id)


@dataclass(frozen=True)
class _Answers:
    runs: Shared[list[RunSummary]]
    deleted: Shared[list[RunSummary]]
    status: Shared[SystemStatus]


@st.cache_resource(show_spinner=False)
def _answers() -> _Answers:
    return _Answers(
        Shared(lambda: client().list(), FRESH_SECONDS),
        Shared(lambda: client().list(deleted=True), FRESH_SECONDS),
        Shared(lambda: client().status(), FRESH_SECONDS),
    )


def runs() -> list[RunSummary]:
    """Return all runs but the deleted ones, newest first, as of a moment ago."""
    return _answers().runs.get()


def deleted_runs() -> list[RunSummary]:
    """Return the runs that can be brought back, newest first."""
    return _answers().deleted.get()


def status() -> SystemStatus:
    """Return store, workers and queue, as of a moment ago."""
    return _answers().status.get()


def changed() -> None:
    """Forget shared answers, after something was queued, stopped or deleted."""
    answers = _answers()
    for answer in (answers.runs, answers.deleted, answers.status):
        answer.forget()


@st.cache_resource(show_spinner=False, max_entries=256)
def spec(run_id: str) -> ExperimentSpec:
    """Return a run's experiment, which never changes."""
    return folder(run_id).spec()


# -- experiments ------------------------------------------------------------------------------
@dataclass(frozen=True)
class Example:
    """A ready experiment, or why its file cannot be used."""

    file: str
    spec: ExperimentSpec | None
    problem: str = ""


@st.cache_data(show_spinner=False, ttl=30)
def examples() -> list[Example]:
    """Return the ready experiments in the order of their file names."""
    from engine.catalog import examples as files

    found = []
    for path in files().values():
        try:
            found.append(Example(path.name, load(path)))
        except WorkbenchError as error:
            found.append(Example(path.name, None, str(error)))
    return found


@st.cache_data(show_spinner=False, ttl=30)
def shelved() -> dict[str, dict[str, Any]]:
    """Return the presets and factor sweeps that come along, as mappings by `shelf/name`."""
    from engine.catalog import example_files
    from engine.catalog import examples as ready

    found = {}
    for name, path in example_files().items():
        if name not in ready():
            with suppress(WorkbenchError):  # `validate` tells what is wrong with a damaged one
                found[name] = load_mapping(path)
    return found


def faults(value: dict[str, Any]) -> list[SpecError]:
    """Return everything that keeps a mapping from being run, each at its field."""
    wrong = problems(value)
    return wrong or check(build(value))


def mixture(
    space: str, settings: Mapping[str, Any] | None = None
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return names and options of the choices that a learner weighs."""
    choices = get_space(space, settings).mixture
    return [choice.name for choice in choices], [choice.options for choice in choices]


def learned(algorithm: str) -> str | None:
    """Return what distribution an algorithm learns, None where it learns only weights."""
    from engine.recipes import RECIPES

    return RECIPES[algorithm].learned


# -- architectures ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Drawn:
    """One architecture as it can be shown without torch."""

    text: str
    graphs: dict[str, CellGraph]
    cost: Cost


def size(space: str, settings: Mapping[str, Any] | None = None) -> int:
    """Return the number of architectures of a space with its settings.

    Raises:
        SpecError: the settings are wrong.
    """
    return get_space(space, settings).size


def draw(
    space: str, network: NetworkSpec, number: int, settings: Mapping[str, Any] | None = None
) -> Drawn:
    """Return the random architecture of a number; the same number gives the same one."""
    rng = np.random.default_rng(number)
    found = get_space(space, settings)
    return _drawn(found, network, found.sample(rng))


def describe(
    space: str,
    network: NetworkSpec,
    indices: list[int],
    settings: Mapping[str, Any] | None = None,
) -> Drawn:
    """Return the architecture of given option indices."""
    found = get_space(space, settings)
    return _drawn(found, network, Architecture.of(space, indices))


def _drawn(part: Space, network: NetworkSpec, architecture: Architecture) -> Drawn:
    return Drawn(
        part.to_text(architecture), part.graphs(architecture), part.cost(architecture, network)
    )


def zipped(place: Path) -> bytes:
    """Return a run folder, or the folder of one architecture, as ZIP."""
    from engine.export.bundle import bundle_bytes

    return bundle_bytes(place)


def export_onnx(run: RunFolder, rank: int) -> None:
    """Have the engine write `model.onnx` of a found architecture, in a process of its own.

    Raises:
        ExportError: the engine's own sentence.
    """
    command = [sys.executable, "-m", "engine", "export", str(run.path)]
    command += ["--rank", str(rank), "--to", "onnx"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=EXPORT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ExportError(
            f"The ONNX export took more than {EXPORT_SECONDS} s and was ended. Try again when "
            "the machine is less busy."
        ) from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["the export ended without a message"]
        raise ExportError(f"No ONNX file was written: {lines[-1]}")
