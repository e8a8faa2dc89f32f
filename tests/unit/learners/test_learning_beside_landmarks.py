"""Landmarks act on the weights while what is learned goes on moving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learner_cases import QUICK, home

from engine.addons.landmark import Landmark, choose_diverse
from engine.events import Events
from engine.lab import Lab
from engine.recipes import RECIPES
from engine.spec.experiment import ExperimentSpec

torch.set_num_threads(1)
LEARNING = [name for name, one in RECIPES.items() if one.learner and "landmark" in one.addons]


def trained(recipe: str, weight: float, folder: Path) -> tuple[list[Any], list[Any], Lab]:
    """Train two epochs of four steps; return parameters before and after, and the lab."""
    landmark = {"per_round": 3, "rounds": 1, "min_distance": 1, "warm_up": 0.0, "pairs": 2}
    spec = ExperimentSpec.model_validate(
        {
            "data": {"name": "digits", "train_images": 60, "held_out_images": 50},
            "space": home(recipe),
            "network": {"channels": 2, "cells": 1},
            "algorithm": recipe,
            "settings": QUICK.get(recipe, {}),
            "addons": {"landmark": {**landmark, "weight": weight}},
            "super_net": {"epochs": 2, "batch_size": 15},
            "device": "cpu",
        }
    )
    lab = Lab.build(spec, Events([]), folder)
    assert lab.regulariser is not None and lab.trainer.learner is not None
    # As the worse one is ranked first somewhere, a pair in the wrong order is soon drawn.
    chosen = choose_diverse(lab.space, 3, 1, np.random.default_rng(5))
    lab.regulariser.add([Landmark(one, 70.0 + i, 0.0, 1) for i, one in enumerate(chosen)])
    parameters = list(lab.trainer.learner.learned.parameters())
    before = [one.detach().clone() for one in parameters]
    terms = [lab.trainer.run_epoch(lambda: None).landmark_loss for _ in range(2)]
    assert all(term is not None for term in terms) and sum(t or 0.0 for t in terms) > 0
    return before, [one.detach().clone() for one in parameters], lab


@pytest.mark.parametrize("recipe", LEARNING)
def test_it_learns_while_landmarks_act(recipe: str, tmp_path: Path) -> None:
    before, after, lab = trained(recipe, 5.0, tmp_path)
    assert all((one != other).any() for one, other in zip(before, after, strict=True))
    _, _, weaker = trained(recipe, 0.01, tmp_path)
    mine, others = lab.trainer.net.state_dict(), weaker.trainer.net.state_dict()
    assert any(not torch.equal(mine[name], others[name]) for name in mine)
