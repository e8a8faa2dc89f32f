"""Which jobs are ours, and that nothing else of a job is looked at."""

from __future__ import annotations

import json
import pickle
import zlib
from typing import Any

import pytest
from redis import Redis
from rq.exceptions import NoSuchJobError

from workers.jobs import run_experiment
from workers.keys import Keys, new_job_id
from workers.queueing import RunQueue
from workers.safe_job import FORBIDDEN, FUNCTION, JobRefused, SafeJob, check_call

JOB = new_job_id("run.1")
GOOD: list[Any] = [FUNCTION, None, ["run.1"], {}]


def store_job(redis: Redis, data: bytes, **fields: Any) -> SafeJob:
    """Write a job's hash and read it as a worker does."""
    redis.delete(f"rq:job:{JOB}")
    redis.hset(f"rq:job:{JOB}", mapping={"data": data, "status": "queued"} | fields)
    return SafeJob.fetch(JOB, redis)


def test_our_own_job_is_taken(redis: Redis) -> None:
    queue = RunQueue(redis, Keys("t"))
    queue.add(["run.1"])
    [job_id] = queue.jobs().waiting["run.1"]
    job = SafeJob.fetch(job_id, redis)
    assert job.refusal is None
    assert job.func is run_experiment
    assert (list(job.args), job.kwargs) == (["run.1"], {})
    assert (job.timeout, job.result_ttl) == (-1, 0)
    raw = redis.hgetall(f"rq:job:{job_id}")
    assert json.loads(zlib.decompress(raw[b"data"])) == GOOD
    assert not [name for name in FORBIDDEN if raw.get(name.encode())]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            ["os.system", None, ["run.1"], {}],
            "only workers.jobs.run_experiment and workers.jobs.measure are",
        ),
        (["workers.jobs.put_back", None, ["run.1"], {}], "only workers"),
        ([FUNCTION, "x", ["run.1"], {}], "instance"),
        ([FUNCTION, None, ["run.1"], {"a": 1}], "named arguments"),
        ([FUNCTION, None, ["run.1", "run.1"], {}], "not one id"),
        ([FUNCTION, None, [], {}], "not one id"),
        ([FUNCTION, None, [1], {}], "not one id"),
        ([FUNCTION, None, "run.1", {}], "not one id"),
        ([FUNCTION, None, ["run.2"], {}], "does not belong to"),
        ([FUNCTION], "not a function call"),
        ({"a": 1}, "not a function call"),
        (None, "not a function call"),
    ],
)
def test_any_other_call_is_refused(redis: Redis, value: Any, reason: str) -> None:
    with pytest.raises(JobRefused, match=reason):
        check_call(value, JOB)
    job = store_job(redis, json.dumps(value).encode())
    assert reason in (job.refusal or "")
    with pytest.raises(JobRefused, match=reason):
        job.perform()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_job_that_carries_more_is_refused_and_loses_it(redis: Redis, name: str) -> None:
    job = store_job(redis, json.dumps(GOOD).encode(), **{name: b'["os.system"]'})
    assert name in (job.refusal or "")
    assert job.success_callback is job.failure_callback is job.stopped_callback is None
    assert (job.webhooks, job.meta, job._dependency_ids) == ([], {}, [])
    assert (job.retries_left, job.repeats_left, job.rate_limit_key) == (None, None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[" * 5000,
        pickle.dumps(GOOD),
        zlib.compress(b"[" + b" " * 50_000_000 + b"]"),
        zlib.compress(json.dumps(GOOD).encode())[:-9],
    ],
    ids=["empty", "binary", "nested", "pickle", "zip bomb", "cut off"],
)
def test_data_that_are_no_json_are_refused(redis: Redis, data: bytes) -> None:
    job = store_job(redis, data)
    assert job.refusal is not None
    assert job.func_name == FUNCTION, "RQ writes this into its log"


def test_ids_and_keys_that_are_not_jobs_count_as_not_there(redis: Redis) -> None:
    redis.set(f"rq:job:{JOB}", "text")
    for job_id in (JOB, "some-other-job", "../x", new_job_id("gone")):
        with pytest.raises(NoSuchJobError):
            SafeJob.fetch(job_id, redis)
    assert SafeJob.fetch_many([JOB, "x"], redis) == [None, None]


def test_a_pickling_serializer_cannot_be_given(redis: Redis) -> None:
    assert SafeJob("a", connection=redis, serializer="pickle").serializer.dumps([1]) == b"[1]"


def test_where_jobs_are(redis: Redis) -> None:
    queue = RunQueue(redis, Keys("t"))
    queue.add(["a", "b"])
    queue.add(["c"], at_front=True)
    redis.rpush(queue.queue.key, b"\xff", "not-ours")
    order = [
        name
        for job in redis.lrange(queue.queue.key, 0, 2)
        for name in "abc"
        if job.startswith(name.encode())
    ]
    assert order == ["c", "a", "b"]
    assert set(queue.jobs().waiting) == {"a", "b", "c"}
    assert "a" in queue.jobs()
    assert queue.remove("a")
    assert not queue.remove("a")
    assert "a" not in queue.jobs()
    assert queue.kill(new_job_id("a")) is False
