"""Progress never goes back within a run, ends at the end, and the time left follows the speed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import WITHOUT_LANDMARKS, Watcher, new_run, run, tiny

from engine.events import Events, Progress
from engine.runs import RunFolder
from engine.work_plan import WorkPlan


class Clock:
    """Seconds that pass only when told so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("engine.work_plan.time.perf_counter", clock)
    return clock


def plan(**stages: float) -> WorkPlan:
    return WorkPlan(Events([]), stages)


def test_nothing_is_said_of_the_time_left_before_a_second_has_passed(clock: Clock) -> None:
    work = plan(first=100.0)
    assert work.eta() is None
    work.begin("first", "First")
    clock.now += 0.5
    work.show(10, 1, 10, "things")
    assert work.eta() is None
    clock.now += 0.5
    assert work.eta() == 9.0


def test_every_stage_counts_at_its_own_speed(clock: Clock) -> None:
    work = plan(slow=100.0, quick=100.0, unknown=60.0)
    work.begin("slow", "Slow")
    clock.now += 20  # 5 a second
    work.show(100, 1, 1, "things")
    work.begin("quick", "Quick")
    clock.now += 2  # 25 a second
    work.show(50, 1, 2, "things")
    # 50 are left at 25 a second; of the unknown it is said that 150 took 22 seconds.
    assert work.eta() == pytest.approx(2 + 60 * 22 / 150, abs=0.06)
    assert work.fraction() == pytest.approx(150 / 260)


def test_a_stage_just_begun_counts_at_the_mean_speed(clock: Clock) -> None:
    work = plan(first=100.0, second=100.0)
    work.begin("first", "First")
    clock.now += 10
    work.show(100, 1, 1, "things")
    work.begin("second", "Second")
    clock.now += 10
    work.show(4, 0, 25, "things")  # 4 % done in 10 s is no speed yet
    assert work.eta() == pytest.approx(96 / (104 / 20), abs=0.06)
    work.show(6, 1, 25, "things")
    assert work.eta() == pytest.approx(94 / (6 / 10), abs=0.06)


def test_work_that_costs_nothing_shortens_the_plan(clock: Clock) -> None:
    work = plan(first=100.0, second=100.0)
    work.begin("first", "First")
    clock.now += 2
    work.write_off("first", 60)
    work.show(20, 1, 2, "things")
    assert work.fraction() == pytest.approx(20 / 140)
    work.settle("first")
    assert work.fraction() == pytest.approx(20 / 120)
    work.write_off("second", 1000)
    assert work.fraction() == 1.0
    assert work.eta() == 0.0


def test_an_empty_plan_is_done() -> None:
    assert plan(first=0.0).fraction() == 1.0


def test_seconds_are_taken_once(clock: Clock) -> None:
    work = plan(first=1.0, second=1.0)
    work.begin("first", "First")
    clock.now += 3
    assert work.take_seconds() == {"first": 3.0}
    clock.now += 4
    work.end()
    clock.now += 100
    work.begin("second", "Second")
    clock.now += 5
    assert work.take_seconds() == {"first": 4.0, "second": 5.0}
    assert work.take_seconds() == {"first": 0.0, "second": 0.0}


def test_a_plan_goes_on_in_another_process(clock: Clock) -> None:
    first = plan(one=100.0, two=100.0)
    first.begin("one", "One")
    clock.now += 10
    first.write_off("one", 20)
    first.show(80, 1, 1, "things")
    first.begin("two", "Two")
    clock.now += 10
    first.show(20, 1, 5, "things")
    seconds = first.take_seconds()

    second = plan(one=100.0, two=100.0)
    second.load_state(first.state(), seconds)
    assert second.fraction() == first.fraction() == pytest.approx(100 / 180)
    assert second.eta() == first.eta() == 40.0
    second.begin("two", "Two")
    clock.now += 5
    second.show(30, 1, 5, "things")
    assert second.eta() == pytest.approx(70 / (30 / 15), abs=0.06)
    assert second.take_seconds() == {"one": 0.0, "two": 5.0}


# -- whole runs ---------------------------------------------------------------------------------
@pytest.fixture
def every_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send all progress, not three times a second."""

    def progress(self: Events, value: Progress, force: bool = False) -> None:
        for sink in self.sinks:
            sink.progress(value)

    monkeypatch.setattr(Events, "progress", progress)


def check(shown: list[Progress]) -> None:
    """Check the progress of a run, or of the rest of one, that ran to its end."""
    fractions = [progress["fraction"] for progress in shown]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert fractions[-1] == 1.0
    for progress in shown:
        assert progress["stage"] in ("ground_truth", "training", "search", "final")
        assert progress["title"]
        assert 0 <= progress["done"] <= progress["total"]
        assert progress["eta_seconds"] is None or progress["eta_seconds"] >= 0
    assert shown[-1]["eta_seconds"] in (None, 0.0)


def jumps(shown: list[Progress]) -> float:
    """Return the largest step of the fraction."""
    fractions = [0.0, *(progress["fraction"] for progress in shown)]
    return max(b - a for a, b in zip(fractions, fractions[1:], strict=False))


@pytest.mark.usefixtures("every_progress")
def test_progress_of_a_cold_and_a_warm_run(tmp_path: Path) -> None:
    cold, warm = Watcher(), Watcher()
    folder = new_run(tmp_path / "cold")
    run(folder, cold)
    check(cold.shown)
    assert jumps(cold.shown) < 0.1
    latest = folder.latest_progress()
    assert latest is not None
    assert latest["fraction"] == 1.0
    run(new_run(tmp_path / "warm"), warm)
    check(warm.shown)
    assert jumps(warm.shown) < 0.2
    learned = [p for p in warm.shown if p["stage"] == "ground_truth"]
    assert {progress["fraction"] for progress in learned[:6]} == {0.0}


@pytest.mark.usefixtures("every_progress")
def test_progress_of_a_half_warm_run(tmp_path: Path) -> None:
    """Some of the ground truth is known: of the sample, say, but of no later landmark."""
    run(new_run(tmp_path / "first", tiny(**WITHOUT_LANDMARKS, super_net={"epochs": 1})))
    watcher = Watcher()
    run(new_run(tmp_path / "second"), watcher)
    check(watcher.shown)
    origins = [
        event["measured"]["origin"] for event in watcher.events if event["type"] == "ground_truth"
    ]
    assert {"bank", "trained"} == set(origins)


@pytest.mark.usefixtures("every_progress")
def test_progress_of_a_resumed_run(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    for moment in _moments():
        watcher = Watcher(moment)
        assert run(folder, watcher) == "paused"
        fractions = [progress["fraction"] for progress in watcher.shown]
        assert fractions == sorted(fractions)
    saved = fractions[-1]
    rest = Watcher()
    run(folder, rest)
    check(rest.shown)
    assert rest.shown[0]["fraction"] == pytest.approx(saved, abs=0.02)


def _moments() -> Iterator[Any]:
    yield lambda events: events[-1]["type"] == "epoch" and events[-1]["epoch"] == 1
    yield lambda events: events[-1]["type"] == "epoch" and events[-1]["epoch"] == 2
    yield lambda events: events[-1]["type"] == "epoch" and events[-1]["epoch"] == 4


def test_the_last_progress_is_always_written(whole: RunFolder) -> None:
    latest = whole.latest_progress()
    assert latest is not None
    assert (latest["fraction"], latest["stage"]) == (1.0, "final")
    assert latest["done"] == latest["total"] == 6
