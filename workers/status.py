"""Who works, as the store knows it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from redis import Redis
from rq import Queue
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE
from rq.utils import utcparse
from rq.worker import Worker
from rq.worker_registration import get_keys

from workers.identity import Owner
from workers.keys import run_of

SILENT_SECONDS = 120.0

WorkerState = Literal["starting", "idle", "busy", "silent"]


@dataclass(frozen=True)
class WorkerStatus:
    """A worker.

    Attributes:
        name: machine, device and process.
        device: what it computes on.
        state: `silent` when it has given no sign of life for two minutes.
        run_id: the run it executes, None when it waits for one.
        last_heartbeat: Unix seconds of its last sign of life.
    """

    name: str
    device: str
    state: WorkerState
    run_id: str | None
    last_heartbeat: float


@dataclass(frozen=True)
class SystemStatus:
    """State of the whole system.

    Attributes:
        store_ok: the store answers.
        message: a sentence about the store, with the remedy when it is away.
        workers: all workers, by name; empty while the store is away.
        queue_length: runs that wait.
        free_disk: bytes free where the runs are.
    """

    store_ok: bool
    message: str
    workers: tuple[WorkerStatus, ...]
    queue_length: int
    free_disk: int


def read_workers(connection: Redis, queue: Queue) -> list[WorkerStatus]:
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
        answers: list[Any] = pipeline.execute()
    found = []
    for name, fields, executions in zip(names, answers[::2], answers[1::2], strict=True):
        texts = {key.decode(): value.decode(errors="replace") for key, value in fields.items()}
        status = _status(name, texts, [entry.decode(errors="replace") for entry in executions])
        if status is not None:
            found.append(status)
    return found


def _status(name: str, fields: dict[str, str], executions: list[str]) -> WorkerStatus | None:
    if "last_heartbeat" not in fields or "death" in fields:
        return None
    process = Owner.parse(fields.get("process", ""))
    if process is not None and process.alive() is False:
        return None
    heartbeat = utcparse(fields["last_heartbeat"]).timestamp()
    runs = [run_id for entry in executions if (run_id := run_of(entry.partition(":")[0]))]
    state: WorkerState = "busy" if runs else "idle"
    if fields.get("state") == "started":
        state = "starting"
    if time.time() - heartbeat > SILENT_SECONDS:
        state = "silent"
    return WorkerStatus(
        name, fields.get("device", ""), state, runs[0] if runs else None, heartbeat
    )
