"""Measurements through the store: asked, answered, refused, forgotten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from redis import Redis

from engine.measured import Estimate, cost_key
from engine.spec.errors import SpecError, StoreError, TrainingError
from engine.spec.experiment import ExperimentSpec
from workers import jobs, measurements, wishes
from workers.client import Client
from workers.identity import Owner, new_owner
from workers.keys import Keys, is_measurement, new_job_id, new_measurement_id, run_of
from workers.queueing import RunQueue
from workers.safe_job import FUNCTION, MEASURE, JobRefused, SafeJob, check_call
from workers.server import EmbeddedStore
from workers.settings import Settings

KEYS = Keys("nasw")


def estimate(spec: ExperimentSpec) -> Estimate:
    """Return some estimate."""
    stages = {"preparing": 1.0, "ground_truth": 60.0, "training": 30.0, "search": 8, "final": 1.0}
    return Estimate(
        key=cost_key(spec), device="CPU (2 threads)", kind="cpu", stages=stages, spread=0.05,
        step_seconds=0.01, training_seconds=0.5, score_seconds=0.002, images_per_second=6400.0,
        memory_bytes=600_000_000, free_bytes=8_000_000_000, sample=60, known=12,
        saved_seconds=12.0, others=0.2, cores=2, took_seconds=14.0, at=1.7e9,
    )  # fmt: skip


@pytest.fixture
def client(settings: Settings, server: EmbeddedStore, redis: Redis) -> Client:
    return Client(replace(settings, redis_url=server.address.url))


@pytest.fixture
def work(client: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Do the next job of the queue here, with a stand-in for the engine."""

    def start(measure: object, **more: object) -> None:
        place = jobs.Workplace(client.settings, measure=measure, worker="w-1", **more)
        monkeypatch.setattr(jobs, "_workplace", place)
        with client._store.use() as connection:
            job_id = connection.lpop(RunQueue(connection, KEYS).queue.key).decode()
            SafeJob.fetch(job_id, connection).func(run_of(job_id))

    return start


def test_ids_of_measurements_are_no_run_ids() -> None:
    one = new_measurement_id()
    assert is_measurement(one) and not is_measurement("measure-" + "0" * 16)
    assert run_of(new_job_id(one)) == one
    with pytest.raises(SpecError, match="not an id of a measurement"):
        measurements.require_id("run.1")


@pytest.mark.parametrize(
    ("function", "name"),
    [(MEASURE, "run.1"), (FUNCTION, new_measurement_id())],
    ids=["a run", "a measurement"],  # drawn ones would differ between processes
)
def test_each_function_takes_its_own_kind_of_id_only(function: str, name: str) -> None:
    with pytest.raises(JobRefused, match="is not for"):
        check_call([function, None, [name], {}], new_job_id(name))


def test_a_measurement_goes_before_all_runs_and_is_answered(
    client: Client, redis: Redis, work: Callable[..., None]
) -> None:
    [run_id] = client.submit(ExperimentSpec())
    spec = ExperimentSpec(name="measured", seed=3)
    asked = client.measure(spec)
    assert client.measured(asked).state == "waiting"
    assert client.status().queue == (run_id,), "measurements are no runs"
    seen = []

    def measure(given: ExperimentSpec, *, report: Callable, poll: Callable) -> Estimate:
        report("Timing steps", 1, 5)
        poll()
        seen.append((given, client.measured(asked)))
        return estimate(given)

    work(measure)
    [(given, during)] = seen
    assert given == spec
    assert (during.state, during.worker, during.message) == ("running", "w-1", "Timing steps")
    found = client.measured(asked)
    assert (found.state, found.estimate) == ("done", estimate(spec))
    for key in (KEYS.measure_request(asked), KEYS.measure_answer(asked)):
        assert 0 < redis.ttl(key) <= 3600, "nothing of it stays for ever"
    client.forget_measurement(asked)
    assert "no longer knows" in client.measured(asked).message


