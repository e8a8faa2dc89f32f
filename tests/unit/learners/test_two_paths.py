"""ProxylessNAS: two operations per edge, their gradient, and the mass that stays."""

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
from learner_cases import NETWORK

from engine.learners.two_paths import TwoPathLearner, keep_mass
from engine.networks import Route
from engine.tasks import classification


def drawn(alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two options per choice and the opened one that the learner's stream gives."""
    rng = np.random.default_rng(RNG_SEED)
    first, second = (rng.gumbel(size=alphas.size).reshape(alphas.shape) for _ in range(2))
    two = np.sort(np.argsort(-(alphas + first), axis=1)[:, :2], axis=1)
    values = np.take_along_axis(alphas + second, two, 1)
    return two, np.take_along_axis(two, values.argmax(1)[:, None], 1)[:, 0]


@pytest.mark.parametrize("space", ["nb201", "darts"])
def test_exactly_two_operations_per_edge_are_computed(space: str) -> None:
    made = learner("proxylessnas", space)
    without_zero(made.context)
    runs = counted(made.context.net)
    made.step(step_at(0.5, made.context.net))
    assert len(per_edge(runs)) == edges_of(made.context.net)
    assert set(per_edge(runs).values()) == {2} and set(runs.values()) == {1}
    assert all(parameter.grad is None for parameter in made.context.net.parameters())


def test_gradients_match_the_gates_of_a_dense_network() -> None:
    made = learner("proxylessnas")
    alphas, net = logits(made.context), made.context.net
    two, opened = drawn(alphas)
    labels = held_out().next()[1]
    slopes = dense_gradient(
        net, made.context.space, np.eye(5)[opened], lambda out: classification.loss(out, labels)
    )
    found: list[np.ndarray] = []
    made.move = lambda gradients: found.extend(  # type: ignore[method-assign]
        np.zeros(5) if one is None else one.numpy() for one in gradients
    )
    made.step(step_at(0.5, net))
    assert np.abs(slopes).max() > 1e-3, "something to compare"
    for choice, pair in enumerate(two):
        chance = softmax(alphas[choice, pair])
        wanted = np.zeros(5)
        for i in range(2):  # eq. 4 of the paper
            for j in range(2):
                wanted[pair[i]] += slopes[choice, pair[j]] * chance[j] * ((i == j) - chance[i])
        np.testing.assert_allclose(found[choice], wanted, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_step_moves_probability_between_the_two_only(dtype: torch.dtype) -> None:
    made = learner("proxylessnas", alpha_learning_rate=0.2, alpha_weight_decay=0.1)
    made.learned.to(dtype)
    made.context.net.to(dtype)
    images, labels = made.context.held_out.next()
    made.context.held_out.next = lambda: (images.to(dtype), labels)  # type: ignore[method-assign]
    drawn_pairs = []
    routes = made.context.paths.routes

    def recorded(rng: np.random.Generator, share: float) -> list[Route]:
        found = routes(rng, share)
        drawn_pairs.append(found[0].active)
        return found

    made.context.paths.routes = recorded  # type: ignore[method-assign]
    moved = 0  # not every time: an edge can be dead, or both options alike
    for _ in range(12):
        before = softmax(logits(made.context).astype(np.float64))
        made.step(step_at(0.5, made.context.net))
        change = softmax(logits(made.context).astype(np.float64)) - before
        for choice, two in enumerate(drawn_pairs[-1]):
            rest = [option for option in range(5) if option not in two]
            assert len(two) == 2 and np.abs(change[choice, rest]).max() < 1e-6
            moved += np.abs(change[choice, list(two)]).max() > 1e-3
            assert abs(change[choice].sum()) < 1e-6
    assert moved > 36


def test_absent_logits_are_put_back_and_the_mass_of_the_drawn_is_kept() -> None:
    old = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64)
    new = torch.nn.Parameter(torch.tensor([3.0, -2.0, 1.0, 5.0], dtype=torch.float64))
    keep_mass([new], [old], [(0, 2)])
    assert torch.equal(new[[1, 3]], old[[1, 3]])
    before, after = torch.softmax(old, 0), torch.softmax(new.detach(), 0)
    torch.testing.assert_close(after[[1, 3]], before[[1, 3]])
    # The ratio of the two is that of the moved logits.
    assert (after[0] / after[2]).item() == pytest.approx(np.exp(3.0 - 1.0))


def test_the_expected_cost_counts_what_the_two_can_change() -> None:
    made = learner("proxylessnas", cost="flops", cost_weight=2.0)
    assert isinstance(made, TwoPathLearner)
    space, rng = made.context.space, np.random.default_rng(0)
    (route,) = made.context.paths.routes(rng, 0.0)
    alphas = list(made.context.learned.alphas)
    costs = np.array([space.cost(one, NETWORK).flops for one in space.enumerate()])
    costs = costs.reshape((5,) * 6)

    def expected(chances: np.ndarray) -> float:
        return float(np.einsum("abcdef,a,b,c,d,e,f", costs, *chances))

    usual, values = expected(np.full((6, 5), 0.2)), logits(made.context)
    price = made.price(route)
    assert float(price.detach()) == pytest.approx(2.0 * expected(softmax(values)) / usual)
    found = torch.autograd.grad(price, alphas)
    step = 1e-5
    for choice, two in enumerate(route.active):
        for option in range(5):
            around = []
            for sign in (1, -1):
                moved = [torch.tensor(row) for row in values]
                moved[choice][option] += sign * step
                keep_mass(moved, [torch.tensor(row) for row in values], route.active)
                around.append(2.0 * expected(softmax(torch.stack(moved).numpy())) / usual)
            slope = (around[0] - around[1]) / (2 * step)
            assert found[choice][option].item() == pytest.approx(slope, abs=1e-7)
            assert option in two or slope == 0
