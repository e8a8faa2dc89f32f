"""Measurements by a real worker process, and what is left when it is killed."""

from __future__ import annotations

import psutil
from workers_lab import Lab, fake_spec, wait_for

from workers.store import connect, store_url


def test_a_measurement_is_shown_answered_and_leaves_the_worker_free(lab: Lab) -> None:
    lab.start_worker()
    asked = lab.client.measure(fake_spec(measure=0.6))
    wait_for(lambda: [w.state for w in lab.client.status().workers] == ["measuring"])
    wait_for(lambda: lab.client.measured(asked).state == "running")
    wait_for(lambda: lab.client.measured(asked).state == "done")
    found = lab.client.measured(asked)
    assert found.estimate is not None and found.estimate.stages["training"] == 2.0
    assert found.worker == lab.client.status().workers[0].name
    [run_id] = lab.client.submit(fake_spec(steps=1))
    lab.reach(run_id, "finished")
    reading = wait_for(lambda: lab.client.status().workers[0].reading)
    assert 0 < reading.used < reading.total == psutil.virtual_memory().total


def test_a_killed_measurement_says_so_and_the_next_job_runs(lab: Lab) -> None:
    worker = lab.start_worker()
    asked = lab.client.measure(fake_spec(measure=60))
    wait_for(lambda: lab.client.measured(asked).state == "running")
    for horse in psutil.Process(worker.pid).children():
        horse.kill()
    said = "signal 9, often because memory ran out"
    wait_for(lambda: said in lab.client.measured(asked).message)
    assert lab.client.measured(asked).state == "failed"
    [run_id] = lab.client.submit(fake_spec(steps=1))
    lab.reach(run_id, "finished")
    store = connect(store_url(lab.settings))
    lab.client.forget_measurement(asked)
    left = {key: store.ttl(key) for key in store.keys("*measure*")}
    assert all(0 < seconds <= 3600 for seconds in left.values()), left
    assert not [key for key in left if b":measure:" in key], "request and answer are gone"


def test_an_ending_worker_gives_a_measurement_up(lab: Lab) -> None:
    worker = lab.start_worker()
    asked = lab.client.measure(fake_spec(measure=60))
    wait_for(lambda: lab.client.measured(asked).state == "running")
    worker.terminate()
    worker.wait(20)
    found = lab.client.measured(asked)
    assert (found.state, found.message) == (
        "failed",
        "The worker ended while it measured; measure again.",
    )
