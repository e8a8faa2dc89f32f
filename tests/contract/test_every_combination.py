"""Every space x recipe x add-on trains and resumes exactly, or is refused with a reason.

The registries are enumerated, so that a new entry is covered without writing a test.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.addons.landmark import Landmark, choose_diverse
from engine.compose import check
from engine.events import Events
from engine.lab import Lab
from engine.recipes import RECIPES
from engine.spaces import SPACES
from engine.spec.addons import AddonsSpec
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.training.checkpoint import Checkpoints
from engine.training.supernet_trainer import EpochReport

EPOCHS = 2
# Settings with which an add-on acts from the first epoch on; others run with their defaults.
TINY: dict[str, dict[str, Any]] = {
    "landmark": {"per_round": 3, "rounds": 1, "min_distance": 1, "warm_up": 0.0, "pairs": 2},
    "plasticity": {"warm_up": 0, "flush_every": 2},
}
# Settings of recipes that fit the smallest network, or do little work after an epoch; others run
# with their defaults.
POLICY = {"policy_steps": 2, "policy_samples": 3}
SETTINGS: dict[str, dict[str, Any]] = {
    "pc_darts": {"partial_channels": 2},
    "enas": POLICY,
    "reinforce_shared": POLICY,
    "nao": {"pool": 8, "seeds": 3, "new": 2, "new_random": 1, "round_epochs": 1}
    | {"coder_epochs": 2, "coder_width": 4, "step_limit": 3},
}
ADDONS = [
    "+".join(chosen)
    for count in range(len(AddonsSpec.model_fields) + 1)
    for chosen in combinations(AddonsSpec.model_fields, count)
]
COMBINATIONS = [
    (space, recipe, addons)
    for space in SPACES.names()
    for recipe in RECIPES.names()
    for addons in ADDONS
]
# A refusal is a lawful outcome, so these are named: they must run.
MUST_RUN = {
    ("nb201", recipe, addons)
    for recipe in (
        "spos", "rsps", "fairnas", "random_a",
        "darts", "darts_2nd", "darts_plus", "fair_darts", "pc_darts", "bayesnas",
        "enas", "reinforce_shared", "tunas", "nao",
    )
    for addons in ADDONS
} | {("darts", "darts", "landmark"), ("darts", "pc_darts", "")}  # fmt: skip
MUST_RUN |= {
    (space, recipe, addons)
    for space in ("nb201", "darts")
    for recipe in ("gdas", "fbnet", "setn", "proxylessnas", "one_shot")
    for addons in ADDONS
}
MUST_RUN |= {
    (space, recipe, addons)
    for space in ("darts", "nats_size", "nb101")
    for recipe in ("enas", "reinforce_shared", "tunas", "nao")
    for addons in ADDONS
} | {("nats_size", "fbnet_v2", addons) for addons in ADDONS}


def tiny_spec(space: str, recipe: str, addons: str) -> ExperimentSpec:
    """Six training images a class, four steps an epoch, the smallest network."""
    return ExperimentSpec.model_validate(
        {
            "data": {
                "name": "digits",
                "train_images": 60,
                "held_out_images": 50,  # three batches, so that an epoch ends within a pass
                "test_images": 20,
                "augmentation": {"crop_padding": 1},
            },
            "space": space,
            "network": {"channels": 4, "cells": 1},
            "algorithm": recipe,
            "settings": SETTINGS.get(recipe, {}),
            "addons": {name: TINY.get(name, {}) for name in addons.split("+") if name},
            "super_net": {"epochs": EPOCHS, "batch_size": 15},
            "evaluation": {
                "sample": 4,
                "forgetting": 2 if "plasticity" in addons and not RECIPES[recipe].mixes else 0,
            },
            "search": {"population": 4, "generations": 2, "parents": 2},
            "seed": 3,
            "device": "cpu",
        }
    )


def build(spec: ExperimentSpec, folder: Path) -> Lab:
    """Build the parts in surroundings that differ every time: nothing may depend on them."""
    torch.manual_seed(int(np.random.default_rng().integers(2**31)))
    lab = Lab.build(spec, Events([]), folder)
    if lab.regulariser is not None:
        rng = np.random.default_rng(5)
        chosen = choose_diverse(lab.space, 3, 1, rng)
        lab.regulariser.add(
            [Landmark(one, value=70.0 + i, truth=0.0, round=1) for i, one in enumerate(chosen)]
        )
    return lab


def nothing() -> None:
    pass


def save(lab: Lab, folder: Path) -> None:
    """Write a checkpoint as a run does."""
    state = {"streams": lab.streams.state(), "trainer": lab.trainer.state()}
    Checkpoints(folder).save(1, state, lab.trainer.tensors())


def resume(lab: Lab, folder: Path) -> None:
    """Continue from it."""
    found = Checkpoints(folder).latest()
    assert found is not None
    state, tensors = found
    lab.streams.load_state(state["streams"])
    lab.trainer.load_state(state["trainer"])
    lab.trainer.load_tensors(tensors)


def comparable(report: EpochReport) -> dict[str, Any]:
    """Return what does not depend on the clock, nor on how much this process did."""
    values = asdict(report)
    del values["seconds"], values["images"]
    return values


def digest(value: torch.Tensor) -> str:
    return hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()


def everything(lab: Lab) -> dict[str, Any]:
    """Return all numbers that later steps depend on."""
    tensors = lab.trainer.tensors()
    del tensors["random/cpu"]
    return {
        "streams": lab.streams.state(),
        "trainer": lab.trainer.state(),
        "tensors": {name: digest(value) for name, value in tensors.items()},
    }


def saver_in_step(lab: Lab, step: int, folder: Path) -> Callable[[], None]:
    def after_step() -> None:
        if lab.trainer.step == step:
            save(lab, folder)

    return after_step


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("space", "recipe", "addons"), COMBINATIONS)
def test_trains_and_resumes_or_is_refused(
    space: str, recipe: str, addons: str, tmp_path: Path
) -> None:
    spec = tiny_spec(space, recipe, addons)
    faults = check(spec)
    if not faults:
        trains_and_resumes(spec, tmp_path)
        return
    assert (space, recipe, addons) not in MUST_RUN, str(faults[0])
    assert all(fault.field and str(fault).endswith(".") for fault in faults)
    with pytest.raises(SpecError):
        build(spec, tmp_path)


def trains_and_resumes(spec: ExperimentSpec, tmp_path: Path) -> None:
    """Run two epochs, and again from checkpoints between and within them."""
    lab = build(spec, tmp_path)
    assert (lab.trainer.steps, lab.trainer.epoch) == (4, 0)
    start = everything(lab)["tensors"]
    lab.trainer.run_epoch(nothing)
    save(lab, tmp_path / "between")
    second = lab.trainer.run_epoch(saver_in_step(lab, 2, tmp_path / "within"))
    assert math.isfinite(second.loss)
    assert (second.forgetting is not None) == (spec.evaluation.forgetting > 0)
    assert (second.landmark_loss is not None) == (spec.addons.landmark is not None)
    end = everything(lab)
    assert end["tensors"] != start
    for checkpoint in ("between", "within"):
        other = build(spec, tmp_path)
        resume(other, tmp_path / checkpoint)
        assert (other.trainer.epoch, other.trainer.step) == (1, 2 * (checkpoint == "within"))
        assert comparable(other.trainer.run_epoch(nothing)) == comparable(second)
        assert everything(other) == end
    _search_runs(lab)


def _search_runs(lab: Lab) -> None:
    """The recipe's searcher and its baselines take scores of the trained super-net."""
    before = everything(lab)["tensors"]
    for name in (lab.recipe.searcher, *lab.recipe.baselines):
        searcher = lab.searcher(name)
        for _ in range(2):
            asked = searcher.ask()
            searcher.tell(asked, lab.scorer.scores(asked))
        enough = lab.spec.search.keep if searcher.takes_learned else 8
        assert len(searcher.scores) >= enough
        assert all(0 <= score <= 100 for score in searcher.scores.values())
    assert everything(lab)["tensors"] == before


def test_the_named_combinations_exist() -> None:
    assert set(COMBINATIONS) >= MUST_RUN
