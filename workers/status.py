"""Who works, as the store knows it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Literal

from redis import Redis
from rq import Queue
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE
from rq.utils import utcparse
from rq.worker import Worker
from rq.worker_registration import get_keys

from workers.gauge import Reading
from workers.identity import Owner
from workers.keys import Keys, is_measurement, run_of

SILENT_SECONDS = 120.0

WorkerState = Literal["starting", "idle", "busy", "measuring", "silent"]


@dataclass(frozen=True)
class WorkerStatus:
    """A worker.

    Attributes:
        name: machine, device and process.
        device: what it computes on.
        state: `measuring` while it estimates time and memory; `silent` when it has given no sign
            of life for two minutes.
        run_id: the run it executes, None when it waits for one.
        last_heartbeat: Unix seconds of its last sign of life.
        reading: memory and load of its device, None when nobody can tell.
    """

    name: str
    device: str
    state: WorkerState
    run_id: str | None
    last_heartbeat: float
    reading: Reading | None = None

    @property
    def busy(self) -> bool:
        """Tell whether it executes a run or measures."""
        return self.run_id is not None or self.state == "measuring"


@dataclass(frozen=True)
class SystemStatus:
    """State of the whole system.

    Attributes:
        store_ok: the store answers.
        message: a sentence about the store, with the remedy when it is away.
        workers: all workers, by name; empty while the store is away.
        queue_length: runs that wait.
        free_disk: bytes free where the runs are.
        queue: the runs that wait, the next one first.
        total_disk: bytes in all where the runs are.
    """

    store_ok: bool
    message: str
    workers: tuple[WorkerStatus, ...]
    queue_length: int
    free_disk: int
    queue: tuple[str, ...] = ()
    total_disk: int = 0

    def place(self, run_id: str) -> int | None:
        """Return the place of a run in the queue, from 1; None when it does not wait there."""
        return self.queue.index(run_id) + 1 if run_id in self.queue else None

    @property
    def idle_worker(self) -> bool:
        """Tell whether a worker could begin something at once."""
        return any(worker.state == "idle" for worker in self.workers)


def read_workers(connection: Redis, queue: Queue, keys: Keys) -> list[WorkerStatus]:
    """Return the workers of a queue; those known to be dead are left out.

    Raises:
        RedisError: the store does not answer.
    """
    prefix = Worker.redis_worker_namespace_prefix
    names = sorted(key.removeprefix(prefix) for key in get_keys(queue))
    with connection.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.hgetall(prefix + name)
            pipeline.smembers(WORKER_EXECUTIONS_KEY_TEMPLATE.format(name))
            pipeline.get(keys.gauge(name))
        answers: list[Any] = pipeline.execute()
    found = []
    for position, name in enumerate(names):
        fields, executions, gauge = answers[3 * position : 3 * position + 3]
        texts = {key.decode(): value.decode(errors="replace") for key, value in fields.items()}
        status = _status(name, texts, [entry.decode(errors="replace") for entry in executions])
        if status is not None:
            found.append(replace(status, reading=Reading.parse(gauge)))
    return found


def _status(name: str, fields: dict[str, str], executions: list[str]) -> WorkerStatus | None:
    if "last_heartbeat" not in fields or "death" in fields:
        return None
    process = Owner.parse(fields.get("process", ""))
    if process is not None and process.alive() is False:
        return None
    heartbeat = utcparse(fields["last_heartbeat"]).timestamp()
    jobs = [job for entry in executions if (job := run_of(entry.partition(":")[0]))]
    runs = [job for job in jobs if not is_measurement(job)]
    state: WorkerState = "busy" if runs else "measuring" if jobs else "idle"
    if fields.get("state") == "started":
        state = "starting"
    if time.time() - heartbeat > SILENT_SECONDS:
        state = "silent"
    return WorkerStatus(
        name, fields.get("device", ""), state, runs[0] if runs else None, heartbeat
    )
