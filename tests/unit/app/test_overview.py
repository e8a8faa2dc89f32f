"""The overview: ready experiments with honest times, what they need, what waits and runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from page_help import Open, words
from played_client import PlayedClient
from played_run import OWNER, play, played, small_spec

from app import client, ready
from app.background import Task
from app.digest import RunDigest
from app.widgets import measurement, run_card, status_strip
from engine.measured import Estimate
from engine.runs import RunFolder, create_run
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build
from workers.client import SystemStatus, WorkerStatus
from workers.gauge import Reading

KEY = "nb201_digits_landmarks"
ESTIMATE = Estimate(
    key="k", device="CPU (2 threads)", kind="cpu", stages={"ground_truth": 60.0, "training": 40.0},
    spread=0.1, step_seconds=0.1, training_seconds=1.0, score_seconds=0.1,
    images_per_second=100.0, memory_bytes=10**9, free_bytes=4 * 10**9, sample=6, known=0,
    saved_seconds=0.0, took_seconds=15.0, at=0.0, others=0.0, cores=2,
)  # fmt: skip


def ran(runs: Path, seconds: float, **changes: object) -> RunFolder:
    """Make a finished run of the ready experiment that took so long."""
    folder = create_run(runs, the_spec().model_copy(update=changes))
    play(folder)
    path = folder.path / "result.json"
    result = json.loads(path.read_text())
    result["cost"]["seconds"] = {"training": seconds - 10, "search": 10}
    path.write_text(json.dumps(result))
    return folder


def the_spec() -> ExperimentSpec:
    return next(offer.spec for offer in ready.offers()[0] if offer.key == KEY)


def test_an_empty_lab_offers_experiments_and_presets(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    test = open_page()
    untimed = [m for m in test.markdown if "Not timed on this machine yet" in m.value]
    assert len(untimed) == 5, "two ready ones, three presets"
    keys = {button.key for button in test.button}
    assert f"run-{KEY}" in keys and f"measure-{KEY}" in keys
    assert "run-presets/nb201_best" not in keys, "CIFAR-10 is not there"
    assert "open-presets/nb201_best" in keys


def test_data_that_are_there_are_not_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path))
    spec = build({"data": {"name": "cifar10"}})
    assert ready.missing(spec) == "CIFAR-10 is not on this machine yet."
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "cifar-10-binary.tar.gz").touch()
    assert ready.missing(spec) == ready.missing(build({"data": {"name": "digits"}})) == ""


def test_times_are_those_of_this_very_experiment(lab: PlayedClient, runs: Path) -> None:
    assert ready.took(the_spec()) is None
    ran(runs, 200.0, seed=1, name="Another name")
    ran(runs, 100.0, seed=2)
    ran(runs, 5.0, evaluation=the_spec().evaluation.model_copy(update={"sample": 61}))
    client.changed()
    found = ready.took(the_spec())
    assert found is not None and found.seconds == [100.0, 200.0], "a larger sample is another"
    assert measurement.took_words(found) == "Took 1 min 40 s to 3 min 20 s here on cpu, in 2 runs"


def test_a_measurement_is_told_as_one() -> None:
    told = measurement.estimate_words(ESTIMATE)
    assert told.startswith("About 1 min 40 s on this machine, CPU (2 threads), give or take 10 %")
    tight = measurement.estimate_words(replace(ESTIMATE, free_bytes=10**9))
    assert tight.endswith("It needs 1.00 GB of memory, 1.00 GB are free")


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (Task("k", "t", words="Timing steps"), "Timing steps"),
        (Task("k", "t", "done", output=ESTIMATE.to_json()), "About 1 min 40 s"),
        (Task("k", "t", "done", output={"nonsense": 1}), "is damaged; measure again"),
        (Task("k", "t", "failed", error="Memory ran out."), "Memory ran out"),
    ],
)
def test_every_state_of_a_measurement(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, task: Task, said: str
) -> None:
    wanted = f"{measurement.PREFIX}{KEY}"
    monkeypatch.setattr(
        "app.background.Tasks.get", lambda self, key: task if key == wanted else None
    )
    test = open_page()
    assert not test.exception and not test.error
    assert said.replace(".", "\\.") in words(test) or said in words(test)


def test_who_may_only_look_starts_nothing(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    test = open_page()
    assert test.button(key=f"run-{KEY}").disabled
    assert not [button for button in test.button if (button.key or "").startswith("measure-")]


def test_a_lab_with_runs_still_offers_them(open_page: Open, runs: Path) -> None:
    played(runs)
    test = open_page()
    assert "Ready experiments and presets" in [box.label for box in test.expander]
    assert test.button(key=f"run-{KEY}")


def test_what_waits_is_named_in_its_order(open_page: Open, runs: Path) -> None:
    for seed in range(8):
        create_run(runs, small_spec(seed=seed))
    said = words(open_page())
    assert "Waiting for a free worker: 8" in said and "and 2 more" in said


def test_the_best_accuracy_so_far(runs: Path) -> None:
    events = played(runs).events()
    digest = RunDigest()
    assert run_card.best_accuracy(digest) == (None, "Best accuracy")
    seen = {}
    for event in events:
        digest.take_all([event])
        value, kind = run_card.best_accuracy(digest)
        seen[kind] = value
    scores = [e["scores"] for e in events if e["type"] == "ranking"][-1]
    best = [e["best_score"] for e in events if e["type"] == "generation"]
    alone = [e["stand_alone_accuracy"] for e in events if e["type"] == "architecture"]
    assert seen == {
        "Best accuracy": None,
        "Best of the sample, super-net": max(scores),
        "Best found, super-net": max(best),
        "Best, trained by itself": max(alone),
    }


def test_many_running_runs_do_not_fill_the_page(open_page: Open, runs: Path) -> None:
    for seed in range(9):
        folder = create_run(runs, small_spec(seed=seed))
        folder.change_state("running", owner=OWNER)
    test = open_page()
    bars = [m for m in test.markdown if 'role="progressbar"' in m.value]
    assert len(bars) == 8 and "All 9 running experiments" in words(test)


def test_the_memory_of_gpus_is_added_up_and_left_out_without_one() -> None:
    def online(*workers: tuple[str, Reading | None]) -> SystemStatus:
        told = (WorkerStatus("w", device, "idle", None, 0.0, one) for device, one in workers)
        return SystemStatus(True, "", tuple(told), 0, 10**10)

    cpu = ("cpu", Reading(10**9, 2 * 10**9, 0.5))
    card = Reading(20 * 10**9, 80 * 10**9, 0.9)
    assert "memory" not in status_strip.strip(online(cpu, ("GPU 0", None)), [])
    both = status_strip.strip(online(cpu, ("GPU 0", card), ("GPU 1", card)), [])
    assert "25 %" in both and "40.00 GB of 160.00 GB in use, 2 GPUs" in both
