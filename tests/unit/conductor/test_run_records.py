"""Events and their file: numbered, whole lines only, and cut back to a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import Watcher, new_run

from engine.events import Events, comparable, finite
from engine.runs import FolderSink, RunFolder, list_runs, log_line


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return new_run(tmp_path)


def test_events_are_numbered_and_reach_every_sink() -> None:
    first, second = Watcher(), Watcher()
    events = Events([first, second], seq=7)
    events.note("one")
    events.emit("checkpoint", epoch=3)
    assert [(e["seq"], e["type"]) for e in first.events] == [(7, "note"), (8, "checkpoint")]
    assert first.events == second.events
    assert first.events[0]["level"] == "info"
    events.rewind(8)
    assert len(first.events) == len(second.events) == 1
    events.note("again")
    assert first.events[-1]["seq"] == 8


def test_an_unknown_event_is_refused() -> None:
    watcher = Watcher()
    events = Events([watcher])
    with pytest.raises(KeyError):
        events.emit("epcoh", epoch=1)
    for value in (float("nan"), float("inf"), object()):
        with pytest.raises((ValueError, TypeError)):
            events.emit("checkpoint", epoch=value)
    assert watcher.events == []
    assert events.seq == 0


def test_progress_is_sent_three_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("engine.events.time.monotonic", lambda: now[0])
    watcher = Watcher()
    events = Events([watcher])
    for number in range(100):
        now[0] += 0.01
        events.progress({"number": number})
    assert [progress["number"] for progress in watcher.shown] == [0, 30, 60, 90]
    events.progress({"number": "forced"}, force=True)
    assert watcher.shown[-1]["number"] == "forced"
    assert all("time" in progress for progress in watcher.shown)


def test_comparable_leaves_out_what_depends_on_speed() -> None:
    event = {"seq": 1, "time": 5.0, "type": "epoch", "loss": 2.0, "measured": {"seconds": 1}}
    assert comparable(event) == {"seq": 1, "type": "epoch", "loss": 2.0}
    assert (finite(1.5), finite(float("nan")), finite(float("-inf"))) == (1.5, None, None)


def _write(folder: RunFolder, count: int) -> None:
    events = Events([FolderSink(folder)])
    for number in range(count):
        events.note(f"note {number}")


def test_events_are_read_from_a_number_on(folder: RunFolder) -> None:
    assert folder.events() == []
    _write(folder, 5)
    assert [event["seq"] for event in folder.events()] == [0, 1, 2, 3, 4]
    assert [event["seq"] for event in folder.events(after=2)] == [3, 4]
    assert folder.events(after=4) == []


def test_a_half_written_line_is_left_out_and_then_cut_off(folder: RunFolder) -> None:
    _write(folder, 3)
    path = folder.path / "events.jsonl"
    with open(path, "a") as file:
        file.write('{"seq": 3, "type": "no')
    assert len(folder.events()) == 3
    Events([FolderSink(folder)], seq=3).note("the next")
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [0, 1, 2, 3]
    assert folder.events()[-1]["message"] == "the next"


def test_rewinding_cuts_the_file_in_one_step(folder: RunFolder) -> None:
    _write(folder, 5)
    path = folder.path / "events.jsonl"
    with open(path) as reader:
        sink = FolderSink(folder)
        sink.rewind(2)
        assert len(reader.readlines()) == 5, "a reader of the old file loses its lines"
    assert [event["seq"] for event in folder.events()] == [0, 1]
    sink.rewind(0)
    assert path.read_text() == ""


def test_progress_replaces_progress(folder: RunFolder) -> None:
    assert folder.latest_progress() is None
    sink = FolderSink(folder)
    sink.progress({"fraction": 0.1})
    sink.progress({"fraction": 0.2})
    assert folder.latest_progress() == {"fraction": 0.2}
    assert not list(folder.path.glob(".progress*"))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"type": "note", "level": "warning", "message": "hot"}, "warning: hot"),
        ({"type": "stage", "title": "Training", "state": "started"}, "Training: started"),
        ({"type": "epoch", "epoch": 2, "epochs": 5, "loss": 0.5}, "epoch 2/5: loss 0.5000"),
        (
            {"type": "ranking", "epoch": 2, "metrics": {"sparse_kendall_tau": 0.25}},
            "epoch 2: sparse Kendall tau 0.250",
        ),
        (
            {"type": "ranking", "epoch": 2, "metrics": {"sparse_kendall_tau": None}},
            "epoch 2: sparse Kendall tau undefined",
        ),
        ({"type": "state", "state": "failed", "message": "No disk."}, "failed: No disk."),
        ({"type": "state", "state": "finished", "message": ""}, "finished"),
        ({"type": "sample"}, None),
    ],
)
def test_lines_of_the_log(fields: dict[str, Any], line: str | None) -> None:
    expected = None if line is None else f"1970-01-01 00:01:00Z {line}"
    assert log_line({"seq": 0, "time": 60.0, **fields}) == expected


def test_runs_are_listed_newest_first(tmp_path: Path, folder: RunFolder) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("")
    later = RunFolder(tmp_path / "zz")
    later.path.mkdir()
    (later.path / "state.json").write_text("{}")
    assert [found.run_id for found in list_runs(tmp_path)] == ["zz", folder.run_id]
    assert list_runs(tmp_path / "none") == []
