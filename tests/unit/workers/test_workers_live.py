"""Streams, wishes, and reading a run little by little."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

import pytest
from redis import Redis

from engine.events import Event
from engine.runs import FolderSink, RunFolder, create_run
from engine.spec.errors import RunError
from engine.spec.experiment import ExperimentSpec
from workers import wishes
from workers.client import Client
from workers.follow import EventIndex
from workers.keys import Keys
from workers.settings import Settings
from workers.stream import RedisSink, read_events, read_progress
from workers.wishes import RedisControl, Shutdown

KEYS = Keys("t")


def event(seq: int, moment: float | None = None) -> Event:
    """Return an event."""
    return {"seq": seq, "time": float(seq) if moment is None else moment, "type": "note"}


def seqs(events: list[Event] | None) -> list[int] | None:
    """Return the numbers of events."""
    return None if events is None else [one["seq"] for one in events]


# -- stream -----------------------------------------------------------------------------------
def test_a_stream_gives_what_is_new_and_says_when_it_cannot(redis: Redis) -> None:
    sink = RedisSink(redis, KEYS, "r", "o")
    for seq in range(5):
        sink.write(event(seq))
    assert seqs(read_events(redis, KEYS, "r", "o", -1)) == [0, 1, 2, 3, 4]
    assert seqs(read_events(redis, KEYS, "r", "o", 2)) == [2, 3, 4]
    assert seqs(read_events(redis, KEYS, "r", "o", 4)) == [4]
    assert read_events(redis, KEYS, "r", "o", 5) is None, "it never had event 5"
    assert read_events(redis, KEYS, "r", "another", -1) is None
    sink.rewind(2)
    assert read_events(redis, KEYS, "r", "o", 4) is None
    sink.write(event(2, 99.0))
    assert read_events(redis, KEYS, "r", "o", -1) is None
    assert read_events(redis, KEYS, "r", "o", 2) == [event(2, 99.0)]


def test_a_stream_keeps_a_limited_number_of_events_and_ends_some_day(redis: Redis) -> None:
    sink = RedisSink(redis, KEYS, "r", "o", length=50)
    for seq in range(500):
        sink.write(event(seq))
    assert redis.xlen(KEYS.events("r", "o")) < 250
    assert redis.ttl(KEYS.events("r", "o")) > 3600
    assert read_events(redis, KEYS, "r", "o", -1) is None
    assert seqs(read_events(redis, KEYS, "r", "o", 480)) == list(range(480, 500))


def test_progress_is_the_latest(redis: Redis) -> None:
    sink = RedisSink(redis, KEYS, "r", "o")
    assert read_progress(redis, KEYS, "r", "o") is None
    sink.progress({"fraction": 0.1})
    sink.progress({"fraction": 0.2})
    assert read_progress(redis, KEYS, "r", "o") == {"fraction": 0.2}


def test_without_a_store_events_are_counted_and_the_log_has_one_line(
    nobody: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    sink = RedisSink(nobody, KEYS, "r", "o", retry=0.0)
    with caplog.at_level(logging.WARNING):
        for seq in range(20):
            sink.write(event(seq))
            sink.progress({})
    assert sink.left_out == 20
    assert len(caplog.records) == 1


def test_a_store_that_is_away_is_not_asked_at_every_event(nobody: Redis) -> None:
    sink = RedisSink(nobody, KEYS, "r", "o", retry=60.0)
    sink.write(event(0))
    sink._connection = None  # type: ignore[assignment] - any use would be an AttributeError
    sink.write(event(1))
    assert sink.left_out == 2


@pytest.mark.parametrize("store_forgot", [False, True])
def test_after_a_gap_readers_are_sent_to_the_folder(redis: Redis, store_forgot: bool) -> None:
    sink = RedisSink(redis, KEYS, "r", "o", retry=0.0)
    sink.write(event(0))
    sink.write(event(1))
    if store_forgot:
        redis.flushall()
    else:
        redis.set("t:blocked", "x")
        sink._events, name = "t:blocked", sink._events  # a command that fails, as in an outage
        sink.write(event(2))
        sink._events = name
        assert sink.left_out == 1
    sink.write(event(3))
    sink.write(event(4))
    assert read_events(redis, KEYS, "r", "o", 1) is None
    assert read_events(redis, KEYS, "r", "o", -1) is None
    assert seqs(read_events(redis, KEYS, "r", "o", 3)) == [3, 4]


def test_a_run_that_goes_back_while_the_store_is_away_leaves_nothing_old(
    redis: Redis, nobody: Redis
) -> None:
    sink = RedisSink(redis, KEYS, "r", "o", retry=0.0)
    for seq in range(6):
        sink.write(event(seq))
    sink._connection, back = nobody, sink._connection
    sink.rewind(2)
    sink._connection = back
    sink.write(event(2, 99.0))
    assert read_events(redis, KEYS, "r", "o", 4) is None
    assert read_events(redis, KEYS, "r", "o", 2) == [event(2, 99.0)]


def test_an_event_that_is_not_json_is_a_fault_of_ours(redis: Redis) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        RedisSink(redis, KEYS, "r", "o").write({"seq": 0, "time": float("nan")})


# -- wishes -----------------------------------------------------------------------------------
def control(redis: Redis, **more: object) -> RedisControl:
    """Return a control of run `r`."""
    return RedisControl(redis, KEYS, "r", **({"shutdown": Shutdown(), "ask": 0.0} | more))


def test_a_wish_reaches_the_run_and_can_be_taken_back(redis: Redis) -> None:
    run = control(redis)
    assert run.wish() is None
    wishes.ask(redis, KEYS, "r", "pause")
    assert run.wish() == "pause"
    wishes.ask(redis, KEYS, "r", "stop")
    assert run.wish() == "stop"
    assert control(redis, shutdown=Shutdown(True)).wish() == "stop", "a person's wish comes first"
    wishes.forget(redis, KEYS, "r")
    assert run.wish() is None
    assert not run.leaving


def test_the_store_is_asked_at_most_once_in_a_while(redis: Redis) -> None:
    run = control(redis, ask=60.0)
    assert run.wish() is None
    wishes.ask(redis, KEYS, "r", "stop")
    before = redis.info("commandstats").get("cmdstat_mget", {}).get("calls", 0)
    assert [run.wish() for _ in range(100)] == [None] * 100
    assert redis.info("commandstats").get("cmdstat_mget", {}).get("calls", 0) == before


def test_without_a_store_the_run_goes_on(nobody: Redis, caplog: pytest.LogCaptureFixture) -> None:
    run = control(nobody)
    assert [run.wish() for _ in range(3)] == [None] * 3
    run._next = 0.0
    assert run.wish() is None
    assert len(caplog.records) == 1


def test_a_run_leaves_when_its_worker_ends_or_dies(nobody: Redis) -> None:
    ending = control(nobody, shutdown=Shutdown(True))
    assert (ending.wish(), ending.leaving) == ("pause", True)
    assert control(nobody, parent=os.getppid()).wish() is None
    orphan = control(nobody, parent=os.getppid() + 1)
    assert (orphan.wish(), orphan.leaving) == ("pause", True)


@pytest.mark.parametrize("text", ["", "x", "[]", '{"wish": "dance", "at": 1}', '{"wish": "stop"}'])
def test_a_damaged_wish_is_none(redis: Redis, text: str) -> None:
    redis.set(KEYS.wish("r"), text)
    assert wishes.read(redis, KEYS, ["r", "s"]) == {}


# -- folder -----------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path / "runs", ExperimentSpec(), "r")


def test_only_new_events_are_read_and_half_a_line_waits(folder: RunFolder) -> None:
    index, sink = EventIndex(folder.path / "events.jsonl"), FolderSink(folder)
    assert index.read() == ([], False)
    for seq in range(3):
        sink.write(event(seq) | {"level": "info", "message": "é"})
    assert seqs(index.read()[0]) == [0, 1, 2]
    assert seqs(index.read(1, 1.0)[0]) == [2]
    assert index.read(2, 2.0) == ([], False)
    with open(folder.path / "events.jsonl", "a") as file:
        file.write('{"seq": 3, "time": 3.0')
        file.flush()
        assert index.read(2) == ([], False)
        file.write(', "type": "note"}\n')
    assert index.read(2) == ([event(3)], False)


def test_a_run_that_went_back_is_noticed(folder: RunFolder) -> None:
    index, sink = EventIndex(folder.path / "events.jsonl"), FolderSink(folder)
    note = {"level": "info", "message": ""}
    for seq in range(6):
        sink.write(event(seq) | note)
    assert not index.read(5, 5.0)[1]
    sink.rewind(3)
    events, restarted = index.read(5, 5.0)
    assert (seqs(events), restarted) == ([0, 1, 2], True)
    assert index.read(2, 2.0) == ([], False), "this viewer had nothing that was forgotten"
    for seq in range(3, 9):
        sink.write(event(seq, seq + 100.0) | note)
    assert seqs(index.read(2, 2.0)[0]) == [3, 4, 5, 6, 7, 8]
    overtaken, restarted = index.read(5, 5.0)
    assert (len(overtaken), restarted) == (9, True), "event 5 is another one now"
    assert seqs(EventIndex(folder.path / "events.jsonl").read(5)[0]) == [6, 7, 8]


def test_a_damaged_record_is_a_sentence(folder: RunFolder) -> None:
    (folder.path / "events.jsonl").write_text('{"seq": 0, "time": 1.0}\n{"seq":\n')
    with pytest.raises(RunError, match="is damaged"):
        EventIndex(folder.path / "events.jsonl").read()


def test_many_viewers_read_one_index_at_once(folder: RunFolder) -> None:
    index, sink = EventIndex(folder.path / "events.jsonl"), FolderSink(folder)
    wrong: list[object] = []
    done = threading.Event()

    def view() -> None:
        have: list[int] = []
        while not done.is_set() or len(have) < 200:
            events, restarted = index.read(have[-1] if have else -1)
            have += [one["seq"] for one in events]
            if restarted or have != list(range(len(have))):
                wrong.append(have)
                return

    viewers = [threading.Thread(target=view) for _ in range(4)]
    for viewer in viewers:
        viewer.start()
    for seq in range(200):
        sink.write(event(seq) | {"level": "info", "message": ""})
    done.set()
    for viewer in viewers:
        viewer.join(20)
    assert wrong == []


def test_following_works_without_any_store(settings: Settings) -> None:
    run = create_run(settings.runs, ExperimentSpec(), "r")
    client = Client(settings)
    assert client.follow("r").state == "queued"
    run.change_state("running", owner="worker:x:1:1.0:a")
    FolderSink(run).write(event(0) | {"level": "info", "message": ""})
    FolderSink(run).progress({"fraction": 0.5})
    found = client.follow("r")
    assert (seqs(found.events), found.source, found.after, found.seen) == ([0], "folder", 0, 0.0)
    assert found.progress == {"fraction": 0.5}
    assert client.follow("r", found.after, found.seen).events == []
    began = time.monotonic()
    for _ in range(20):
        client.follow("r", found.after, found.seen)
    assert time.monotonic() - began < 2
    with pytest.raises(RunError, match="There is no run"):
        client.follow("other")
    with pytest.raises(RunError, match="is not a run id"):
        client.follow("../r")
