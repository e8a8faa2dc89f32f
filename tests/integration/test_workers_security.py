"""Whatever is put into the queue from outside, nothing of it is executed and the worker lives."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

from redis import Redis
from workers_lab import Lab, fake_spec, wait_for

from workers.keys import Keys, new_job_id
from workers.safe_job import FUNCTION
from workers.store import connect, store_url


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (self.command,)


def enqueue(store: Redis, lab: Lab, job_id: str | bytes, fields: dict | None) -> None:
    """Put a job into the queue as an attacker would, past our client."""
    key = Keys(lab.settings.prefix).queue
    if fields is not None:
        store.hset(f"rq:job:{job_id}", mapping=fields)
    store.rpush(f"rq:queue:{key}", job_id)


def call(function: str, *args: object, kwargs: dict | None = None) -> bytes:
    """Return job data that call a function."""
    return json.dumps([function, None, list(args), kwargs or {}]).encode()


def test_malicious_jobs_are_refused_and_the_next_one_runs(lab: Lab, tmp_path: Path) -> None:
    store = connect(store_url(lab.settings))
    mark = tmp_path / "executed"
    command = f"touch {mark}"
    [victim] = lab.client.submit(fake_spec(steps=1))
    lab.client.stop(victim)
    plain = {"status": "queued", "origin": Keys(lab.settings.prefix).queue}
    ours = call(FUNCTION, victim)
    jobs: list[dict] = [
        {"data": call("os.system", command)},
        {"data": pickle.dumps(("os.system", None, (command,), {}))},
        {"data": pickle.dumps(Bomb(command))},
        {"data": ours, "meta": pickle.dumps(Bomb(command))},
        {"data": ours, "result": pickle.dumps(Bomb(command))},
        {"data": ours, "success_callback_name": "os.system"},
        {"data": ours, "failure_callback_name": "os.system"},
        {"data": ours, "stopped_callback_name": "os.system"},
        {"data": ours, "webhooks": json.dumps([{"url": "http://127.0.0.1:9/"}])},
        {"data": ours, "dependency_ids": json.dumps(["x"])},
        {"data": ours, "status": "no such status"},
        {"data": ours, "created_at": "yesterday"},
        {"data": call(FUNCTION, "../../etc")},
        {"data": call(FUNCTION, victim, "more")},
        {"data": call(FUNCTION, kwargs={"run_id": victim})},
        {"data": call(FUNCTION, {"a": 1})},
        {"data": b"[" * 9000},
        {},
    ]
    for fields in jobs:
        enqueue(store, lab, new_job_id(victim), plain | fields)
    enqueue(store, lab, "not-one-of-ours", plain | {"data": call("os.system", command)})
    enqueue(store, lab, b"\xff\xfe", None)
    enqueue(store, lab, new_job_id(victim), None)
    wrong = new_job_id(victim)
    store.set(f"rq:job:{wrong}", "not a hash")
    enqueue(store, lab, wrong, None)
    worker = lab.start_worker()
    [fine] = lab.client.submit(fake_spec(steps=1))
    lab.reach(fine, "finished", 40)
    assert worker.poll() is None
    assert len(lab.workers) == 1
    assert "quitting" not in lab.log(), "no job may end the worker, not even for a moment"
    assert not mark.exists()
    assert lab.state(victim) == "stopped"
    assert lab.log().count("was refused") >= 12
    assert lab.client.status().queue_length == 0


def test_the_attacks_would_work_without_the_guard(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    pickle.loads(pickle.dumps(Bomb(f"touch {mark}")))
    assert mark.exists(), "otherwise the test above proves nothing"


def test_damaged_commands_do_not_cut_a_worker_off(lab: Lab) -> None:
    lab.start_worker()
    [worker] = wait_for(lambda: lab.client.status().workers)
    store = connect(store_url(lab.settings))
    for command in ("not json", '{"command": "stop-job"}', "[]", '{"a": 1}', b"\xff"):
        store.publish(f"rq:pubsub:{worker.name}", command)
    [run_id] = lab.client.submit(fake_spec(deaf=True, hold=1))
    lab.reach_step(run_id, 1)
    lab.client.stop(run_id)
    lab.reach(run_id, "stopped")
