"""The job class of our queue: whatever stands in the store, only two functions can be called.

A JSON serializer alone keeps pickles from being run, but a job is also free to name any
importable function, callbacks, web hooks, retries and dependencies. Here a job is rebuilt from the
few fields that we use; everything else is dropped, and a job that carries it is refused when its
turn comes.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from rq import Queue
from rq.exceptions import DequeueTimeout, NoSuchJobError
from rq.job import Job, parse_job_id
from rq.serializers import JSONSerializer

from engine.spec.errors import WorkbenchError
from workers.keys import is_measurement, run_of

FUNCTION = "workers.jobs.run_experiment"
MEASURE = "workers.jobs.measure"
FAILURE_LIFETIME = 7 * 24 * 3600  # seconds that RQ keeps a failed job; the run folder keeps more
FAILED_MEASUREMENT = 3600  # its answer is not kept longer either
MAX_BYTES = 10_000  # of a job's data, unpacked

_KEPT = (
    "created_at",
    "enqueued_at",
    "started_at",
    "ended_at",
    "last_heartbeat",
    "origin",
    "worker_name",
    "status",
)
FORBIDDEN = (
    "success_callback_name",
    "failure_callback_name",
    "stopped_callback_name",
    "webhooks",
    "dependency_id",
    "dependency_ids",
    "group_id",
    "retries_left",
    "retry_intervals",
    "repeats_left",
    "repeat_intervals",
    "rate_limit_key",
    "meta",
    "result",
)

log = logging.getLogger("workers.safe_job")


class JobRefused(WorkbenchError):
    """A job in the queue is not one that this workbench has put there."""


def check_call(value: Any, job_id: str) -> str:
    """Return the run or measurement of a job's unpacked data `[function, instance, args, kwargs]`.

    Raises:
        JobRefused: it is anything but a call of `run_experiment` for the run of this job id, or
            of `measure` for its measurement.
    """
    if not isinstance(value, list) or len(value) != 4:
        raise JobRefused("its data are not a function call")
    function, instance, args, kwargs = value
    if function not in (FUNCTION, MEASURE):
        allowed = f"only {FUNCTION} and {MEASURE} are allowed"
        raise JobRefused(f"it names the function {function!r:.100}; {allowed}")
    if instance is not None or kwargs != {}:
        raise JobRefused("it carries an instance or named arguments")
    if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], str):
        raise JobRefused("its arguments are not one id")
    if run_of(job_id) != args[0]:
        raise JobRefused(f"its id does not belong to {args[0]!r:.100}")
    if function != function_of(args[0]):
        raise JobRefused(f"{function} is not for {args[0]!r:.100}")
    return args[0]


def function_of(name: str) -> str:
    """Return the function that a job for this run or measurement calls."""
    return MEASURE if is_measurement(name) else FUNCTION


def failure_lifetime(name: str) -> int:
    """Return the seconds that RQ keeps a failed job for this run or measurement."""
    return FAILED_MEASUREMENT if is_measurement(name) else FAILURE_LIFETIME


class SafeJob(Job):
    """A job that can only call `run_experiment` or `measure` of `workers.jobs` with one id."""

    refusal: str | None = None

    def __init__(
        self, id: str | None = None, connection: Redis | None = None, serializer: Any = None
    ) -> None:
        super().__init__(id, connection=connection, serializer=JSONSerializer)

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Any = None) -> SafeJob:
        """Read a job; one that cannot be read at all counts as not there.

        Raises:
            NoSuchJobError: there is none, its id is not one of ours, or it is no job.
        """
        id = parse_job_id(id)
        if run_of(id) is None:
            log.error("A job with the id %.100r is not ours and is left out.", id)
            raise NoSuchJobError(f"{id!r:.100} is not an id of this workbench")
        job = cls(id, connection=connection)
        try:
            job.refresh()  # type: ignore[no-untyped-call]
        except ResponseError as error:
            log.error("Job %s is left out, as it is no job: %s", id, error)
            raise NoSuchJobError(f"{id} is no job") from error
        return job

    @classmethod
    def fetch_many(
        cls, job_ids: Iterable[str], connection: Redis, serializer: Any = None
    ) -> list[Job | None]:
        """Read several jobs; None for those that `fetch` would not give."""
        found: list[Job | None] = []
        for job_id in job_ids:
            try:
                found.append(cls.fetch(job_id, connection))
            except NoSuchJobError:
                found.append(None)
        return found

    def restore(self, raw_data: Any) -> None:
        """Take over the harmless fields of a stored job, and note why it is to be refused."""
        fields = {_text(key): value for key, value in raw_data.items()}
        self.refusal = None
        try:
            run_id = check_call(_unpack(fields.get("data", b"")), self.id)
            extra = [name for name in FORBIDDEN if fields.get(name) not in (None, b"", b"{}")]
            if extra:
                raise JobRefused(f"it carries {', '.join(extra)}")
        except JobRefused as reason:
            self.refusal, run_id = str(reason), run_of(self.id) or ""
        harmless = {name: _text(fields[name]).encode() for name in _KEPT if name in fields}
        harmless["data"] = json.dumps([function_of(run_id), None, [run_id], {}]).encode()
        try:
            super().restore(harmless)
        except (ValueError, TypeError, AttributeError):
            self.refusal = self.refusal or "its times or its status are damaged"
            super().restore({"data": harmless["data"], "status": b"queued"})
        self.description = run_id
        self.timeout, self.result_ttl, self.failure_ttl = -1, 0, failure_lifetime(run_id)

    @property
    def func(self) -> Any:
        """The function for the job's run or measurement.

        Raises:
            JobRefused: the stored job is not one that this workbench has put there.
        """
        if self.refusal is not None:
            raise JobRefused(f"Job {self.id} was refused: {self.refusal}.")
        from workers.jobs import measure, run_experiment

        return measure if is_measurement(self.args[0]) else run_experiment


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value


def _unpack(data: bytes) -> Any:
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, MAX_BYTES)
    except zlib.error:
        plain = data[:MAX_BYTES]
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        raise JobRefused("its data are not JSON") from None


class SafeQueue(Queue):
    """The queue of `SafeJob`s; ids that are not text cannot stop it."""

    job_class = SafeJob

    def __init__(self, name: str, connection: Redis, **_: Any) -> None:
        super().__init__(name, connection, job_class=SafeJob, serializer=JSONSerializer)

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> Any:
        """Move the next id to the jobs being started; see `Queue.lmove`.

        Raises:
            DequeueTimeout: there was none in time, or none that is ours.
        """
        found: Any = super().lmove(connection, queue_key, timeout)
        if found is None:
            return None
        key, job_id = found
        if run_of(_text(job_id)) is None:
            log.error("A queue entry %.100r is not ours and is thrown away.", job_id)
            connection.lrem(f"{queue_key}:intermediate", 0, job_id)
            raise DequeueTimeout(timeout, queue_key)
        return key, job_id
