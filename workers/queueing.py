"""The queue of runs: putting runs in, taking them out, and telling where their jobs are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from redis import Redis
from redis.exceptions import WatchError
from rq.command import send_command
from rq.exceptions import NoSuchJobError

from engine.spec.errors import StoreError
from workers.keys import Keys, is_measurement, new_job_id, run_of
from workers.safe_job import SafeJob, SafeQueue, failure_lifetime, function_of

Place = Literal["first", "up", "down", "last"]
MOVES = 20  # attempts, as others may change the queue at the same time


@dataclass
class Jobs:
    """Job ids by run, by where they are.

    Attributes:
        waiting: in the queue.
        starting: taken by a worker, not begun yet (or lost with it).
        working: being worked on (or lost with the worker, until RQ notices).
    """

    waiting: dict[str, list[str]] = field(default_factory=dict)
    starting: dict[str, list[str]] = field(default_factory=dict)
    working: dict[str, list[str]] = field(default_factory=dict)

    def __contains__(self, run_id: str) -> bool:
        return any(run_id in place for place in (self.waiting, self.starting, self.working))


class RunQueue:
    """The queue in the store; every method raises `RedisError` when the store does not answer.

    Args:
        connection: the store.
        keys: names of the workbench's keys.
    """

    def __init__(self, connection: Redis, keys: Keys) -> None:
        self.connection = connection
        self.queue = SafeQueue(keys.queue, connection)
        self._starting_key = self.queue.intermediate_queue_key
        self._working_key = self.queue.started_job_registry.key

    def add(self, run_ids: Sequence[str], *, at_front: bool = False) -> None:
        """Put runs (or measurements) into the queue, all or none."""
        with self.connection.pipeline() as pipeline:
            for run_id in run_ids:
                self.queue.enqueue_call(
                    function_of(run_id),
                    args=[run_id],
                    timeout=-1,
                    result_ttl=0,
                    failure_ttl=failure_lifetime(run_id),
                    description=run_id,
                    job_id=new_job_id(run_id),
                    at_front=at_front,
                    pipeline=pipeline,
                )
            pipeline.execute()

    def remove(self, run_id: str) -> bool:
        """Take a run out of the queue; False when it was not waiting there."""
        removed = False
        for job_id in self.jobs().waiting.get(run_id, []):
            if self.connection.lrem(self.queue.key, 0, job_id):
                self.connection.delete(SafeJob.key_for(job_id))
                removed = True
        return removed

    def drop_starting(self, job_id: str) -> None:
        """Forget a job whose worker vanished before it began."""
        self.connection.lrem(self._starting_key, 0, job_id)
        self.connection.delete(SafeJob.key_for(job_id))

    def jobs(self) -> Jobs:
        """Return where all jobs are."""
        with self.connection.pipeline() as pipeline:
            pipeline.lrange(self.queue.key, 0, -1)
            pipeline.lrange(self._starting_key, 0, -1)
            pipeline.zrange(self._working_key, 0, -1)
            waiting, starting, working = pipeline.execute()
        return Jobs(_by_run(waiting), _by_run(starting), _by_run(working))

    def order(self) -> list[str]:
        """Return the runs that wait, the next one first; measurements are left out."""
        return list(_by_run(self.connection.lrange(self.queue.key, 0, -1), runs_only=True))

    def move(self, run_id: str, where: Place) -> bool:
        """Move a waiting run within the queue, in one step; False when it does not wait there.

        Args:
            run_id: the run.
            where: `first` or `last` of all runs, or one place `up` or `down`.
        """
        for _ in range(MOVES):
            with self.connection.pipeline() as pipeline:
                pipeline.watch(self.queue.key)  # type: ignore[no-untyped-call]
                waiting = _by_run(pipeline.lrange(self.queue.key, 0, -1), runs_only=True)
                if run_id not in waiting:
                    return False
                pivot = _pivot(list(waiting), run_id, where)
                if pivot is None:
                    return True
                side = "AFTER" if where in ("down", "last") else "BEFORE"
                place = waiting[pivot][-1 if side == "AFTER" else 0]
                pipeline.multi()
                for job_id in waiting[run_id]:
                    pipeline.lrem(self.queue.key, 0, job_id)
                    pipeline.linsert(self.queue.key, side, place, job_id)
                with suppress(WatchError):  # a worker or another viewer changed it meanwhile
                    pipeline.execute()
                    return True
        raise StoreError("The queue changes too quickly to reorder it; try again in a moment.")

    def kill(self, job_id: str) -> bool:
        """Tell the worker to kill the process of a job; False when no worker has it."""
        try:
            worker = SafeJob.fetch(job_id, self.connection).worker_name
        except NoSuchJobError:
            return False
        if not worker:
            return False
        send_command(self.connection, worker, "stop-job", job_id=job_id)
        return True


def _by_run(entries: list[Any], runs_only: bool = False) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in entries:
        job_id = entry.decode("utf-8", errors="replace").partition(":")[0]
        run_id = run_of(job_id)
        if run_id is not None and not (runs_only and is_measurement(run_id)):
            found.setdefault(run_id, []).append(job_id)
    return found


def _pivot(order: list[str], run_id: str, where: Place) -> str | None:
    """Return the run beside which a run is put, None where it stands there already."""
    now = order.index(run_id)
    to = {"first": 0, "up": now - 1, "down": now + 1, "last": len(order) - 1}[where]
    to = min(max(to, 0), len(order) - 1)
    return None if to == now else order[to]
