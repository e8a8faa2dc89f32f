"""Schedules against their formulas; one clip per update; what unsampled weights do."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from engine.spec.training import OptimiserSpec
from engine.training.optim import (
    apply_update,
    learning_rate,
    load_momentum,
    make_optimiser,
    momentum_tensors,
)


@pytest.mark.parametrize("done", [0.0, 0.125, 0.5, 0.9, 1.0])
def test_schedules(done: float) -> None:
    def at(schedule: Any) -> float:
        return learning_rate(OptimiserSpec(learning_rate=0.4, schedule=schedule), done)

    assert at("constant") == 0.4
    assert at("linear") == pytest.approx(0.4 * (1 - done))
    assert at("cosine") == pytest.approx(0.4 * math.cos(math.pi * done / 2) ** 2)


def test_the_optimiser_is_as_the_spec_says() -> None:
    spec = OptimiserSpec(learning_rate=0.3, momentum=0.8, nesterov=True, weight_decay=0.01)
    group = make_optimiser([nn.Parameter(torch.ones(2))], spec).param_groups[0]
    assert (group["lr"], group["momentum"], group["nesterov"], group["weight_decay"]) == (
        0.3,
        0.8,
        True,
        0.01,
    )
    plain = make_optimiser([nn.Parameter(torch.ones(2))], spec.model_copy(update={"momentum": 0}))
    assert plain.param_groups[0]["nesterov"] is False


def stepped(
    clip: float | None, unsampled: str = "frozen", gradients: tuple[Any, ...] = (3.0, 4.0)
) -> list[float]:
    """Return two scalar weights, first 0, after one plain step of rate 1."""
    weights = [nn.Parameter(torch.zeros(())) for _ in gradients]
    for weight, value in zip(weights, gradients, strict=True):
        weight.grad = None if value is None else torch.tensor(value)
    optimiser = torch.optim.SGD(weights, lr=1.0)
    apply_update(optimiser, clip, unsampled)
    return [weight.item() for weight in weights]


def test_the_norm_of_all_gradients_together_is_clipped() -> None:
    assert stepped(None) == [-3.0, -4.0]
    assert stepped(10.0) == [-3.0, -4.0]
    assert stepped(1.0) == pytest.approx([-0.6, -0.8], rel=1e-5)
    assert stepped(1.0, gradients=(None, 4.0)) == pytest.approx([0.0, -1.0], rel=1e-5)


def run(unsampled: str) -> list[float]:
    """Update a weight of 1 once with gradient 1, then twice without any; return all values."""
    weight = nn.Parameter(torch.ones(()))
    spec = OptimiserSpec(learning_rate=0.1, momentum=0.5, nesterov=False, weight_decay=0.2)
    optimiser = make_optimiser([weight], spec)
    values = []
    for gradient in (1.0, None, None):
        optimiser.zero_grad(set_to_none=True)
        if gradient is not None:
            weight.grad = torch.tensor(gradient)
        apply_update(optimiser, None, unsampled)
        values.append(weight.item())
    return values


def test_unsampled_weights_stay_where_they_are_when_frozen() -> None:
    first, second, third = run("frozen")
    assert first == pytest.approx(1 - 0.1 * (1 + 0.2))
    assert second == third == first


def test_unsampled_weights_go_on_moving_when_decayed() -> None:
    value, momentum, expected = 1.0, 0.0, []
    for gradient in (1.0, 0.0, 0.0):
        momentum = 0.5 * momentum + gradient + 0.2 * value
        value -= 0.1 * momentum
        expected.append(value)
    assert run("decayed") == pytest.approx(expected)
    assert expected[2] < expected[1] < expected[0]


def test_an_optimiser_goes_on_with_the_momentum_of_another() -> None:
    spec = OptimiserSpec(momentum=0.9)

    def pair() -> tuple[nn.Linear, torch.optim.SGD]:
        torch.manual_seed(0)
        net = nn.Linear(3, 2)
        return net, make_optimiser(net.parameters(), spec)

    def step(net: nn.Linear, optimiser: torch.optim.SGD, times: int) -> None:
        for _ in range(times):
            optimiser.zero_grad(set_to_none=True)
            net(torch.ones(1, 3)).square().sum().backward()
            apply_update(optimiser, None, "frozen")

    whole, first, second = pair(), pair(), pair()
    assert momentum_tensors(*first) == {}
    step(*whole, times=4)
    step(*first, times=2)
    assert set(momentum_tensors(*first)) == {"weight", "bias"}
    second[0].load_state_dict(first[0].state_dict())
    load_momentum(*second, momentum_tensors(*first))
    step(*second, times=2)
    torch.testing.assert_close(second[0].weight, whole[0].weight, rtol=0, atol=0)
    step(*first, times=1)
    assert not torch.equal(first[0].weight, second[0].weight), "the momentum was not copied"
