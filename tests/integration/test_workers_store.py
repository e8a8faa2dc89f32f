"""The store dies, comes back, or is lost: runs go on, and the queue is kept or rebuilt."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time

import pytest
from redis.exceptions import AuthenticationError
from workers_lab import Lab, fake_spec, wait_for

from engine.spec.errors import StoreError
from workers.store import connect


def kill_store(lab: Lab) -> None:
    """Kill the store as a crash would."""
    os.kill(lab.store.pid, signal.SIGKILL)
    wait_for(lambda: not lab.store.running)


def test_a_run_goes_on_while_the_store_is_away_and_shows_no_gap(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=100_000, seconds=0.05))
    worker = lab.start_worker()
    lab.reach_step(run_id, 5)
    view = lab.client.follow(run_id)
    assert view.source == "store"
    seen = list(view.events)

    def look() -> str:
        nonlocal view
        view = lab.client.follow(run_id, view.after, view.seen)
        assert not view.restarted
        seen.extend(view.events)
        return view.source

    kill_store(lab)
    at = lab.step(run_id)
    wait_for(lambda: lab.step(run_id) >= at + 45)
    assert look() == "folder"
    assert lab.client.status().store_ok is False
    assert "cannot be reached" in lab.client.status().message
    assert [row.run_id for row in lab.client.list()] == [run_id]
    with pytest.raises(StoreError, match="cannot be reached"):
        lab.client.pause(run_id)
    lab.store.start()
    [other] = lab.client.submit(fake_spec(steps=1))
    wait_for(lambda: look() == "store")
    lab.client.stop(run_id)
    lab.reach(run_id, "stopped")
    wait_for(lambda: look() and seen == lab.client.folder(run_id).events())
    assert [event["seq"] for event in seen] == list(range(len(seen)))
    assert lab.log().count("goes on without live events") == 1
    assert lab.log().count("events are only in the run folder") == 1
    lab.reach(other, "finished")
    ended = lab.client.folder(run_id).state().changed
    assert lab.client.folder(other).events()[0]["time"] >= ended - 0.001, "one run at a time"
    assert worker.poll() is None


def test_a_run_that_ends_while_the_store_is_away_is_finished(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=20, seconds=0.05))
    worker = lab.start_worker()
    lab.reach_step(run_id, 5)
    kill_store(lab)
    lab.reach(run_id, "finished")
    time.sleep(0.5)
    lab.store.start()
    [other] = lab.client.submit(fake_spec(steps=1))
    lab.reach(other, "finished")
    assert worker.poll() is None
    assert lab.state(run_id) == "finished"


def test_the_queue_survives_a_killed_store(lab: Lab) -> None:
    run_ids = lab.client.submit(fake_spec(steps=1), seeds=range(5))
    address = lab.store.address
    kill_store(lab)
    lab.store.start()
    assert (lab.store.address.port, lab.store.address.password) == (address.port, address.password)
    assert lab.client.status().queue_length == 5
    lab.start_worker()
    lab.reach(run_ids[-1], "finished")
    assert {lab.state(run_id) for run_id in run_ids} == {"finished"}


def test_a_lost_store_is_rebuilt_from_the_run_folders(lab: Lab) -> None:
    run_ids = lab.client.submit(fake_spec(steps=1), seeds=range(3))
    for number, run_id in enumerate(run_ids):
        lab.age(run_id, 60 - number)
    lab.store.stop()
    shutil.rmtree(lab.settings.store)
    lab.store.start()
    assert lab.client.status().queue_length == 0
    lab.start_worker()
    lab.reach(run_ids[-1], "finished")
    ends = [lab.client.folder(run_id).state() for run_id in run_ids]
    assert {end.state for end in ends} == {"finished"}
    assert [end.changed for end in ends] == sorted(end.changed for end in ends)


def test_a_store_that_forgot_everything_learns_it_again(lab: Lab) -> None:
    lab.start_worker()
    wait_for(lambda: lab.client.status().workers)
    [before] = lab.client.status().workers
    [run_id] = lab.client.submit(fake_spec(steps=100_000, seconds=0.05))
    lab.reach_step(run_id, 1)
    [waiting] = lab.client.submit(fake_spec(steps=1))
    lab.age(waiting)
    connect(lab.store.address.url).flushall()
    wait_for(lambda: [w.name for w in lab.client.status().workers] == [before.name])
    wait_for(lambda: lab.client.status().queue_length == 1)
    lab.client.stop(run_id)
    lab.reach(run_id, "stopped")
    lab.reach(waiting, "finished")
    assert lab.client.status().workers[0].device == "CPU"


def test_nothing_is_queued_without_a_store(lab: Lab) -> None:
    lab.store.stop()
    with pytest.raises(StoreError, match="cannot be reached"):
        lab.client.submit(fake_spec(steps=1))
    assert lab.client.list() == []


def test_a_worker_waits_for_the_store(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=1))
    lab.store.stop()
    worker = lab.start_worker()
    wait_for(lambda: "Trying again" in lab.log())
    lab.store.start()
    lab.reach(run_id, "finished")
    assert worker.poll() is None


def test_the_store_is_private(lab: Lab) -> None:
    address = lab.store.address
    private = [lab.settings.data / "store.json", lab.settings.store / "valkey.conf"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600, 0o600]
    assert stat.S_IMODE(lab.settings.store.stat().st_mode) == 0o700
    with pytest.raises(AuthenticationError):
        connect(f"redis://127.0.0.1:{address.port}/0").ping()
    info = connect(address.url).config_get("*")
    assert info["bind"] == "127.0.0.1"
    assert info["protected-mode"] == "yes"
    assert info["appendonly"] == "yes"
