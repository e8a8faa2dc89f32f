"""A run that is stopped, or dies, and goes on ends exactly like one that never stopped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tiny_runs import (
    EPOCHS,
    PollLimit,
    Watcher,
    abandon,
    finished,
    new_run,
    outcome,
    run,
    told,
    weights,
)

from engine.events import Event
from engine.runs import RunFolder
from engine.training.checkpoint import Checkpoints

Moment = Callable[[list[Event]], bool]


def stage(name: str, round_: int | None, after: int = 0) -> Moment:
    """Return a moment within a stage, once `after` events came since it began."""

    def now(events: list[Event]) -> bool:
        starts = [i for i, event in enumerate(events) if event["type"] == "stage"]
        latest = events[starts[-1]] if starts else {}
        return (
            latest.get("stage") == name
            and latest["round"] == round_
            and latest["state"] == "started"
            and len(events) - 1 - starts[-1] >= after
        )

    return now


def epoch(number: int) -> Moment:
    """Return the moment just after an epoch, before anything but a note is told."""

    def now(events: list[Event]) -> bool:
        last = [event for event in events if event["type"] != "note"][-1]
        return last["type"] == "epoch" and last["epoch"] == number

    return now


# Where to stop: (moment, polls to let pass, epoch of the checkpoint that is written then, if any).
MOMENTS: dict[str, tuple[Moment, int, int | None]] = {
    "before the first landmark is trained": (stage("ground_truth", 1), 0, None),
    "in the middle of a stand-alone training": (stage("ground_truth", None, after=2), 3, None),
    "in the middle of the first epoch": (stage("training", 1), 1, 0),
    "at the end of an epoch": (epoch(1), 0, 1),
    "in the middle of an epoch": (stage("training", 1), 1, 1),
    "while the sample is ranked": (epoch(2), 0, 2),
    "while landmarks are searched at the end of a round": (stage("search", 1), 1, None),
    "while the landmarks of a round are trained": (stage("ground_truth", 2, after=1), 1, None),
    "in the middle of an epoch of the second round": (stage("training", 2), 1, 2),
    "while the sample is ranked for the last time": (epoch(EPOCHS), 1, EPOCHS),
    "in the final search": (stage("search", None, after=1), 1, None),
    "while what was found is trained": (stage("final", None, after=1), 1, None),
}


def test_resuming_equals_not_having_stopped(whole: RunFolder, tmp_path: Path) -> None:
    """One run is stopped at every moment in turn, alternately paused and stopped."""
    folder = new_run(tmp_path)
    for number, (name, (moment, polls, saved)) in enumerate(MOMENTS.items()):
        wish, state = (("pause", "paused"), ("stop", "stopped"))[number % 2]
        watcher = Watcher(moment, polls, wish)
        assert run(folder, watcher) == state, name
        assert folder.state().state == state
        assert folder.result() is None, name
        before, last = watcher.events[-2:]
        assert last["type"] == "state", name
        assert (before["type"] == "checkpoint") == (saved is not None), name
        if saved is not None:
            assert before["epoch"] == saved, name
    assert run(folder) == "finished"
    assert outcome(folder) == outcome(whole)
    assert weights(folder) == weights(whole)
    assert told(folder) == told(whole)


def test_a_run_paused_again_and_again(whole: RunFolder, tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    pauses = 0
    while run(folder, PollLimit(23)) == "paused":
        pauses += 1
        assert pauses < 20, "the run does not get on"
    assert pauses > 2
    assert outcome(folder) == outcome(whole)
    assert weights(folder) == weights(whole)
    assert told(folder) == told(whole)


class Killed(BaseException):
    """Stands for the end of the process: nobody catches it."""


class KillAt(Watcher):
    """Dies right after event `seq` was written to the folder."""

    def __init__(self, seq: int) -> None:
        super().__init__()
        self.seq = seq

    def write(self, event: Event) -> None:
        if event["seq"] >= self.seq:
            raise Killed


def test_a_run_whose_process_dies_again_and_again(whole: RunFolder, tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    last = whole.events()[-1]["seq"]
    for seq in (4, 17, last // 2, last - 14, last - 3):
        with pytest.raises(Killed):
            run(folder, KillAt(seq))
        assert folder.events()[-1]["seq"] >= seq
        abandon(folder)
    assert run(folder) == "finished"
    assert outcome(folder) == outcome(whole)
    assert weights(folder) == weights(whole)
    assert told(folder) == told(whole)


def test_every_checkpoint_leads_to_the_same_end(
    whole: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.conductor.Checkpoints", partial(Checkpoints, keep=1000))
    folder = finished(tmp_path / "kept")
    numbers = Checkpoints(folder.path / "checkpoints").numbers()
    assert (
        len(numbers) == 4
    )  # before training, after epochs 3 (end of a round), 5, and 2 (round 1)
    for number in numbers:
        copy = RunFolder(tmp_path / str(number) / "run")
        shutil.copytree(folder.path, copy.path)
        for path in (copy.path / "checkpoints").iterdir():
            if int(path.stem) > number:
                path.unlink()
        (copy.path / "result.json").unlink()
        shutil.rmtree(copy.path / "architectures")
        abandon(copy)
        assert run(copy) == "finished"
        assert outcome(copy) == outcome(whole), number
        assert weights(copy) == weights(whole), number
        assert told(copy) == told(whole), number


def test_the_seconds_of_all_processes_are_counted(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    watcher = Watcher(epoch(4))
    run(folder, watcher)
    stages = [e for e in watcher.events if e["type"] == "stage" and e["state"] == "finished"]
    spent = sum(e["measured"]["seconds"] for e in stages if e["stage"] == "ground_truth")
    run(folder)
    result = folder.result()
    assert result is not None
    assert result["cost"]["seconds"]["ground_truth"] == pytest.approx(spent, rel=0.2)
    assert set(result["cost"]["seconds"]) == {"ground_truth", "training", "search", "final"}
