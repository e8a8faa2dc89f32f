"""FBNet: all operations, and a loss multiplied by a power of the log cost."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from gradient_cases import (
    RNG_SEED,
    counted,
    edges_of,
    held_out,
    learner,
    logits,
    per_edge,
    softmax,
    step_at,
)
from learner_cases import NETWORK

from engine.core.architecture import Architecture
from engine.networks import Route
from engine.tasks import classification

ALL = (tuple(range(5)),) * 6


def test_every_operation_is_computed() -> None:
    made = learner("fbnet")
    runs = counted(made.context.net)
    made.step(step_at(0.5, made.context.net))
    assert len(per_edge(runs)) == edges_of(made.context.net)
    assert set(per_edge(runs).values()) == {4}, "all but none"


@pytest.mark.parametrize("unit", ["none", "flops"])
def test_gradients_are_those_of_the_paper_s_loss(unit: str) -> None:
    share, weight, exponent = 0.3, 0.5, 1.4
    made = learner("fbnet", cost=unit, cost_weight=weight, cost_exponent=exponent)
    space, net = made.context.space, made.context.net
    alphas = [torch.tensor(row, requires_grad=True) for row in logits(made.context)]
    found = made.gradients(step_at(share, net))

    noise = np.random.default_rng(RNG_SEED).gumbel(size=30).reshape(6, 5)
    tau = 5.0 * (0.087 / 5.0) ** share
    masks = [
        torch.softmax((torch.log_softmax(alpha, 0) + torch.tensor(more)) / tau, 0)
        for alpha, more in zip(alphas, noise, strict=True)
    ]
    images, labels = held_out().next()
    loss = classification.loss(net(images, Route(ALL, tuple(masks))), labels)
    if unit != "none":
        costs = torch.tensor(
            [
                space.cost(Architecture("nb201", one), NETWORK).flops
                for one in product(range(5), repeat=6)
            ],
            dtype=torch.float64,
        ).view((5,) * 6)
        cost = torch.einsum("abcdef,a,b,c,d,e,f->", costs, *masks)
        loss = loss * weight * torch.log(cost) ** exponent
    wanted = torch.autograd.grad(loss, alphas)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-12)
    assert max(float(one.abs().max()) for one in wanted) > 1e-4


def test_a_cost_makes_the_distribution_cheaper() -> None:
    means = {}
    for unit in ("none", "params"):
        settings: dict[str, Any] = {"cost_exponent": 8.0} if unit != "none" else {}
        made = learner("fbnet", cost=unit, alpha_learning_rate=0.05, **settings)
        for _ in range(30):
            made.step(step_at(0.3, made.context.net))
        chances = softmax(logits(made.context))
        kernels = np.array([0, 0, 1, 9, 0])  # weights per pair of channels of each operation
        means[unit] = float((chances * kernels).sum())
    assert means["params"] < 0.7 * means["none"]


def test_architecture_parameters_warm_up() -> None:
    made = learner("fbnet")
    before = logits(made.context)
    made.step(step_at(0.1, made.context.net))
    assert (logits(made.context) == before).all()
    made.step(step_at(0.2, made.context.net))
    assert (logits(made.context) != before).any()
