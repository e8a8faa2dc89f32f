"""Processes that are killed: what a run's state says then, and that it goes on from there."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import asdict

import psutil
from workers_lab import Lab, fake_spec, wait_for

from engine.runs import SILENT_SECONDS, write_json
from workers.keys import Keys
from workers.store import connect, store_url
from workers.sweeper import Sweeper


def steps(lab: Lab, run_id: str) -> list[int]:
    """Return the steps in the record of a fake run."""
    notes = [e for e in lab.client.folder(run_id).events() if e["type"] == "note"]
    return [int(note["message"].split()[1]) for note in notes]


def begin(lab: Lab, **plan: object) -> str:
    """Submit a run and wait until it is past its first checkpoint, which is after step 5."""
    [run_id] = lab.client.submit(fake_spec(**({"steps": 40, "hold": 7, "seconds": 0.01} | plan)))
    lab.reach_step(run_id, 7)
    return run_id


def test_a_killed_run_process_is_interrupted_at_once_and_resumes(lab: Lab) -> None:
    worker = lab.start_worker()
    run_id = begin(lab)
    os.kill(lab.process(run_id), signal.SIGKILL)
    lab.reach(run_id, "interrupted", 10)
    assert "signal 9" in lab.client.list()[0].message, "its worker saw it, not a later sweep"
    before = lab.client.follow(run_id)
    lab.client.resume(run_id)
    lab.reach(run_id, "finished")
    assert worker.poll() is None
    assert steps(lab, run_id) == list(range(1, 41))
    after = lab.client.follow(run_id, before.after, before.seen)
    assert after.restarted, "what came after the checkpoint was forgotten"
    assert after.events == lab.client.folder(run_id).events()


def test_worker_and_run_killed_together_are_found_by_another_worker(lab: Lab) -> None:
    worker = lab.start_worker()
    run_id = begin(lab)
    worker.kill()
    os.kill(lab.process(run_id), signal.SIGKILL)
    worker.wait()
    assert lab.state(run_id) == "running"
    lab.start_worker()
    lab.reach(run_id, "interrupted")
    assert "is gone" in lab.client.list()[0].message
    assert [w.state for w in lab.client.status().workers] == ["idle"]
    lab.client.resume(run_id)
    lab.reach(run_id, "finished")
    assert steps(lab, run_id) == list(range(1, 41))


def test_a_run_whose_worker_is_killed_saves_itself_and_goes_on_with_the_next(lab: Lab) -> None:
    worker = lab.start_worker()
    run_id = begin(lab)
    process = psutil.Process(lab.process(run_id))
    worker.kill()
    worker.wait()
    lab.reach(run_id, "queued")
    wait_for(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    lab.age(run_id)
    lab.start_worker()
    lab.reach(run_id, "finished")
    assert steps(lab, run_id) == list(range(1, 41)), "nothing is lost or done twice"


def test_a_worker_told_to_end_saves_its_run_for_the_next(lab: Lab) -> None:
    worker = lab.start_worker()
    run_id = begin(lab)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    assert lab.state(run_id) == "queued"
    assert "goes on from its checkpoint" in lab.client.list()[0].message
    assert steps(lab, run_id) == list(range(1, 8))
    lab.age(run_id)
    lab.start_worker()
    lab.reach(run_id, "finished")
    assert steps(lab, run_id) == list(range(1, 41))


def test_a_worker_told_twice_ends_without_the_checkpoint(lab: Lab) -> None:
    worker = lab.start_worker()
    run_id = begin(lab, deaf=True)
    worker.send_signal(signal.SIGTERM)
    time.sleep(1.2)  # RQ takes two signals within a second for one
    worker.send_signal(signal.SIGTERM)
    worker.wait(10)
    assert lab.state(run_id) == "queued"


def test_a_run_that_does_not_stop_is_killed_after_its_grace(lab: Lab) -> None:
    worker = lab.start_worker()
    run_id = begin(lab, deaf=True)
    asked = time.monotonic()
    lab.client.stop(run_id)
    lab.reach(run_id, "stopped")
    assert time.monotonic() - asked > lab.settings.stop_seconds
    assert "Killed" in lab.client.list()[0].message
    [other] = lab.client.submit(fake_spec(steps=1))
    lab.reach(other, "finished")
    assert worker.poll() is None


def test_a_silent_owner_elsewhere_shows_as_interrupted_and_is_marked_so(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=1))
    folder = lab.client.folder(run_id)
    folder.change_state("running", owner="another-machine:1:ab")
    clock = [0.0]
    sweeper = Sweeper(lab.settings, connect(store_url(lab.settings)), lambda: clock[0])
    assert sweeper.sweep().interrupted == []
    silent = asdict(folder.state()) | {"heartbeat": time.time() - SILENT_SECONDS - 1}
    write_json(folder.path / "state.json", silent)
    assert lab.client.list()[0].state == "interrupted"
    assert lab.client.follow(run_id).state == "interrupted"
    assert sweeper.sweep().interrupted == [], "a machine that slept deserves a second look"
    clock[0] += lab.settings.sweep_seconds
    assert sweeper.sweep().interrupted == [run_id]
    assert lab.state(run_id) == "interrupted"


def test_a_lost_job_between_queue_and_worker_is_queued_again(lab: Lab) -> None:
    [run_id] = lab.client.submit(fake_spec(steps=1))
    store = connect(store_url(lab.settings))
    key = f"rq:queue:{Keys(lab.settings.prefix).queue}"
    assert store.lmove(key, f"{key}:intermediate")
    lab.age(run_id)
    clock = [0.0]
    sweeper = Sweeper(lab.settings, store, lambda: clock[0])
    assert sweeper.sweep().queued == [], "its worker may just be starting it"
    clock[0] += 61
    sweeper.sweep()
    assert sweeper.sweep().queued == [run_id]
    lab.start_worker()
    lab.reach(run_id, "finished")
