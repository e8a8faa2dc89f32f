"""One owner at a time: whoever lost the run writes nothing more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import WITHOUT_LANDMARKS, Watcher, finished, new_run, outcome, read_state, tiny

from engine.events import Event
from engine.experiment import Heartbeat, execute, new_owner
from engine.runs import SILENT_SECONDS, RunFolder, write_json
from engine.spec.errors import RunError, StopRequested

QUICK = tiny(**WITHOUT_LANDMARKS, evaluation={"sample": 2}, search={"generations": 1, "keep": 1})


def frozen(folder: RunFolder) -> dict[str, bytes]:
    """Return every file of a run folder."""
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for path in folder.path.rglob("*")
        if path.is_file()
    }


class Sleep:
    """Lets the machine stand still for a while, as far as clocks can tell."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.slept, real = 0.0, time.time
        patch.setattr(time, "time", lambda: real() + self.slept)


def taken_over_after(
    folder: RunFolder, sleep: Sleep, kind: str
) -> tuple[Watcher, dict[str, bytes]]:
    """Return a watcher that lets the run be taken over after the first event of a kind."""
    before: dict[str, bytes] = {}

    class Thief(Watcher):
        def write(self, event: Event) -> None:
            if event["type"] == kind and not before:
                sleep.slept = SILENT_SECONDS + 1
                folder.change_state("running", owner="another")
                before.update(frozen(folder))

    return Thief(), before


@pytest.mark.parametrize("kind", ["ground_truth", "epoch", "generation"])
def test_a_run_taken_over_during_a_standstill_is_left_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_run(tmp_path, QUICK)
    sleep = Sleep(monkeypatch)
    watcher, before = taken_over_after(folder, sleep, kind)
    with pytest.raises(RunError, match="taken over by another process"):
        execute(folder, owner=new_owner(), sinks=[watcher], control=watcher)
    assert before
    assert frozen(folder) == before
    assert folder.state().owner == "another"


def test_a_standstill_alone_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = finished(tmp_path / "whole", QUICK)
    folder = new_run(tmp_path, QUICK)
    sleep = Sleep(monkeypatch)

    def look(events: list[Event]) -> bool:
        if events[-1]["type"] in ("epoch", "generation"):
            sleep.slept += SILENT_SECONDS + 1
        return False

    watcher = Watcher(look)
    assert execute(folder, owner=new_owner(), sinks=[watcher], control=watcher) == "finished"
    assert outcome(folder) == outcome(whole)


def test_a_run_that_ends_after_it_was_taken_over_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The takeover comes after the last look at the owner, just before the state is written."""
    folder = new_run(tmp_path, QUICK)

    def conduct(*args: Any) -> None:
        state = asdict(folder.state())
        write_json(folder.path / "state.json", state | {"owner": "another"})

    monkeypatch.setattr("engine.experiment._conduct", conduct)
    with pytest.raises(RunError, match="taken over"):
        execute(folder, owner=new_owner())
    assert (read_state(folder)["state"], read_state(folder)["owner"]) == ("running", "another")


@pytest.mark.parametrize("fault", [StopRequested("pause"), RunError("no"), ValueError("no")])
def test_no_fault_of_a_lost_run_marks_it(
    fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_run(tmp_path, QUICK)

    def conduct(*args: Any) -> None:
        state = asdict(folder.state())
        write_json(folder.path / "state.json", state | {"owner": "another"})
        raise fault

    monkeypatch.setattr("engine.experiment._conduct", conduct)
    with pytest.raises(RunError):
        execute(folder, owner=new_owner())
    assert (read_state(folder)["state"], read_state(folder)["owner"]) == ("running", "another")
    assert not (folder.path / "log.txt").exists()
    assert folder.events() == []


def test_a_running_run_cannot_be_claimed(tmp_path: Path) -> None:
    folder = new_run(tmp_path, QUICK)
    folder.change_state("running", owner="first")
    with pytest.raises(RunError, match="is running and cannot become running"):
        execute(folder, owner="second")
    assert folder.state().owner == "first"
    assert folder.events() == []


def test_the_second_ctrl_c_leaves_a_resumable_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_run(tmp_path, QUICK)

    def conduct(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.experiment._conduct", conduct)
    with pytest.raises(KeyboardInterrupt):
        execute(folder, owner=new_owner())
    assert folder.state().state == "interrupted"
    assert folder.resumable


# -- signs of life ------------------------------------------------------------------------------
def wait_until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.002)


@pytest.fixture
def claimed(tmp_path: Path) -> RunFolder:
    folder = new_run(tmp_path, QUICK)
    folder.change_state("running", owner="me")
    return folder


def test_the_heart_beats_while_it_is_entered(claimed: RunFolder) -> None:
    first = claimed.state().heartbeat
    with Heartbeat(claimed, "me", 0.005):
        wait_until(lambda: claimed.state().heartbeat > first)
    last = claimed.state()
    assert last.state == "running"
    time.sleep(0.03)
    assert claimed.state() == last
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_the_heart_notices_another_owner(claimed: RunFolder) -> None:
    with Heartbeat(claimed, "me", 0.005) as heart:
        heart.check()
        state = asdict(claimed.state()) | {"owner": "another"}
        write_json(claimed.path / "state.json", state)
        wait_until(lambda: heart.lost is not None)
        with pytest.raises(RunError, match="taken over by another process or stopped"):
            heart.check()
    assert asdict(claimed.state()) == state


def test_the_heart_survives_a_full_disk(
    claimed: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def full(*args: Any) -> None:
        failed.set()
        raise RunError("no space")

    with Heartbeat(claimed, "me", 0.005) as heart:
        with monkeypatch.context() as patch:
            patch.setattr("engine.runs.write_json", full)
            assert failed.wait(10)
            heart.check()
        first = claimed.state().heartbeat
        wait_until(lambda: claimed.state().heartbeat > first)
        heart.check()


def test_the_heart_notices_that_the_folder_is_gone(claimed: RunFolder) -> None:
    with Heartbeat(claimed, "me", 0.005) as heart:
        claimed.path.rename(claimed.path.with_name("away"))
        wait_until(lambda: heart.lost is not None)
        with pytest.raises(RunError):
            heart.check()


def test_a_run_whose_folder_disappears_ends_with_a_sentence(tmp_path: Path) -> None:
    folder = new_run(tmp_path, QUICK)

    def look(events: list[Event]) -> bool:
        if events[-1]["type"] == "epoch" and folder.path.exists():
            folder.path.rename(tmp_path / "away")
        return False

    watcher = Watcher(look)
    with pytest.raises(RunError):
        execute(folder, owner=new_owner(), sinks=[watcher], control=watcher, beat=False)
    assert not folder.path.exists()
