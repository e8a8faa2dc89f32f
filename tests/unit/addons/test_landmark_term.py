"""The term of a step against brute force, and what it leaves alone (joint 2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.addons.landmark import Landmark, LandmarkRegulariser, choose_diverse
from engine.core.architecture import Architecture
from engine.events import Events
from engine.lab import Lab
from engine.networks import Route, SuperNet, build_supernet
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.addons import LandmarkSpec
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec, NormSpec

torch.set_num_threads(1)
CHOSEN = choose_diverse(NB201_SPACE, 5, 2, np.random.default_rng(0))
VALUES = (70.0, 60.0, 90.0, 60.0, 80.0)


def network(statistics: str = "batch") -> SuperNet:
    spec = NetworkSpec(
        channels=3,
        cells=1,
        classes=4,
        input_channels=1,
        resolution=8,
        norm=NormSpec(statistics=statistics),
    )
    return build_supernet("nb201", spec, seed=1).double()


def regulariser(**settings: object) -> LandmarkRegulariser:
    found = LandmarkRegulariser(LandmarkSpec(**settings), epochs=10)
    pairs = zip(CHOSEN, VALUES, strict=True)
    found.add([Landmark(one, value=value, truth=0.0, round=1) for one, value in pairs])
    return found


def batch() -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    images = torch.randn(6, 1, 8, 8, generator=source, dtype=torch.float64)
    return images, torch.tensor([0, 1, 2, 3, 0, 1])


def exact_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy per route; those of the task are in float32."""
    return torch.stack([F.cross_entropy(each, labels) for each in logits])


def gradients(net: SuperNet) -> dict[str, Tensor | None]:
    found = {
        name: None if value.grad is None else value.grad.clone()
        for name, value in net.named_parameters()
    }
    net.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("form", ["relu", "softplus", "tanh"])
@pytest.mark.parametrize("pairs", [1, 4])
def test_equal_to_one_forward_per_landmark_and_pair(form: str, pairs: int) -> None:
    net, (images, labels) = network(), batch()
    landmark = regulariser(pairs=pairs, loss=form)
    ranked: list[Architecture] = [one.architecture for one in landmark.landmarks]
    positive = 0
    for seed in range(4):
        found = landmark.term(net, images, labels, np.random.default_rng(seed), exact_losses)
        found.backward()
        ours = gradients(net)
        total = torch.zeros((), dtype=torch.float64)
        for better, worse in landmark.pairs(np.random.default_rng(seed)):
            losses = [
                F.cross_entropy(net(images, Route.of(ranked[i])), labels) for i in (better, worse)
            ]
            d = losses[0] - losses[1]
            match form:
                case "relu":
                    total = total + d.clamp_min(0)
                case "softplus":
                    total = total + torch.log(1 + torch.exp(3 * d)) / 3
                case "tanh":
                    total = total + torch.tanh(d).clamp_min(0)
        positive += bool(total > 0)
        assert found.item() == pytest.approx(total.item(), rel=1e-12, abs=1e-14)
        total.backward()
        for name, value in gradients(net).items():
            other = ours[name]
            assert (value is None) == (other is None), name
            if value is not None:
                torch.testing.assert_close(other, value, rtol=1e-8, atol=1e-12, msg=name)
        usual = landmark.term(net, images, labels, np.random.default_rng(seed))
        assert usual.item() == pytest.approx(total.item(), rel=1e-5, abs=1e-6)
    assert positive, "an order that is right throughout would test nothing"


@pytest.mark.parametrize("statistics", ["batch", "moving", "recalibrated"])
def test_it_moves_no_buffer_and_draws_from_its_own_generator_alone(statistics: str) -> None:
    net, (images, labels) = network(statistics).train(), batch()
    buffers = {name: value.clone() for name, value in net.named_buffers()}
    assert bool(buffers) == (statistics != "batch")
    np.random.seed(3)
    torch.manual_seed(3)
    globals_before = np.random.get_state()[1].copy(), torch.get_rng_state()
    rng = np.random.default_rng(0)
    drawn_before = rng.bit_generator.state
    regulariser(pairs=3).term(net, images, labels, rng).backward()
    assert rng.bit_generator.state != drawn_before
    np.testing.assert_array_equal(np.random.get_state()[1], globals_before[0])
    assert torch.equal(torch.get_rng_state(), globals_before[1])
    for name, value in net.named_buffers():
        assert torch.equal(value, buffers[name]), name


def lab_with(landmark: dict[str, object] | None, folder: Path) -> Lab:
    spec = ExperimentSpec.model_validate(
        {
            "data": {"train_images": 60, "held_out_images": 40, "test_images": 20},
            "network": {"channels": 2, "cells": 1},
            "addons": {"landmark": landmark} if landmark else {},
            "super_net": {"epochs": 2, "batch_size": 20},
            "evaluation": {"sample": 4},
            "device": "cpu",
        }
    )
    lab = Lab.build(spec, Events([]), folder)
    if lab.regulariser is not None:
        lab.regulariser.add(regulariser().landmarks)
    return lab


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_other_streams_of_a_run_do_not_feel_landmarks(weight: float, tmp_path: Path) -> None:
    """Paths, data and initial weights are the same; only with a weight are the weights not."""
    landmark = {"per_round": 5, "rounds": 1, "warm_up": 0.0, "weight": weight}
    plain, other = lab_with(None, tmp_path), lab_with(landmark, tmp_path)
    for lab in (plain, other):
        lab.trainer.run_epoch(lambda: None)
        lab.trainer.run_epoch(lambda: None)
    wanted, found = plain.streams.state(), other.streams.state()
    acts = weight > 0
    for name in wanted:
        same = wanted[name] == found[name]
        assert same != (acts and name in ("landmarks", "held_out")), name
    ours, theirs = (lab.trainer.net.state_dict() for lab in (plain, other))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours) != acts
