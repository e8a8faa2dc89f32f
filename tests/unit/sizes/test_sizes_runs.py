"""Whole runs on the size space: every recipe that fits, with landmarks, paused and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sizes_cases import MOVING

from engine.control import FlagControl
from engine.events import Event, Progress
from engine.experiment import execute, new_owner
from engine.runs import RunFolder, create_run
from engine.spaces.nats_size import NATS_SIZE_SPACE
from engine.spec.experiment import ExperimentSpec


def spec_of(algorithm: str, statistics: str = "batch") -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "data": {
                "name": "digits",
                "train_images": 60,
                "held_out_images": 40,
                "test_images": 20,
                "augmentation": {"crop_padding": 1},
            },
            "space": "nats_size",
            "network": {"channels": 2, "norm": {"statistics": statistics}},
            "algorithm": algorithm,
            "addons": {
                "landmark": {"per_round": 3, "rounds": 1, "min_distance": 2, "warm_up": 0.0}
            },
            "super_net": {"epochs": 2, "batch_size": 20, "checkpoint_every": 1},
            "stand_alone": {"epochs": 1, "batch_size": 20},
            "evaluation": {"sample": 3, "every": 1},
            "search": {"population": 3, "generations": 2, "parents": 2, "keep": 1},
            "seed": 5,
            "device": "cpu",
        }
    )


class PauseAfterEpoch:
    """Wishes a pause as soon as the first epoch is reported."""

    def __init__(self, control: FlagControl) -> None:
        self.control = control

    def write(self, event: Event) -> None:
        if event["type"] == "epoch":
            self.control.flag = "pause"

    def progress(self, progress: Progress) -> None:
        pass

    def rewind(self, seq: int) -> None:
        pass


def run(folder: RunFolder, pause: bool = False) -> str:
    control = FlagControl()
    sinks = [PauseAfterEpoch(control)] if pause else []
    return execute(folder, owner=new_owner(), sinks=sinks, control=control, beat=False)


def told(folder: RunFolder) -> list[Event]:
    """Return what a run found out, without its clock and without where truths came from."""
    kept = ("epoch", "ranking", "landmarks", "sample", "generation", "architecture")
    dropped = ("time", "seq", "measured")
    events = [event for event in folder.events() if event["type"] in kept]
    return [{k: v for k, v in event.items() if k not in dropped} for event in events]


@pytest.mark.parametrize("algorithm", ["spos", "rsps", "random_a"])
def test_a_paused_run_ends_as_if_it_had_not_been(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    straight = create_run(tmp_path / "runs", spec_of(algorithm), "straight")
    assert run(straight) == "finished"
    paused = create_run(tmp_path / "runs", spec_of(algorithm), "paused")
    assert run(paused, pause=True) == "paused"
    assert sum(event["type"] == "epoch" for event in paused.events()) == 1
    assert run(paused) == "finished"
    assert told(paused) == told(straight)
    kinds = [event["type"] for event in told(straight)]
    assert kinds.count("epoch") == 2 and kinds.count("architecture") >= 1
    _is_a_network_of_the_space(straight)


def _is_a_network_of_the_space(folder: RunFolder) -> None:
    started: dict[str, Any] = next(e for e in folder.events() if e["type"] == "run_started")
    # The spec's default of 5 cells does not apply; the run says what was built.
    assert folder.spec().network.cells == 5 and started["network"]["cells"] == 1
    network = MOVING.model_validate(started["network"])
    best = next(e for e in folder.events() if e["type"] == "architecture")
    found = NATS_SIZE_SPACE.parse(best["text"])
    cost = NATS_SIZE_SPACE.cost(found, network)
    assert (best["params"], best["flops"]) == (cost.params, cost.flops)
    assert f"# {cost.params:,} parameters" in next(folder.path.rglob("model.py")).read_text()


def test_recalibrated_statistics_leave_the_buffers_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    folder = create_run(tmp_path / "runs", spec_of("rsps", "recalibrated"), "recalibrated")
    assert run(folder) == "finished"
    scores = [e["scores"] for e in folder.events() if e["type"] == "ranking"]
    assert all(0 <= score <= 100 for each in scores for score in each)
