"""The estimate of time and memory: what is counted, what is measured, what is left alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_runs import tiny, told
from typer.testing import CliRunner

from engine.cli import app
from engine.cli.estimate import words
from engine.events import Events
from engine.lab import Lab
from engine.measured import STAGES, Estimate, cost_key
from engine.probe import Costs, _spread, probe, rankings, scored, stage_seconds
from engine.probe_steps import (
    Clock,
    Samples,
    SearchCost,
    learner_seconds,
    search_cost,
    step_costs,
    training_costs,
)  # fmt: skip
from engine.runs import RunFolder
from engine.spec.errors import RunError, SpecError
from engine.spec.files import dump

LIMIT = 0.2


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# -- counting -----------------------------------------------------------------------------------
def test_counts_are_those_of_a_real_run(whole: RunFolder) -> None:
    spec, events = whole.spec(), told(whole)
    ranked = [event for event in events if event["type"] == "ranking"]
    assert rankings(spec) == [event["epoch"] for event in ranked]
    assert scored(spec) == sum(len(e["scores"]) + len(e["landmark_scores"]) for e in ranked)


def test_seconds_by_hand(bank: Path) -> None:
    """5 epochs of 3 steps, 6 + 2 * 3 truths, a search after round 1 and one a searcher at the end.

    Rankings follow epochs 2, 4 and 5; the second round of landmarks begins with epoch 3.
    """
    lab = Lab.build(tiny(stand_alone={"replicates": 2}), Events([]), bank.parent)
    costs = Costs(
        preparing=0.5,
        step=Samples([0.01, 0.03]),
        epoch=0.1,
        learner=7.0,
        training=Samples([2.0]),
        score=Samples([0.25]),
        searches=[SearchCost(12, 1.0), SearchCost(2, 0.5)],
    )
    found = stage_seconds(lab, costs)
    assert found == pytest.approx(
        {
            "preparing": 0.5,
            "ground_truth": 12 * 2 * 2.0,
            "training": 5 * (3 * 0.02 + 0.1) + 7.0 + (9 + 12 + 12) * 0.25,
            "search": 2 * (12 * 0.25 + 1.0) + (2 * 0.25 + 0.5),
            "final": (3 + 2) * 2 * 2.0,
        }
    )
    assert tuple(found) == STAGES
    error = np.std([0.01, 0.03], ddof=1) / np.sqrt(2)
    assert _spread(lab, costs, 100.0) == pytest.approx(15 * error / 100)


# -- measuring ----------------------------------------------------------------------------------
SPECS: dict[str, dict[str, Any]] = {
    "landmarks": {},
    "a learner with steps of its own": {"algorithm": "darts", "addons": {"landmark": None}},
    "a learner between epochs": {
        "algorithm": "enas", "addons": {"landmark": None}, "settings": {"policy_steps": 4},
    },
    "plasticity": {"addons": {"landmark": None, "plasticity": {}}},
    "forgetting": {"addons": {"landmark": None}, "evaluation": {"forgetting": 2}},
    "recalibrated": {
        "network": {"norm": {"statistics": "recalibrated", "recalibration_batches": 2}},
    },
    "one step an epoch": {"super_net": {"batch_size": 100}},
    "many steps an epoch": {"super_net": {"batch_size": 5}},
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_every_kind_of_run_is_measured(bank: Path, name: str) -> None:
    spec = tiny(**SPECS[name])
    said: list[str] = []
    found = probe(spec, limit=LIMIT, report=lambda what, done, total: said.append(what))
    assert set(found.stages) == set(STAGES)
    assert all(seconds > 0 for seconds in found.stages.values())
    assert 0 < found.memory_bytes < found.free_bytes and found.fits
    assert (found.kind, found.key, found.known) == ("cpu", cost_key(spec), 0)
    assert Estimate.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert len(said) == 5
    assert not bank.exists() and not bank.parent.exists(), "nothing is written"


def test_a_table_needs_no_training(bank: Path, tmp_path: Path) -> None:
    lab = Lab.build(tiny(), Events([]), bank.parent)
    lab.truth = object()  # type: ignore[assignment] - whatever trains nothing
    assert training_costs(lab, Clock(lab.device, lambda: None), LIMIT) == Samples()


def test_random_numbers_of_others_are_left_alone(bank: Path) -> None:
    torch.manual_seed(5)
    state = np.random.get_state()[1].tolist()
    wanted = torch.rand(3)
    torch.manual_seed(5)
    probe(tiny(), limit=LIMIT)
    assert torch.equal(torch.rand(3), wanted)
    assert np.random.get_state()[1].tolist() == state


def test_what_the_bank_holds_is_taken_off(whole: RunFolder, tmp_path: Path) -> None:
    """The finished run has trained its sample; another seed draws another one."""
    home = tmp_path / "copy"
    shutil.copytree(whole.path.parent.parent / "data", home)
    before = files(home)
    found = probe(whole.spec(), folder=home, limit=LIMIT)
    assert (found.known, found.sample) == (6, 6)
    assert found.saved_seconds == pytest.approx(6 * found.training_seconds, abs=0.01)
    assert found.seconds(2) == pytest.approx(2 * sum(found.stages.values()) - found.saved_seconds)
    assert files(home) == before
    assert probe(tiny(seed=1), folder=home, limit=LIMIT).known < 6


def test_repeated_work_of_a_learner_is_counted_as_often_as_it_is_done(bank: Path) -> None:
    """Counted in calls, not in seconds: 40 policy steps an epoch, two of them done."""
    settings = {"policy_steps": 40}
    spec = tiny(algorithm="enas", addons={"landmark": None}, settings=settings)
    lab = Lab.build(spec, Events([]), bank.parent)
    learner: Any = lab.trainer.learner
    calls: list[float] = []
    times = iter(range(100))
    clock = Clock(lab.device, lambda: None)
    clock.now = lambda: float(next(times))  # type: ignore[method-assign] - a second a look
    learner.improve = lambda: calls.append(1)
    assert learner_seconds(lab, clock, 0.0) == pytest.approx(5 * 1.0 * 40 / 2)
    assert len(calls) == 2
    assert learner.context.settings.policy_steps == 40


def test_searches_are_as_long_as_their_generations(bank: Path) -> None:
    lab = Lab.build(tiny(search={"generations": 50}), Events([]), bank.parent)
    found = search_cost(lab, "evolution", Clock(lab.device, lambda: None))
    assert found.evaluated == 50 * 6
    limited = Lab.build(tiny(search={"max_params": 1}), Events([]), bank.parent)
    with pytest.raises(SpecError, match="max_params"):
        search_cost(limited, "random", Clock(limited.device, lambda: None))


def test_a_learner_is_back_in_its_place(bank: Path) -> None:
    spec = tiny(algorithm="darts", addons={"landmark": None})
    lab = Lab.build(spec, Events([]), bank.parent)
    learner = lab.trainer.learner
    step_costs(lab, Clock(lab.device, lambda: None), LIMIT)
    assert lab.trainer.learner is learner


def test_a_measurement_can_be_stopped(bank: Path) -> None:
    def poll() -> None:
        raise RunError("The worker ended.")

    with pytest.raises(RunError, match="The worker ended"):
        probe(tiny(), poll=poll)


# -- the command --------------------------------------------------------------------------------
def test_the_command_prints_json_or_words(bank: Path, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(dump(tiny()))
    done = CliRunner().invoke(app, ["estimate", str(file), "--json", "--seconds", "1"])
    found = Estimate.from_json(json.loads(done.stdout))
    assert found.key == cost_key(tiny())
    text = words(found, jobs=3)
    assert "3 jobs" in text and "memory" in text and "fits" in text
    assert "ground_truth" in text