def test_what_cannot_run_is_not_queued(client: Client) -> None:
    with pytest.raises(SpecError, match="nonsense"):
        client.measure(ExperimentSpec(space="nonsense"))
    assert client.status().queue_length == 0


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TrainingError("The memory of the GPU ran out."), "The memory of the GPU ran out."),
        (ZeroDivisionError("by zero"), "unexpected error (ZeroDivisionError: by zero)"),
    ],
)
def test_why_it_failed_is_told(
    client: Client, work: Callable[..., None], error: Exception, said: str
) -> None:
    def measure(*_: object, **__: object) -> Estimate:
        raise error

    asked = client.measure(ExperimentSpec())
    with pytest.raises(type(error)):
        work(measure)
    found = client.measured(asked)
    assert (found.state, said in found.message) == ("failed", True)


def test_a_worker_that_is_told_to_end_gives_up_the_measurement(
    client: Client, work: Callable[..., None]
) -> None:
    def measure(spec: ExperimentSpec, *, report: Callable, poll: Callable) -> Estimate:
        poll()
        raise AssertionError("it should have ended")

    asked = client.measure(ExperimentSpec())
    with pytest.raises(Exception, match="worker ended"):
        work(measure, shutdown=wishes.Shutdown(True))
    assert client.measured(asked).state == "failed"


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{", '{"space": "nonsense"}', '{"nmae": "x"}', "[" * 5000, "x" * 1_100_000],
    ids=["empty", "list", "cut", "space", "field", "nested", "long"],
)
def test_a_request_that_is_no_experiment_is_not_measured(
    client: Client, redis: Redis, work: Callable[..., None], text: str
) -> None:
    asked = client.measure(ExperimentSpec())
    redis.set(KEYS.measure_request(asked), text)

    def never(*_: object, **__: object) -> Estimate:
        raise AssertionError("it must not be measured")

    with pytest.raises((SpecError, StoreError)):
        work(never)
    assert client.measured(asked).state == "failed"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "dancing"},
        {"estimate": None, "state": "done"},
        {"estimate": {"key": 1}, "state": "done"},
        {"state": "running", "at": "now"},
    ],
)
def test_a_damaged_answer_is_a_sentence(client: Client, redis: Redis, changes: dict) -> None:
    asked = client.measure(ExperimentSpec())
    answer = {"state": "running", "worker": "w", "owner": "", "message": "", "at": 1.0}
    redis.set(KEYS.measure_answer(asked), json.dumps(answer | changes))
    found = client.measured(asked)
    assert found.state == "failed" and "measure again" in found.message


def test_an_estimate_from_outside_is_checked() -> None:
    good = estimate(ExperimentSpec()).to_json()
    assert Estimate.from_json(json.loads(json.dumps(good))) == estimate(ExperimentSpec())
    for wrong in (
        {"seconds": 1}, {"memory_bytes": "much"}, {"spread": float("nan")}, {"stages": {"x": 1}},
        {"stages": [1]}, {"known": -1}, {"device": None},
    ):  # fmt: skip
        with pytest.raises(StoreError, match="damaged"):
            Estimate.from_json(good | wrong)


def test_a_vanished_worker_is_noticed(client: Client, redis: Redis) -> None:
    asked = client.measure(ExperimentSpec())
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = new_owner()
    dead = Owner(mine.machine, gone.pid, mine.started, "n")

    def told(owner: Owner) -> str:
        measurements.tell(redis, KEYS, asked, "running", worker="w", owner=str(owner))
        return client.measured(asked).state

    assert told(mine) == "running"
    assert told(dead) == "failed"
    assert told(Owner("elsewhere", os.getpid(), 1.0, "n")) == "running"


def test_only_words_and_seeds_cost_nothing() -> None:
    spec = ExperimentSpec()
    same = spec.model_copy(update={"name": "Another", "seed": 9, "tags": ["x"], "notes": "y"})
    assert cost_key(same) == cost_key(spec)
    dearer = spec.model_copy(update={"algorithm": "darts"})
    assert cost_key(dearer) != cost_key(spec)
