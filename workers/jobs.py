"""What a worker does for one job. The queue may call `run_experiment` and `measure`, no more."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.exceptions import RedisError

from engine.compose import require_runnable
from engine.control import Control
from engine.events import Sink
from engine.measured import Estimate
from engine.runs import RunFolder, open_run
from engine.spec.errors import RunError, StoreError, WorkbenchError
from engine.spec.experiment import ExperimentSpec
from engine.states import State
from workers import measurements, wishes
from workers.identity import new_owner
from workers.keys import Keys
from workers.queueing import RunQueue
from workers.settings import Settings
from workers.store import connect, store_url
from workers.stream import RedisSink

MOVED_ON = "The workbench was stopped while this ran; it goes on from its checkpoint."
LIVE_TIMEOUT = 2.0  # seconds that a training step may wait for the store

log = logging.getLogger("workers.jobs")


class Execute(Protocol):
    """`engine.experiment.execute`: runs or resumes a run and returns the state it ended in."""

    def __call__(
        self, folder: RunFolder, *, owner: str, sinks: Sequence[Sink], control: Control | None
    ) -> State: ...


def execute_with_engine(
    folder: RunFolder, *, owner: str, sinks: Sequence[Sink], control: Control | None
) -> State:
    """Load the engine's torch side, which only the process of a job may do, and run.

    Raises:
        RunError: the engine cannot be loaded; the run is marked failed with the sentence.
    """
    try:
        from engine.experiment import execute
    except ImportError as error:
        message = f"The engine cannot be loaded ({error}); run `make clean run` to reinstall it."
        folder.change_state("failed", message)
        raise RunError(message) from error
    return execute(folder, owner=owner, sinks=sinks, control=control)


class Measure(Protocol):
    """`engine.probe.probe`: does a few real steps of a run and tells what it would take."""

    def __call__(
        self,
        spec: ExperimentSpec,
        *,
        report: Callable[[str, int, int | None], None],
        poll: Callable[[], None],
    ) -> Estimate: ...


def measure_with_engine(
    spec: ExperimentSpec,
    *,
    report: Callable[[str, int, int | None], None],
    poll: Callable[[], None],
) -> Estimate:
    """Load the engine's torch side, which only the process of a job may do, and measure."""
    from engine.probe import probe

    return probe(spec, report=report, poll=poll)


@dataclass
class Workplace:
    """What a worker hands to the process of a job, which is forked from it.

    Attributes:
        settings: where runs and store are.
        execute: runs a run; tests put something quicker here.
        parent: process id of the worker; None when nobody waits for the job.
        shutdown: raised when the worker is told to end.
        measure: does a measurement; tests put something quicker here.
        worker: name of the worker.
    """

    settings: Settings
    execute: Execute = execute_with_engine
    parent: int | None = None
    shutdown: wishes.Shutdown = field(default_factory=wishes.Shutdown)
    measure: Measure = measure_with_engine
    worker: str = ""


_workplace: Workplace | None = None


def set_workplace(workplace: Workplace) -> None:
    """Say for which worker the jobs of this process and of its children run."""
    global _workplace
    _workplace = workplace


def run_experiment(run_id: str) -> None:
    """Run or resume a queued run; anything that is not queued (any more) is left alone.

    Raises:
        WorkbenchError: the run failed, with the sentence it is marked with; or there is no run.
    """
    place = _workplace or Workplace(Settings.from_environment())
    folder = open_run(place.settings.runs, run_id)
    state = folder.state().state
    if state != "queued":
        log.warning("Run %s is %s, so its job in the queue is left out.", run_id, state)
        return
    keys = Keys(place.settings.prefix)
    connection = connect(store_url(place.settings), timeout=LIVE_TIMEOUT)
    owner = str(new_owner())
    control = wishes.RedisControl(
        connection, keys, run_id, shutdown=place.shutdown, parent=place.parent
    )
    if control.wish() == "stop":
        folder.change_state("stopped", "Stopped before it started.")
        return
    if control.leaving:
        return  # still queued on disk; the next sweep puts it back into the queue
    sink = RedisSink(connection, keys, run_id, owner)
    _run(place, folder, owner, sink, control)


def measure(measurement_id: str) -> None:
    """Measure time and memory of an experiment that stands in the store.

    Whatever happens, the answer in the store says so, as far as the store can be reached.

    Raises:
        WorkbenchError: it could not be measured, with the sentence of the answer.
    """
    place = _workplace or Workplace(Settings.from_environment())
    keys = Keys(place.settings.prefix)
    connection = connect(store_url(place.settings), timeout=LIVE_TIMEOUT)
    owner, told = str(new_owner()), ""

    def tell(state: measurements.MeasurementState, message: str = "", **more: Any) -> None:
        measurements.tell(
            connection,
            keys,
            measurement_id,
            state,
            worker=place.worker,
            owner=owner,
            message=message,
            **more,
        )

    def report(what: str, done: int, total: int | None) -> None:
        nonlocal told
        if what != told:
            told = what
            tell("running", what)

    def poll() -> None:
        orphaned = place.parent is not None and os.getppid() != place.parent
        if place.shutdown.asked or orphaned:
            raise RunError("The worker ended while it measured; measure again.")

    measurements.require_id(measurement_id)
    report("Loading", 0, None)
    try:
        spec = measurements.requested(connection, keys, measurement_id)
        require_runnable(spec)
        tell("done", estimate=place.measure(spec, report=report, poll=poll))
    except WorkbenchError as error:
        tell("failed", str(error))
        raise
    except Exception as error:
        tell("failed", _unexpected("measurement", error))
        raise


def _run(
    place: Workplace,
    folder: RunFolder,
    owner: str,
    sink: RedisSink,
    control: wishes.RedisControl,
) -> None:
    try:
        state = place.execute(folder, owner=owner, sinks=(sink,), control=control)
    except WorkbenchError as error:
        log.error("Run %s: %s", folder.run_id, error)
        raise
    except Exception as error:
        _mark_failed(folder, owner, error)
        raise
    if state == "paused" and control.leaving:
        put_back(place.settings, folder)
    log.info("Run %s is %s (process %d).", folder.run_id, folder.state().state, os.getpid())


def put_back(settings: Settings, folder: RunFolder) -> None:
    """Queue a run again whose worker ends; without a store the next sweep does so.

    Raises:
        RunError: the run is in a state in which it cannot be queued.
    """
    folder.change_state("queued", MOVED_ON)
    try:
        connection = connect(store_url(settings), timeout=LIVE_TIMEOUT)
        RunQueue(connection, Keys(settings.prefix)).add([folder.run_id], at_front=True)
    except (RedisError, StoreError) as error:
        log.warning("Run %s is not in the queue yet: %s", folder.run_id, error)


def _mark_failed(folder: RunFolder, owner: str, error: Exception) -> None:
    """Mark a run that ended with a fault of ours, unless somebody else has it by now."""
    now = folder.state()
    if now.state == "running" and now.owner != owner:
        return
    message = _unexpected("run", error) + " Resume goes on from the checkpoint."
    try:
        folder.change_state("failed", message)
    except RunError:
        log.exception("Run %s cannot be marked failed", folder.run_id)


def _unexpected(what: str, error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0]
    return (
        f"The {what} ended with an unexpected error ({type(error).__name__}: {first:.300}). "
        "The worker's log has the details; please report it."
    )
