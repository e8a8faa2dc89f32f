"""Measured times and memory, shared by all tabs and kept for the next start of the page."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app import client
from app.background import Task
from engine.measured import Estimate, cost_key
from engine.spec.errors import StoreError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import dump

if TYPE_CHECKING:
    from workers.client import Measurement

KEPT = 300
TASK = "estimate:"
HERE = "this page's machine"


@dataclass
class Kept:
    """Estimates by `cost_key`, the latest last, and the measurements that workers were asked for.

    Attributes:
        file: where estimates are kept between two starts.
        found: what was measured, and by whom.
        asked: measurement id by `cost_key`.
    """

    file: Path
    found: OrderedDict[str, tuple[Estimate, str]] = field(default_factory=OrderedDict)
    asked: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> None:
        """Read what an earlier start has kept; a damaged file counts as none."""
        with suppress(OSError, ValueError, TypeError, KeyError, StoreError):
            rows = json.loads(self.file.read_text(encoding="utf-8"))
            for row in rows[-KEPT:]:
                estimate = Estimate.from_json(row["estimate"])
                self.found[estimate.key] = estimate, str(row["worker"])

    def keep(self, estimate: Estimate, worker: str) -> None:
        """Remember an estimate; where it cannot be written it is remembered in memory only."""
        with self.lock:
            self.found.pop(estimate.key, None)
            self.found[estimate.key] = estimate, worker
            while len(self.found) > KEPT:
                self.found.popitem(last=False)
            rows = [{"estimate": e.to_json(), "worker": w} for e, w in self.found.values()]
            temporary = self.file.with_name(f".{self.file.name}.{secrets.token_hex(4)}")
            with suppress(OSError):
                self.file.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_text(json.dumps(rows), encoding="utf-8")
                os.replace(temporary, self.file)


@st.cache_resource(show_spinner=False)
def _kept() -> Kept:
    kept = Kept(client.client().settings.data / "estimates.json")
    kept.load()
    return kept


def known(spec: ExperimentSpec) -> Estimate | None:
    """Return what was measured for an experiment that costs the same, if anything was."""
    found = _kept().found.get(cost_key(spec))
    return found[0] if found else None


def measured_by(spec: ExperimentSpec) -> str:
    """Return who measured it: a worker's name, or `HERE`."""
    found = _kept().found.get(cost_key(spec))
    return found[1] if found else ""


def by_key(key: str) -> Estimate | None:
    """Return the estimate of a `cost_key`."""
    found = _kept().found.get(key)
    return found[0] if found else None


# -- on a worker --------------------------------------------------------------------------------
def ask(spec: ExperimentSpec) -> None:
    """Ask the next free worker to measure.

    Raises:
        SpecError: it cannot run.
        StoreError: the store is away.
    """
    forget(spec)
    _kept().asked[cost_key(spec)] = client.client().measure(spec)
    client.changed()


def progress(spec: ExperimentSpec) -> Measurement | None:
    """Return how far the worker's measurement is, None where none was asked for.

    A finished one is kept, after which `known` has it.

    Raises:
        StoreError: the store is away.
    """
    kept, key = _kept(), cost_key(spec)
    asked = kept.asked.get(key)
    if asked is None:
        return None
    found = client.client().measured(asked)
    if found.state == "done" and found.estimate is not None:
        kept.keep(found.estimate, found.worker)
        kept.asked.pop(key, None)
    return found


def forget(spec: ExperimentSpec) -> None:
    """Take a measurement back that still waits, or that failed."""
    asked = _kept().asked.pop(cost_key(spec), None)
    if asked is not None:
        with suppress(StoreError):
            client.client().forget_measurement(asked)


# -- on the page's machine ----------------------------------------------------------------------
def task_key(spec: ExperimentSpec) -> str:
    """Return the key of the background task that measures here."""
    return TASK + cost_key(spec)


def measure_here(spec: ExperimentSpec) -> None:
    """Measure on the page's own machine, in the background.

    Raises:
        TaskError: it is being measured already.
    """
    descriptor, name = tempfile.mkstemp(prefix="nas-workbench-", suffix=".yaml")
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(dump(spec))

    def after(task: Task) -> None:
        Path(name).unlink(missing_ok=True)

    try:
        arguments = ["estimate", name, "--json"]
        client.tasks().start(task_key(spec), "Measuring time and memory", arguments, after)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    forget(spec)


def take_over(task: Task) -> None:
    """Keep what a background task has measured, and forget the task."""
    with suppress(StoreError):
        _kept().keep(Estimate.from_json(task.output), HERE)
    client.tasks().forget(task.key)
