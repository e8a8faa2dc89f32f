"""A worker: takes runs from the queue, one at a time, and executes them on one device.

Each run gets a process of its own, forked from the worker. Torch is loaded only there: a forked
copy of an initialised torch (its thread pools, a CUDA context) is not safe to use, and the second
or two that loading it costs are nothing beside a run. The worker itself loads what is free of
torch, watches its child, gives RQ's signs of life, and looks after orphaned runs in between.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker_registration import register

from engine.runs import RunFolder, find_path
from engine.spec.errors import RunError, StoreError, WorkbenchError
from workers import jobs, measurements, wishes
from workers.devices import Device, visible_devices
from workers.gauge import Gauge
from workers.identity import Owner, new_owner
from workers.keys import Keys, is_measurement, run_of
from workers.safe_job import SafeJob, SafeQueue
from workers.settings import Settings
from workers.store import AWAY, check, connect, shown, store_url
from workers.sweeper import Sweeper

RETRY_SECONDS = 2.0

log = logging.getLogger("workers.worker")


class DeviceWorker(Worker):
    """RQ's forking worker with our queue, sweeps in between, and runs that end in a known state.

    Args:
        settings: where runs and store are.
        connection: the store.
        device: what its runs compute on; for display.
        execute: see `jobs.Workplace`.
        shutdown: raised when the worker is told to end.
        measure: see `jobs.Workplace`.
    """

    def __init__(
        self,
        settings: Settings,
        connection: Redis,
        device: Device,
        execute: jobs.Execute = jobs.execute_with_engine,
        shutdown: wishes.Shutdown | None = None,
        measure: jobs.Measure = jobs.measure_with_engine,
    ) -> None:
        seconds = max(1, round(settings.sweep_seconds))
        name = f"{socket.gethostname()}-{device.label}-{os.getpid()}-{secrets.token_hex(2)}"
        super().__init__(
            [SafeQueue(Keys(settings.prefix).queue, connection)],
            name=name.replace(":", "-"),
            connection=connection,
            job_class=SafeJob,
            queue_class=SafeQueue,
            serializer=JSONSerializer,
            worker_ttl=seconds + 15,  # RQ waits 15 s less for a job, then calls us
            maintenance_interval=seconds,
            job_monitoring_interval=seconds,
            log_job_description=False,
        )
        self.device = device
        self.settings = settings
        self.shutdown = shutdown or wishes.Shutdown()
        self.place = jobs.Workplace(
            settings, execute, os.getpid(), self.shutdown, measure, self.name
        )
        self._process = new_owner()
        self._sweeper = Sweeper(settings, connection)
        self._last_horse = 0
        self._horse_died_of: int | None = None
        self._store_away = False
        jobs.set_workplace(self.place)

    # -- signs of life --------------------------------------------------------------------
    def serialize(self) -> dict[str, Any]:
        """Return what the store knows about this worker."""
        known = {"device": self.device.name, "process": str(self._process)}
        return super().serialize() | known

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Give a sign of life; where the store has forgotten this worker, introduce it again.

        It forgets a worker on a machine that slept for a while, and when it loses its data.
        """
        super().heartbeat(timeout, pipeline)
        if pipeline is None and not self.connection.hexists(self.key, "birth"):
            known: Any = self.serialize()
            self.connection.hset(self.key, mapping=known)
        if not self.is_horse:
            register(self, pipeline)

    def run_maintenance_tasks(self) -> None:
        """Look after orphaned runs, in place of RQ's own maintenance, which knows no runs."""
        self._sweep()
        self.last_cleaned_at = now()  # type: ignore[assignment]

    def maintain_heartbeats(self, job: Job, execution: Any) -> None:
        """Give signs of life and sweep while a run is going on, store or no store."""
        try:
            super().maintain_heartbeats(job, execution)
            self._sweep()
        except RedisError as error:
            if not self._store_away:
                log.warning("The store is away; the run goes on without it: %s", error)
            self._store_away = True
        else:
            self._store_away = False

    def _sweep(self) -> None:
        try:
            self._sweeper.sweep()
        except RedisError:
            raise
        except Exception:  # a fault here must not end a worker whose run is going on
            log.exception("Orphaned runs could not be looked after")

    def handle_payload(self, message: Any) -> None:
        """Take a command from the store; one that is damaged is left out."""
        try:
            super().handle_payload(message)  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.error("A damaged command from the store is left out: %r", error)

    # -- ending ---------------------------------------------------------------------------
    def check_for_suspension(self, burst: bool) -> None:
        """Before each job: leave if told to while the signal handlers were not yet in place."""
        if self.shutdown.asked:
            raise StopRequested
        super().check_for_suspension(burst)

    def handle_warm_shutdown_request(self) -> None:
        """Ask the run that is going on to write a checkpoint and leave."""
        self.shutdown.asked = True
        if self.horse_pid and os.getpid() == self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def set_shutdown_requested_date(self) -> None:
        """Tell the store that this worker ends, if it is there."""
        with contextlib.suppress(*AWAY):
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]

    def setup_work_horse_signals(self) -> None:
        """In a run's process: SIGTERM asks for a checkpoint, Ctrl-C is the worker's matter."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _raiser(self.shutdown))

    def teardown(self) -> None:
        """Take leave of the store, if it is there."""
        try:
            super().teardown()  # type: ignore[no-untyped-call]
        except RedisError as error:
            log.warning("The store is away and does not learn that this worker ends: %s", error)
            if self.pubsub_thread:
                self.pubsub_thread.stop()

    # -- one run --------------------------------------------------------------------------
    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        """Wait for the process of the run; remember how it ended."""
        pid, status, usage = super().wait_for_horse()
        if status is not None:
            killed = os.WIFSIGNALED(status)
            self._horse_died_of = os.WTERMSIG(status) if killed else None
        return pid, status, usage

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Start the process of a run."""
        super().fork_work_horse(job, queue)
        self._last_horse = self.horse_pid

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Execute a job in a process of its own; however that ends, its run or answer says so."""
        self._last_horse, self._horse_died_of = 0, None
        forced = False
        try:
            super().execute_job(job, queue)
        except SystemExit:
            forced = True
            raise
        finally:
            name = run_of(job.id)
            if name is not None and self._last_horse:
                if is_measurement(name):
                    self._settle_measurement(name)
                else:
                    self._settle(name, forced or self.shutdown.asked)

    def _settle_measurement(self, measurement_id: str) -> None:
        """Give a measurement whose process died without a word an answer that tells so."""
        keys = Keys(self.settings.prefix)
        message = _killed_measuring(self._horse_died_of)
        with contextlib.suppress(*AWAY):
            measurements.fail_unanswered(self.connection, keys, measurement_id, message)

    def _settle(self, run_id: str, ending: bool) -> None:
        """Give a run whose process died without a word a state that tells so."""
        folder = RunFolder(find_path(self.settings.runs, run_id))
        if not folder.exists():
            return
        try:
            state = folder.state()
            owner = Owner.parse(state.owner)
            mine = owner is not None and owner.pid == self._last_horse and not owner.alive()
            if state.state == "running" and mine:
                self._settle_running(folder, ending)
            elif state.state == "queued" and self._horse_died_of and not ending:
                folder.change_state("failed", _killed_before_start(self._horse_died_of))
        except RunError as error:
            log.error("Run %s cannot be marked: %s", run_id, error)

    def _settle_running(self, folder: RunFolder, ending: bool) -> None:
        if self._asked_to_stop(folder.run_id):
            folder.change_state(
                "stopped",
                "Killed, as it did not stop by itself; resuming goes on from the last checkpoint.",
            )
            return
        folder.change_state("interrupted", _killed(self._horse_died_of))
        log.warning("Run %s was interrupted (signal %s).", folder.run_id, self._horse_died_of)
        if ending:
            jobs.put_back(self.settings, folder)

    def _asked_to_stop(self, run_id: str) -> bool:
        try:
            found = wishes.read(self.connection, Keys(self.settings.prefix), [run_id])
        except RedisError as error:
            log.warning("The store cannot be asked why run %s ended: %s", run_id, error)
            return False
        return run_id in found and found[run_id].wish == "stop"


def _killed(died_of: int | None) -> str:
    if died_of is None:
        return "The process that ran this ended without a word; see the worker's log. Resume it."
    hint = ", often because memory ran out" if died_of == signal.SIGKILL else ""
    return (
        f"The process that ran this was killed (signal {died_of}{hint}); "
        "resume it to go on from the last checkpoint."
    )


def _killed_before_start(died_of: int) -> str:
    return (
        f"The process that was to run this was killed (signal {died_of}) before it began, often "
        "because memory ran out; see the worker's log, then resume it."
    )


def _killed_measuring(died_of: int | None) -> str:
    if died_of is None:
        return "The process that measured ended without a word; see the worker's log."
    hint = ", often because memory ran out: lower batch size or channels" if died_of == 9 else ""
    return f"The process that measured was killed (signal {died_of}{hint})."


def _raiser(shutdown: wishes.Shutdown) -> Callable[[int, object], None]:
    def handler(number: int, frame: object) -> None:
        shutdown.asked = True

    return handler


def serve(
    settings: Settings,
    device: Device,
    execute: jobs.Execute = jobs.execute_with_engine,
    measure: jobs.Measure = jobs.measure_with_engine,
) -> None:
    """Work until told to end (SIGTERM, Ctrl-C), waiting for the store whenever it is away."""
    shutdown = wishes.Shutdown()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _raiser(shutdown))
    while not shutdown.asked:
        try:
            _work(settings, device, execute, measure, shutdown)
        except (StoreError, RedisError) as error:
            log.warning("%s Trying again.", error)
        for number in (signal.SIGTERM, signal.SIGINT):  # RQ has put its own in their place
            signal.signal(number, _raiser(shutdown))
        if not shutdown.asked:
            time.sleep(RETRY_SECONDS)


def _work(
    settings: Settings,
    device: Device,
    execute: jobs.Execute,
    measure: jobs.Measure,
    shutdown: wishes.Shutdown,
) -> None:
    url = store_url(settings)
    probe = connect(url)  # not the worker's: RQ needs longer timeouts on its connection
    check(probe, shown(url))
    probe.close()
    connection = connect(url)
    worker = DeviceWorker(settings, connection, device, execute, shutdown, measure)
    with Gauge(settings, device, worker.name):
        worker.work(logging_level="INFO")
    connection.close()


def main(arguments: list[str] | None = None) -> int:
    """Run a worker; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers.worker", description=__doc__)
    parser.add_argument(
        "--device",
        default="auto",
        help="`cpu`, the number or UUID of a GPU, or `auto` for the first GPU if there is one",
    )
    wanted = parser.parse_args(arguments).device
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s: %(message)s"
    )
    try:
        settings = Settings.from_environment()
        device = visible_devices(wanted)[0]
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return 2
    os.environ["CUDA_VISIBLE_DEVICES"] = device.visible
    serve(settings, device)
    return 0


if __name__ == "__main__":
    sys.exit(main())
