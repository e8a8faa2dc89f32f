"""The real embedded store and real worker processes, with waiting times cut short."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import psutil

from engine.runs import write_json
from engine.spec.experiment import ExperimentSpec
from workers.client import Client
from workers.server import EmbeddedStore
from workers.settings import ROOT, Settings

FAKE_WORKER = (sys.executable, str(Path(__file__).with_name("fake_engine.py")))


T = TypeVar("T")


def wait_for(what: Callable[[], T], seconds: float = 20.0) -> T:
    """Return the first true answer; fails when there is none in time."""
    until = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.03)
    return answer


def fake_spec(**plan: Any) -> ExperimentSpec:
    """Return an experiment for `fake_engine`."""
    return ExperimentSpec(name="fake", notes=json.dumps(plan))


class Lab:
    """A store, a client, and workers that are ended after the test."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = EmbeddedStore(settings)
        self.store.start()
        self.client = Client(settings)
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a worker process; by default with the fake engine."""
        environment = os.environ | self.settings.to_environment() | {"PYTHONPATH": str(ROOT)}
        with open(self.settings.logs / "worker.log", "ab") as log:
            worker = subprocess.Popen(
                command or FAKE_WORKER, env=environment, stdout=log, stderr=log, cwd=ROOT
            )
        self.workers.append(worker)
        return worker

    def log(self) -> str:
        """Return what all workers said."""
        return (self.settings.logs / "worker.log").read_text()

    def state(self, run_id: str) -> str:
        """Return a run's state as it is written."""
        return self.client.folder(run_id).state().state

    def reach(self, run_id: str, state: str, seconds: float = 20.0) -> None:
        """Wait until a run is in a state."""
        try:
            wait_for(lambda: self.state(run_id) == state, seconds)
        except AssertionError:
            raise AssertionError(
                f"{self.client.folder(run_id).state()} instead of {state}\n{self.log()}"
            ) from None

    def step(self, run_id: str) -> int:
        """Return the last step of a fake run."""
        return self.client.follow(run_id).progress["done"]

    def reach_step(self, run_id: str, step: int) -> None:
        """Wait until a fake run has done a number of steps."""
        wait_for(
            lambda: (self.client.folder(run_id).latest_progress() or {}).get("done", 0) >= step
        )

    def age(self, run_id: str, seconds: float = 60.0) -> None:
        """Let a run's last change of state be longer ago."""
        folder = self.client.folder(run_id)
        state = asdict(folder.state())
        write_json(folder.path / "state.json", state | {"changed": state["changed"] - seconds})

    def process(self, run_id: str) -> int:
        """Return the process id of the job that executes a run."""
        return int(self.client.folder(run_id).state().owner.split(":")[2])

    def end(self) -> None:
        """End workers and store."""
        for worker in self.workers:
            if worker.poll() is None:
                for process in [*psutil.Process(worker.pid).children(), worker]:
                    process.kill()
            worker.wait()
        self.store.stop()
