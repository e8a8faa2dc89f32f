"""GDAS: one operation per edge, and the gradient of its straight-through weight."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gradient_cases import (
    RNG_SEED,
    counted,
    dense_gradient,
    edges_of,
    held_out,
    learner,
    logits,
    per_edge,
    softmax,
    step_at,
    without_zero,
)

from engine.tasks import classification


@pytest.mark.parametrize("space", ["nb201", "darts"])
def test_exactly_one_operation_per_edge_is_computed(space: str) -> None:
    made = learner("gdas", space)
    without_zero(made.context)
    runs = counted(made.context.net)
    made.step(step_at(0.5, made.context.net))
    assert len(per_edge(runs)) == edges_of(made.context.net)
    assert set(runs.values()) == {1}
    assert set(per_edge(runs).values()) == {1}
    runs.clear()
    with torch.no_grad():
        (route,) = made.context.paths.routes(np.random.default_rng(1), 0.5)
    made.context.net(held_out().next()[0], route)
    assert set(per_edge(runs).values()) == {1} and set(runs.values()) == {1}


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_gradients_match_a_dense_reference_with_the_same_noise(share: float) -> None:
    made = learner("gdas", tau_start=4.0, tau_end=0.5)
    space, net, alphas = made.context.space, made.context.net, logits(made.context)
    found = made.gradients(step_at(share, net))

    noise = np.random.default_rng(RNG_SEED).gumbel(size=30).reshape(6, 5)
    tau = 4.0 - 3.5 * share
    soft = softmax((np.log(softmax(alphas)) + noise) / tau)
    chosen = np.argmax(alphas + noise, axis=1)
    labels = held_out().next()[1]
    hard = np.eye(5)[chosen]
    slopes = dense_gradient(net, space, hard, lambda out: classification.loss(out, labels))
    assert np.abs(slopes[np.arange(6), chosen]).max() > 1e-3, "something to compare"
    for choice, option in enumerate(chosen):
        jacobian = soft[choice, option] * (np.eye(5)[option] - soft[choice]) / tau
        wanted = slopes[choice, option] * jacobian
        given = found[choice]
        given = np.zeros(5) if given is None else given.numpy()
        np.testing.assert_allclose(given, wanted, rtol=1e-6, atol=1e-12)
        # A choice whose operation matters gives a gradient to every one of its logits.
        assert (given != 0).all() or not slopes[choice, option]


def test_the_value_is_that_of_the_hard_path_and_the_net_keeps_no_gradient() -> None:
    made = learner("gdas", "darts").context
    images, _ = made.held_out.next()
    (route,) = made.paths.routes(np.random.default_rng(2), 0.1)
    with torch.no_grad():
        (same,) = made.paths.routes(np.random.default_rng(2), 0.1)
    assert same.active == route.active and same.weights is None
    assert len(route.active) == 28 and all(len(one) == 1 for one in route.active)
    assert route.weights is not None and all(one.item() == 1.0 for one in route.weights)
    torch.testing.assert_close(made.net(images, route), made.net(images, same))
    own = learner("gdas", "darts")
    own.step(step_at(0.0, own.context.net))
    assert all(parameter.grad is None for parameter in own.context.net.parameters())
