"""The box of measured time and memory, and the page that shows what runs where."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from page_help import Open, words
from played_client import PlayedClient
from played_run import OWNER, small_spec
from streamlit.testing.v1 import AppTest

from app import client, estimates, health
from app.background import Task, Tasks
from app.widgets import estimate_figures, queue_place, system_checks, system_store
from engine.measured import Estimate, cost_key
from engine.runs import create_run
from engine.spec.experiment import ExperimentSpec
from workers.client import Measurement, SystemStatus

EXPERIMENT, SYSTEM = "screens/experiment.py", "screens/system.py"


def estimate(spec: ExperimentSpec | None = None, **changes: object) -> Estimate:
    stages = {"preparing": 2.0, "ground_truth": 300.0, "training": 100.0, "search": 8.0}
    found = Estimate(
        key=cost_key(spec or ExperimentSpec()), device="CPU (2 threads)", kind="cpu",
        stages=stages, spread=0.05, step_seconds=0.01, training_seconds=0.5, score_seconds=0.002,
        images_per_second=6400.0, memory_bytes=600_000_000, free_bytes=8_000_000_000, sample=60,
        known=0, saved_seconds=0.0, others=0.2, cores=2, took_seconds=14.0, at=time.time(),
    )  # fmt: skip
    return replace(found, **changes)


# -- figures ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("jobs", "workers", "said"),
    [
        (1, 1, "About 7 min"),  # 410 s
        (1, 4, "About 7 min"),
        (3, 1, "About 20 min"),  # 1230 s
        (3, 2, "About 14 min"),  # two rounds
        (100, 0, "About 11 h"),  # 41,000 s
    ],
)
def test_the_time_of_all_jobs(jobs: int, workers: int, said: str) -> None:
    assert said in estimate_figures.total(estimate(), jobs, workers)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h"),
     (36_000, "10 h"), (172_799, "48 h"), (200_000, "2.3 d")],
)  # fmt: skip
def test_no_more_digits_than_an_estimate_deserves(seconds: float, said: str) -> None:
    assert estimate_figures.rough(seconds) == said


def test_what_the_bank_saves_and_what_disturbed_is_said() -> None:
    found = estimate(known=30, saved_seconds=120.0, others=1.4)
    text = estimate_figures.figures(found, 1, 1, "vm-cpu-1", time.time())
    assert "30 of 60 architectures" in text and "saves 2 min" in text
    assert "About 5 min" in text and "by vm-cpu-1" in text
    assert "1.4 of 2 cores" in text
    assert "cores busy" not in estimate_figures.figures(estimate(), 1, 1, "", time.time())


def test_a_shortage_of_memory_says_what_to_lower() -> None:
    assert estimate_figures.shortage(estimate()) == ""
    short = estimate_figures.shortage(estimate(memory_bytes=8_000_000_000))
    assert "8.00 GB" in short and "batch size" in short


# -- the box ------------------------------------------------------------------------------------
SCRIPT = """
from app.widgets import estimate_box
from engine.spec.experiment import ExperimentSpec
import streamlit as st
estimate_box.draw(st.session_state.get("spec", ExperimentSpec()), 2)
"""


@pytest.fixture
def box(lab: PlayedClient) -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=30)


def test_a_worker_is_asked_and_its_answer_is_kept(box: AppTest, lab: PlayedClient) -> None:
    box.run()
    box.button(key="measure").click().run()
    assert "A worker is about to begin" in words(box) or "Waiting" in words(box)
    lab.measurement = Measurement("running", worker="vm-1", message="Timing the search")
    box.run()
    assert "Timing the search on vm" in words(box)
    lab.measurement = Measurement("done", estimate(), "vm-1")
    box.run()
    assert "About 14 min" in words(box) and "by vm-1" in words(box)
    assert estimates.known(ExperimentSpec(name="Other words", seed=3)) == estimate(
        at=estimates.known(ExperimentSpec()).at
    )
    box.session_state["spec"] = ExperimentSpec(algorithm="darts")
    box.run()
    assert "Out of date" in words(box) and "About 14 min" in words(box)
    box.session_state["spec"] = None
    box.run()
    assert "once the problems are solved" in words(box)


def test_a_failure_is_told_and_can_be_tried_again(box: AppTest, lab: PlayedClient) -> None:
    box.run()
    box.button(key="measure").click().run()
    lab.measurement = Measurement("failed", message="The memory of the GPU ran out.")
    box.run()
    assert "memory of the GPU ran out" in box.error[0].value
    assert box.button(key="measure")


def test_measuring_here_is_offered_while_all_workers_are_busy(
    box: AppTest, lab: PlayedClient, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_run(runs, small_spec()).change_state("running", owner=OWNER)
    started: list[list[str]] = []

    def start(self: Tasks, key: str, title: str, arguments: list[str], after: object) -> Task:
        started.append([key, *arguments])
        task = self._tasks[key] = Task(key, title)
        after(task)  # type: ignore[operator]
        return task

    monkeypatch.setattr(Tasks, "start", start)
    box.run()
    box.button(key="measure").click().run()
    assert "the only one is busy" in words(box).replace("\\", "")
    box.button(key="measure-here").click().run()
    [[key, command, file, *_]] = started
    assert (key, command) == (estimates.task_key(ExperimentSpec()), "estimate")
    assert not Path(file).exists(), "the file for the command is gone with it"
    assert lab.measuring == "", "the worker is not asked any more"
    task = client.tasks().get(key)
    task.state, task.output = "done", estimate().to_json()
    box.run()
    assert "by this page" in words(box)
    assert client.tasks().get(key) is None


def test_a_viewer_without_rights_cannot_measure(
    box: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    box.run()
    assert not box.button and "only shows" in words(box)


def test_a_store_that_is_away_is_a_sentence(box: AppTest, runs: Path) -> None:
    (runs / ".store-away").touch()
    box.run()
    assert not box.exception


def test_estimates_survive_a_new_start_and_a_damaged_file_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "data" / "estimates.json"
    kept = estimates.Kept(file)
    kept.load()
    kept.keep(estimate(), "vm-1")
    again = estimates.Kept(file)
    again.load()
    assert list(again.found.values()) == [(estimate(at=kept.found[estimate().key][0].at), "vm-1")]
    rows = json.loads(file.read_text())
    for text in ("", "[1]", "{}", json.dumps([rows[0] | {"estimate": {"key": "x"}}])):
        file.write_text(text)
        damaged = estimates.Kept(file)
        damaged.load()
        assert not damaged.found


# -- the queue ----------------------------------------------------------------------------------
def test_ordinals() -> None:
    said = [queue_place.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111, 113)]
    assert said == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st",
                    "111th", "113th"]  # fmt: skip


def test_a_waiting_run_is_moved_from_its_page_and_from_system(
    open_page: Open, lab: PlayedClient, runs: Path
) -> None:
    names = [create_run(runs, small_spec(name=n), f"r{i}").run_id for i, n in enumerate("abc")]
    test = open_page(EXPERIMENT, run=names[2])
    assert "3rd of 3 in the queue" in words(test)
    test.button(key=f"first-{names[2]}").click().run()
    assert lab.status().queue == (names[2], names[0], names[1])
    assert "1st of 3 in the queue" in words(test)
    assert test.button(key=f"up-{names[2]}").disabled
    system = test.switch_page(SYSTEM).run()
    system.button(key=f"down-{names[2]}").click().run()
    assert lab.status().queue == (names[0], names[2], names[1])


def test_a_viewer_without_rights_sees_no_controls(
    open_page: Open, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    names = [create_run(runs, small_spec(name=n), n).run_id for n in "ab"]
    test = open_page(EXPERIMENT, run=names[0])
    labels = {button.label for button in test.button}
    assert labels & {"Stop", "Repeat", "Start this one next", "Pause", "Resume"} == set()
    assert next(b for b in test.button if b.label == "Delete").disabled
    assert "only shows" in words(test)
    system = test.switch_page(SYSTEM).run()
    assert not system.exception
    assert {button.label for button in system.button} == set()


# -- system -------------------------------------------------------------------------------------
def test_the_system_page_tells_device_store_and_versions(open_page: Open, runs: Path) -> None:
    test = open_page(SYSTEM)
    text = words(test)
    assert not test.exception and not test.error
    for said in ("6.00 GB of 16.00 GB", "valkey 9.1.0", "0.2 ms", "every change, at once",
                 "10.00 GB free of 100.00 GB", "Commit"):  # fmt: skip
        assert said in text, said


def test_findings_are_sorted_escaped_and_can_be_copied(open_page: Open, lab: PlayedClient) -> None:
    task = Task(health.DOCTOR, "Examining", "done")
    task.output = {"findings": [
        {"name": "Python", "verdict": "ok", "found": "3.11", "remedy": ""},
        {"name": "Disk", "verdict": "fail", "found": "<b>0 GB</b>", "remedy": "Delete `runs`."},
    ]}  # fmt: skip
    client.tasks()._tasks[health.DOCTOR] = task
    kernels = Task(health.KERNELS, "Checking", "done")
    kernels.output = {"device": "CPU", "torch": "2", "cuda": None, "operations": [
        {"operation": "node_sum", "implementation": "triton", "reason": "a GPU", "cases": 4,
         "worst": 0.5, "sound": False},
    ]}  # fmt: skip
    client.tasks()._tasks[health.KERNELS] = kernels
    test = open_page(SYSTEM)
    text = words(test)
    assert text.index("Disk</b>") < text.index("Python</b>")
    assert "&lt;b&gt;0 GB&lt;/b&gt;" in text and "<code>runs</code>" in text
    assert "fail Disk: <b>0 GB</b>. Delete `runs`." in test.code[0].value
    assert "NAS_KERNELS=reference" in text and "without CUDA" in text


def test_a_store_in_trouble_is_told() -> None:
    health_ = PlayedClient(Path("."), -1).store_health()
    assert list(system_store.warnings(health_)) == []
    worse = replace(health_, writes_well=False, memory_limit=2_500_000, latency_ms=90.0,
                    appends=False, embedded=False)  # fmt: skip
    assert len(list(system_store.warnings(worse))) == 4
    status = SystemStatus(True, "", (), 0, 10**9, (), 10**11)
    assert system_store.disk(status) == (pytest.approx(0.99), "1.00 GB free of 100.00 GB", True)


def test_kernels_that_were_only_looked_at_are_not_called_wrong() -> None:
    row = {"operation": "x", "implementation": "reference", "reason": "y", "cases": 0,
           "worst": None, "sound": None}  # fmt: skip
    assert "In order" in system_checks.kernel_table({"cuda": "13"}, [row])
