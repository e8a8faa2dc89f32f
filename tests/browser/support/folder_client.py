"""A client with the interface of `workers.client.Client` that plays runs in threads.

It lets the pages be driven without a store, a worker or torch. Everything it tells comes from
real run folders.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from played_run import play

from engine.events import Event, Progress
from engine.runs import RunFolder, create_run, list_runs, open_run
from engine.spec.errors import StoreError
from engine.spec.experiment import ExperimentSpec
from engine.states import State


@dataclass(frozen=True)
class RunSummary:
    run_id: str
    name: str
    algorithm: str
    space: str
    data: str
    seed: int
    tags: list[str]
    state: State
    message: str
    progress: Progress | None
    metrics: dict[str, float | None]
    created: float
    changed: float


@dataclass(frozen=True)
class WorkerStatus:
    name: str
    device: str
    state: str
    run_id: str | None
    last_heartbeat: float


@dataclass(frozen=True)
class SystemStatus:
    store_ok: bool
    message: str
    workers: list[WorkerStatus]
    queue_length: int


@dataclass(frozen=True)
class Follow:
    events: list[Event]
    progress: Progress | None
    state: State
    message: str
    restarted: bool


@dataclass
class FolderClient:
    """Plays every submitted run in a thread of this process."""

    runs: Path
    pause_between: float = 0.05
    broken: bool = False
    wishes: dict[str, str] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def submit(self, spec: ExperimentSpec, seeds: list[int]) -> list[str]:
        self._require_store()
        folders = [create_run(self.runs, spec.model_copy(update={"seed": s})) for s in seeds]
        for folder in folders:
            self._start(folder)
        return [folder.run_id for folder in folders]

    def _start(self, folder: RunFolder) -> None:
        if self.pause_between < 0:  # no worker: runs stay queued
            return
        arguments = (folder, self.pause_between, lambda: self.wishes.pop(folder.run_id, None))
        thread = threading.Thread(target=play, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _require_store(self) -> None:
        if self.broken:
            raise StoreError("The store at 127.0.0.1:6399 does not answer. Start it again.")

    def pause(self, run_id: str) -> None:
        self._require_store()
        self.wishes[run_id] = "pause"

    def stop(self, run_id: str) -> None:
        self._require_store()
        if self.folder(run_id).state().state == "running":
            self.wishes[run_id] = "stop"
        else:
            self.folder(run_id).change_state("stopped", "as you asked")

    def resume(self, run_id: str) -> None:
        self._require_store()
        self.folder(run_id).change_state("queued")
        self._start(self.folder(run_id))

    def delete(self, run_id: str) -> None:
        self.folder(run_id).change_state("deleted")

    def undelete(self, run_id: str) -> None:
        self.folder(run_id).change_state("stopped")

    def list(self) -> list[RunSummary]:
        self._require_store()
        return [self._summary(folder) for folder in list_runs(self.runs)]

    def _summary(self, folder: RunFolder) -> RunSummary:
        spec, state = folder.spec(), folder.state()
        rankings = [e for e in folder.events() if e["type"] == "ranking"]
        metrics: dict[str, Any] = rankings[-1]["metrics"] if rankings else {}
        return RunSummary(
            folder.run_id,
            spec.name,
            spec.algorithm,
            spec.space,
            spec.data.name,
            spec.seed,
            spec.tags,
            state.seen_at(time.time()),
            state.message,
            folder.latest_progress(),
            metrics,
            state.created,
            state.changed,
        )

    def status(self) -> SystemStatus:
        if self.broken:
            return SystemStatus(False, "The store at 127.0.0.1:6399 does not answer.", [], 0)
        busy = [r for r in self.list() if r.state == "running"]
        run_id = busy[0].run_id if busy else None
        worker = WorkerStatus("cpu-1", "cpu", "busy" if busy else "idle", run_id, time.time())
        queued = sum(r.state == "queued" for r in self.list())
        return SystemStatus(True, "embedded store, 127.0.0.1:6399", [worker], queued)

    def follow(self, run_id: str, after: int) -> Follow:
        self._require_store()
        folder = self.folder(run_id)
        state = folder.state()
        return Follow(
            folder.events(after),
            folder.latest_progress(),
            state.seen_at(time.time()),
            state.message,
            False,
        )

    def folder(self, run_id: str) -> RunFolder:
        return open_run(self.runs, run_id)
