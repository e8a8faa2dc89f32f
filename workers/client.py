"""The one door to runs, queue and workers, for pages and terminal. Loads no torch.

Whatever only reads run folders works without a store; whatever needs it raises `StoreError` with a
sentence while it is away, and works again when it is back.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from typing import Any

from engine.batch import read_batch
from engine.compose import check
from engine.control import Wish
from engine.events import Event, Progress
from engine.runs import (
    RunFolder,
    RunState,
    create_run,
    new_run_id,
    open_run,
    read_json,
    write_json,
)
from engine.spec.errors import RunError, StoreError
from engine.spec.experiment import ExperimentSpec
from engine.states import RESUMABLE, State
from workers import measurements, wishes
from workers.follow import Follow, Indexes
from workers.health import StoreHealth, read_health
from workers.identity import Owner
from workers.keys import Keys, new_measurement_id
from workers.measurements import Measurement
from workers.queueing import Place, RunQueue
from workers.seeds import with_seeds
from workers.settings import Settings
from workers.status import SystemStatus, WorkerStatus, read_workers
from workers.store import Store, shown, store_url
from workers.stream import read_events, read_progress
from workers.summaries import RunSummary, Summaries

__all__ = [
    "Client", "Follow", "Measurement", "Place", "RunSummary", "StoreHealth", "SystemStatus",
    "WorkerStatus",
]  # fmt: skip

RunIds = list[str]
RunSummaries = list[RunSummary]
Events = list[Event]

KEPT = "It is kept as queued and starts once the store is back."

log = logging.getLogger("workers.client")


class Client:
    """Submits, steers and reads runs; safe to use from several threads.

    Args:
        settings: where runs and store are; None: from the environment.

    Raises:
        SettingsError: an environment variable cannot be used.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self._store = Store(self.settings)
        self._keys = Keys(self.settings.prefix)
        self._summaries = Summaries(self.settings.runs)
        self._indexes = Indexes()

    # -- steering -------------------------------------------------------------------------
    def submit(self, spec: ExperimentSpec, seeds: Sequence[int] | None = None) -> RunIds:
        """Make one run per seed and queue them.

        Args:
            spec: a valid experiment.
            seeds: seeds of the runs; None: the one in the spec.

        Returns:
            The run ids, in the order of the seeds.

        Raises:
            SpecError: it cannot run (the first reason), or a seed is wrong or given twice;
                nothing was queued.
            StoreError: the store is away; nothing was queued unless the sentence says so.
            RunError: a run folder cannot be written; nothing was queued.
        """
        specs = with_seeds(spec, [spec.seed] if seeds is None else seeds)
        faults = check(spec)
        if faults:
            raise faults[0]
        return self._queue(specs)

    def submit_sweep(self, value: dict[str, Any]) -> RunIds:
        """Queue all jobs of a sweep, or the one of an experiment, as a batch.

        Args:
            value: the mapping of the file, see `engine.spec.sweep`.

        Returns:
            The run ids, in the order of the jobs.

        Raises:
            SpecError: the sweep or one of its jobs is wrong (the first fault); nothing was queued.
            StoreError, RunError: as for `submit`.
        """
        return self._queue([job.spec for job in read_batch(value).require()])

    def pause(self, run_id: str) -> None:
        """Ask a running run to write a checkpoint and pause.

        Raises:
            RunError: it does not run, or not on a worker.
            StoreError: the store is away.
        """
        self._ask(run_id, self.folder(run_id).state(), "pause")

    def stop(self, run_id: str) -> None:
        """Stop a run for good; what is queued or paused at once, what runs at its next step.

        A running run writes a checkpoint first; one that does not react within
        `Settings.stop_seconds` is killed. A stopped run can still be resumed.

        Raises:
            RunError: it has ended already, or runs in a terminal.
            StoreError: the store is away and the run is running.
        """
        folder = self.folder(run_id)
        state = folder.state()
        if state.seen_at(time.time()) == "running":
            self._ask(run_id, state, "stop")
        elif state.state == "queued" and self._take_out(run_id):
            with self._store.use() as connection:
                wishes.ask(connection, self._keys, run_id, "stop")
        else:
            folder.change_state("stopped", "Stopped by you.")

    def resume(self, run_id: str) -> None:
        """Queue a paused, stopped, interrupted or failed run; it goes on from its checkpoint.

        Raises:
            RunError: it is in another state.
            StoreError: the store is away; nothing was changed unless the sentence says so.
        """
        folder = self.folder(run_id)
        seen = folder.state().seen_at(time.time())
        if seen not in RESUMABLE:
            raise RunError(
                f"Run {run_id} is {seen} and cannot be resumed; "
                f"possible for runs that are {', '.join(sorted(RESUMABLE))}."
            )
        with self._store.use() as connection:
            wishes.forget(connection, self._keys, run_id)
        folder.change_state("queued")
        self._enqueue([run_id])

    def delete(self, run_id: str) -> None:
        """Take a run out of the lists; its folder stays and `undelete` brings it back.

        Raises:
            RunError: it is running (stop it first), or deleted already.
        """
        folder = self.folder(run_id)
        state = folder.state()
        seen = state.seen_at(time.time())
        if seen == "running":
            raise RunError(f"Run {run_id} is running; stop it first, then delete it.")
        if state.state == "queued":
            self._take_out(run_id)
        if seen != "deleted":
            before = {"state": seen, "message": state.message}
            write_json(folder.path / "deleted.json", before)
        folder.change_state("deleted")

    def undelete(self, run_id: str) -> None:
        """Bring a deleted run back as it was; one that was queued is queued again.

        Raises:
            RunError: it is not deleted.
            StoreError: it was queued and the store is away.
        """
        folder = self.folder(run_id)
        if folder.state().state != "deleted":
            raise RunError(f"Run {run_id} is not deleted.")
        before = read_json(folder.path / "deleted.json")
        state: State = before["state"]
        folder.change_state(state, str(before["message"]))
        if state == "queued":
            self._enqueue([run_id])

    def prioritise(self, run_id: str, where: Place) -> None:
        """Move a run that waits within the queue.

        Args:
            run_id: the run.
            where: `first` or `last`, or one place `up` or `down`.

        Raises:
            RunError: it does not wait in the queue.
            StoreError: the store is away.
        """
        self.folder(run_id)
        with self._store.use() as connection:
            if not RunQueue(connection, self._keys).move(run_id, where):
                raise RunError(f"Run {run_id} does not wait in the queue (any more).")

    # -- measuring ------------------------------------------------------------------------
    def measure(self, spec: ExperimentSpec) -> str:
        """Ask the next free worker to measure time and memory of an experiment.

        Returns:
            The id to ask `measured` for; it is forgotten after an hour.

        Raises:
            SpecError: it cannot run (the first reason).
            StoreError: the store is away.
        """
        faults = check(spec)
        if faults:
            raise faults[0]
        measurement_id = new_measurement_id()
        with self._store.use() as connection:
            measurements.ask(connection, self._keys, measurement_id, spec)
            RunQueue(connection, self._keys).add([measurement_id], at_front=True)
        return measurement_id

    def measured(self, measurement_id: str) -> Measurement:
        """Return how far a measurement is.

        Raises:
            SpecError: this is no id of a measurement.
            StoreError: the store is away.
        """
        measurements.require_id(measurement_id)
        with self._store.use(patient=True) as connection:
            return measurements.read(connection, self._keys, measurement_id)

    def forget_measurement(self, measurement_id: str) -> None:
        """Take a measurement out of the queue and the store; one that runs ends by itself.

        Raises:
            SpecError: this is no id of a measurement.
            StoreError: the store is away.
        """
        measurements.require_id(measurement_id)
        with self._store.use() as connection:
            RunQueue(connection, self._keys).remove(measurement_id)
            measurements.forget(connection, self._keys, measurement_id)

    # -- reading --------------------------------------------------------------------------
    def folder(self, run_id: str) -> RunFolder:
        """Return the folder of a run.

        Raises:
            RunError: there is no such run.
        """
        return open_run(self.settings.runs, run_id)

    def list(self, deleted: bool = False) -> RunSummaries:
        """Return all runs, newest first; with `deleted` the deleted ones instead."""
        return self._summaries.all(deleted)

    def status(self) -> SystemStatus:
        """Return the state of store, workers and queue; says so when the store is away."""
        place = self.settings.runs
        while not place.exists() and place != place.parent:
            place = place.parent
        disk = shutil.disk_usage(place)
        try:
            with self._store.use(patient=True) as connection:
                queue = RunQueue(connection, self._keys)
                workers = tuple(read_workers(connection, queue.queue, self._keys))
                order = tuple(queue.order())
        except StoreError as error:
            return SystemStatus(False, str(error), (), 0, disk.free, (), disk.total)
        said = "The store answers."
        return SystemStatus(True, said, workers, len(order), disk.free, order, disk.total)

    def store_health(self) -> StoreHealth:
        """Return what the store says of itself.

        Raises:
            StoreError: the store is away.
        """
        with self._store.use(patient=True) as connection:
            where, own = shown(store_url(self.settings)), self.settings.redis_url is None
            return read_health(connection, where, own)

    def follow(self, run_id: str, after: int = -1, seen: float | None = None) -> Follow:
        """Return what is new in a run since event `after`.

        A running run is read from its stream in the store where that reaches back far enough,
        otherwise (and whenever the store is away) from its folder.

        Args:
            run_id: the run.
            after: number of the last event that the viewer has; -1 for none.
            seen: time of that event (`Follow.seen`), so that a run which went back to a
                checkpoint and overtook the viewer again is noticed too.

        Raises:
            RunError: there is no such run, or its record is damaged.
        """
        folder = self.folder(run_id)
        state = folder.state()
        shown = state.seen_at(time.time())
        events, progress = None, None
        if shown == "running":
            events, progress = self._live(run_id, state.owner, after, seen)
        live, restarted = events is not None, False
        if events is None:
            events, restarted = self._indexes.of(folder).read(after, seen)
        if events:
            after, seen = events[-1]["seq"], events[-1]["time"]
        elif restarted:
            after, seen = -1, None
        return Follow(
            events=events,
            progress=progress or folder.latest_progress(),
            state=shown,
            message=state.message,
            restarted=restarted,
            after=after,
            seen=seen,
            source="store" if live else "folder",
        )

    # -- inside ---------------------------------------------------------------------------
    def _live(
        self, run_id: str, owner: str, after: int, seen: float | None
    ) -> tuple[Events | None, Progress | None]:
        try:
            with self._store.use(patient=True) as connection:
                events = read_events(connection, self._keys, run_id, owner, after)
                progress = read_progress(connection, self._keys, run_id, owner)
        except StoreError as error:
            log.debug("Run %s is read from its folder: %s", run_id, error)
            return None, None
        if events is None or after < 0:
            return events, progress
        if seen is not None and events[0]["time"] != seen:
            return None, progress
        return events[1:], progress

    def _ask(self, run_id: str, state: RunState, wish: Wish) -> None:
        seen = state.seen_at(time.time())
        if seen != "running":
            raise RunError(f"Run {run_id} is {seen}; only a running run can {wish}.")
        if Owner.parse(state.owner) is None:
            raise RunError(f"Run {run_id} runs in a terminal; press Ctrl-C there to pause it.")
        with self._store.use() as connection:
            wishes.ask(connection, self._keys, run_id, wish)

    def _take_out(self, run_id: str) -> bool:
        """Take a run out of the queue; True when a worker has just taken it instead."""
        try:
            with self._store.use() as connection:
                queue = RunQueue(connection, self._keys)
                return not queue.remove(run_id) and run_id in queue.jobs()
        except StoreError as error:  # its job, if there is one, is left out when its turn comes
            log.warning("Run %s stays in the queue for now: %s", run_id, error)
            return False

    def _queue(self, specs: Sequence[ExperimentSpec]) -> RunIds:
        self._store.check()
        run_ids = self._create(specs)
        self._enqueue(run_ids)
        return run_ids

    def _create(self, specs: Sequence[ExperimentSpec]) -> RunIds:
        made: RunIds = []
        run_id = ""
        try:
            for spec in specs:
                run_id = new_run_id(spec)
                create_run(self.settings.runs, spec, run_id)
                made.append(run_id)
        except RunError:
            half = [] if RunFolder(self.settings.runs / run_id).exists() else [run_id]
            for name in made + half:
                shutil.rmtree(self.settings.runs / name, ignore_errors=True)
            raise
        return made

    def _enqueue(self, run_ids: RunIds) -> None:
        try:
            with self._store.use() as connection:
                RunQueue(connection, self._keys).add(run_ids)
        except StoreError as error:
            raise StoreError(f"{error} {KEPT}") from error
