"""Runs through the real store and a real worker process: submit, follow, pause, stop, resume."""

from __future__ import annotations

import pytest
from workers_lab import Lab, fake_spec, wait_for

from engine.spec.errors import RunError
from workers.client import Client
from workers.keys import Keys
from workers.queueing import RunQueue
from workers.store import connect, store_url


def steps(events: list[dict]) -> list[int]:
    """Return the steps that a fake run's notes tell."""
    return [int(e["message"].split()[1]) for e in events if e["type"] == "note"]


def test_a_submitted_run_finishes_and_can_be_followed_while_it_runs(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=30, seconds=0.05))
    assert [(r.run_id, r.state) for r in lab.client.list()] == [(run_id, "queued")]
    assert lab.client.status().queue_length == 1
    lab.start_worker()
    seen, sources, after, moment = [], set(), -1, None
    while True:
        new = lab.client.follow(run_id, after, moment)
        after, moment = new.after, new.seen
        seen += new.events
        assert not new.restarted
        if new.state == "running":
            sources.add(new.source)
            if new.progress:
                busy = lab.client.status().workers
                assert [(w.run_id, w.state, w.device) for w in busy] == [(run_id, "busy", "CPU")]
        if new.state == "finished":
            break
    seen += lab.client.follow(run_id, after, moment).events
    assert "store" in sources
    assert seen == lab.client.folder(run_id).events()
    assert steps(seen) == list(range(1, 31))
    assert not seen[0]["torch"], "the worker must not load torch before it forks"
    [row] = lab.client.list()
    assert (row.state, row.metrics, row.progress) == ("finished", {"steps": 30}, None)
    wait_for(lambda: lab.client.status().workers[0].state == "idle")


def test_several_seeds_are_several_runs_in_their_order(lab: Lab) -> None:
    run_ids = lab.client.submit(fake_spec(steps=1), seeds=[3, 1, 2])
    assert [lab.client.folder(r).spec().seed for r in run_ids] == [3, 1, 2]
    lab.start_worker()
    for run_id in run_ids:
        lab.reach(run_id, "finished")
    ends = [lab.client.folder(r).state().changed for r in run_ids]
    assert ends == sorted(ends)


def test_two_clients_pause_and_resume_the_same_run(lab: Lab) -> None:
    other = Client(lab.settings)
    [run_id] = lab.client.submit(fake_spec(steps=40, hold=7, seconds=0.01))
    lab.start_worker()
    lab.reach_step(run_id, 7)
    other.pause(run_id)
    lab.reach(run_id, "paused")
    assert lab.step(run_id) == 7
    lab.client.resume(run_id)
    with pytest.raises(RunError, match="cannot be resumed"):
        other.resume(run_id)
    lab.reach(run_id, "finished")
    told = steps(other.follow(run_id).events)
    assert told == list(range(1, 41)), "a pause loses and repeats nothing"


def test_stop_and_resume(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=40, hold=7, seconds=0.01))
    lab.start_worker()
    lab.reach_step(run_id, 7)
    lab.client.stop(run_id)
    lab.reach(run_id, "stopped")
    assert lab.step(run_id) == 7
    lab.client.resume(run_id)
    lab.reach(run_id, "finished")
    assert steps(lab.client.folder(run_id).events()) == list(range(1, 41))


def test_a_queued_run_is_stopped_at_once_and_leaves_the_queue(lab: Lab) -> None:
    first, second = lab.client.submit(fake_spec(steps=1), seeds=[1, 2])
    lab.client.stop(first)
    assert lab.state(first) == "stopped"
    assert lab.client.status().queue_length == 1
    lab.start_worker()
    lab.reach(second, "finished")
    assert lab.client.folder(first).events() == []


def test_a_run_that_fails_says_why_and_the_worker_lives_on(lab: Lab) -> None:
    [failing] = lab.client.submit(fake_spec(fail=3))
    [crashing] = lab.client.submit(fake_spec(crash=3))
    [fine] = lab.client.submit(fake_spec(steps=1))
    worker = lab.start_worker()
    lab.reach(fine, "finished")
    assert lab.state(failing) == lab.state(crashing) == "failed"
    by_id = {row.run_id: row for row in lab.client.list()}
    assert by_id[failing].message.startswith("The loss is not finite")
    assert "ZeroDivisionError: a fault of the engine" in by_id[crashing].message
    assert worker.poll() is None


def test_a_deleted_queued_run_does_not_run_and_comes_back_queued(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=1))
    lab.client.delete(run_id)
    assert lab.client.list() == []
    assert [r.run_id for r in lab.client.list(deleted=True)] == [run_id]
    assert lab.client.status().queue_length == 0
    lab.client.undelete(run_id)
    lab.start_worker()
    lab.reach(run_id, "finished")
    lab.client.delete(run_id)
    lab.client.undelete(run_id)
    assert lab.state(run_id) == "finished"


def test_a_job_for_a_run_that_is_not_queued_is_left_out(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=1))
    queue = RunQueue(connect(store_url(lab.settings)), Keys(lab.settings.prefix))
    queue.add([run_id, run_id])
    lab.start_worker()
    lab.reach(run_id, "finished")
    wait_for(lambda: lab.log().count("is left out") == 2)
    assert steps(lab.client.folder(run_id).events()) == [1]
