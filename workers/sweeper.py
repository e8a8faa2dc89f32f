"""Puts right what killed processes left behind; every worker does it in turn.

A run whose process died is marked interrupted; a run that is queued on disk but not in the queue
goes back into it, which also rebuilds a lost store from the run folders; a run that was asked to
stop and does not is killed; RQ's lists forget jobs whose worker is gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from redis import Redis
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.worker_registration import clean_worker_registry

from engine.runs import RunFolder, RunState, list_runs
from engine.spec.errors import RunError
from workers import wishes
from workers.identity import Owner
from workers.keys import Keys
from workers.queueing import Jobs, RunQueue
from workers.safe_job import SafeJob
from workers.settings import Settings

LOCK_SECONDS = 60
YOUNG_SECONDS = 5.0  # a run queued a moment ago is on its way into the queue
LOST_SECONDS = 60.0  # a job between queue and worker for so long has lost its worker

GONE = "The process that ran this is gone; resume it to go on from the last checkpoint."
SILENT = (
    "The process that ran this has given no sign of life for over a minute; "
    "resume it to go on from the last checkpoint."
)

log = logging.getLogger("workers.sweeper")


@dataclass
class Swept:
    """What a sweep did, as run ids.

    Attributes:
        interrupted: marked so, because their process is gone.
        queued: put back into the queue.
        killed: told to be killed, because they did not stop by themselves.
    """

    interrupted: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)


class Sweeper:
    """Looks after runs; `sweep` raises `RedisError` when the store does not answer.

    Args:
        settings: where the runs are, and how long a run has to stop by itself.
        connection: the store.
        clock: seconds on a monotonic clock.
    """

    def __init__(
        self,
        settings: Settings,
        connection: Redis,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._keys = Keys(settings.prefix)
        self._queue = RunQueue(connection, self._keys)
        self._clock = clock
        self._silent: dict[tuple[str, float], float] = {}
        self._starting: dict[str, float] = {}

    def sweep(self) -> Swept | None:
        """Look after all runs once; None when another worker is doing so just now."""
        lock = self._keys.sweep_lock
        if not self._connection.set(lock, "1", nx=True, ex=LOCK_SECONDS):
            return None
        try:
            return self._sweep()
        finally:
            self._connection.delete(lock)

    def _sweep(self) -> Swept:
        self._clean_registries()
        swept = Swept()
        states = _states(self._settings)
        running = {name: one for name, one in states.items() if one[1].state == "running"}
        self._silent = {mark: at for mark, at in self._silent.items() if mark[0] in running}
        for name, (folder, state) in running.items():
            if self._interrupt(folder, state):
                swept.interrupted.append(name)
        jobs = self._queue.jobs()
        self._drop_lost(jobs)
        swept.killed = self._kill(list(running), jobs)
        swept.queued = self._requeue(states, jobs)
        return swept

    def _clean_registries(self) -> None:
        queue = self._queue.queue
        for registry in (StartedJobRegistry, FailedJobRegistry):
            registry(queue=queue, job_class=SafeJob).cleanup()
        clean_worker_registry(queue)

    def _interrupt(self, folder: RunFolder, state: RunState) -> bool:
        owner = Owner.parse(state.owner)
        alive = owner.alive() if owner else None
        if alive:
            return False
        if alive is None and not self._silent_twice(folder.run_id, state):
            return False
        try:
            folder.change_state("interrupted", SILENT if alive is None else GONE)
        except RunError as error:
            log.info("Run %s moved on meanwhile: %s", folder.run_id, error)
            return False
        log.warning("Run %s was interrupted: its process is gone.", folder.run_id)
        return True

    def _silent_twice(self, run_id: str, state: RunState) -> bool:
        """Tell whether an owner elsewhere stayed silent over a whole sweep.

        Once is not enough: after a machine has slept, everybody looks silent for a moment.
        """
        if state.seen_at(time.time()) != "interrupted":
            return False
        mark = (run_id, state.heartbeat)
        first = self._silent.setdefault(mark, self._clock())
        return self._clock() - first >= self._settings.sweep_seconds / 2

    def _drop_lost(self, jobs: Jobs) -> None:
        now = self._clock()
        waiting = {
            job_id
            for run_id, job_ids in jobs.starting.items()
            for job_id in job_ids
            if job_id not in jobs.working.get(run_id, [])
        }
        self._starting = {one: self._starting.get(one, now) for one in waiting}
        for job_id, since in self._starting.items():
            if now - since > LOST_SECONDS:
                log.warning("Job %s was lost with its worker.", job_id)
                self._queue.drop_starting(job_id)

    def _kill(self, running: list[str], jobs: Jobs) -> list[str]:
        killed = []
        for name, request in wishes.read(self._connection, self._keys, running).items():
            late = time.time() - request.at > self._settings.stop_seconds
            if request.wish != "stop" or not late:
                continue
            if any(self._queue.kill(job_id) for job_id in jobs.working.get(name, [])):
                log.warning("Run %s did not stop by itself and is killed.", name)
                killed.append(name)
        return killed

    def _requeue(self, states: dict[str, tuple[RunFolder, RunState]], jobs: Jobs) -> list[str]:
        now = time.time()
        lost = [
            (state.changed, folder)
            for name, (folder, state) in states.items()
            if state.state == "queued" and name not in jobs and now - state.changed > YOUNG_SECONDS
        ]
        lost.sort(key=lambda pair: (pair[0], pair[1].run_id))
        # Runs that had begun go first, and adding at the front turns the order round.
        begun = [f.run_id for _, f in lost if (f.path / "events.jsonl").is_file()]
        fresh = [f.run_id for _, f in lost if not (f.path / "events.jsonl").is_file()]
        if begun:
            self._queue.add(begun[::-1], at_front=True)
        if fresh:
            self._queue.add(fresh)
        return begun + fresh


def _states(settings: Settings) -> dict[str, tuple[RunFolder, RunState]]:
    found = {}
    for folder in list_runs(settings.runs):
        try:
            found[folder.run_id] = (folder, folder.state())
        except RunError as error:
            log.warning("A run is left out: %s", error)
    return found
