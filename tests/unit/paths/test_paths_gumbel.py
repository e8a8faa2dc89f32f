"""Draws with Gumbel noise: their frequencies, weights, gradients and temperatures."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from engine.paths.gumbel import GumbelHard, GumbelSoft, temperature
from engine.paths.one_path import OnePath
from engine.paths.two_paths import TwoPaths
from engine.recipes import RECIPES

LOGITS = torch.tensor([0.3, -1.0, 1.2, 0.0], dtype=torch.float64)
CHANCES = torch.softmax(LOGITS, 0).numpy()


def learned(*alphas: torch.Tensor) -> SimpleNamespace:
    """Return what the policies read of a distribution: logits, of any number of options."""
    return SimpleNamespace(alphas=[alpha.clone().requires_grad_() for alpha in alphas])


def at(tau: float) -> SimpleNamespace:
    return SimpleNamespace(tau_start=tau, tau_end=tau, tau_schedule="linear")


@pytest.mark.parametrize("tau", [0.1, 10.0])
def test_hard_draws_follow_the_softmax_at_any_temperature(tau: float) -> None:
    policy, rng = GumbelHard(learned(LOGITS, LOGITS[:2]), at(tau)), np.random.default_rng(0)
    with torch.no_grad():
        drawn = Counter(policy.routes(rng, 0.5)[0].active[0][0] for _ in range(4000))
    assert chisquare([drawn[i] for i in range(4)], 4000 * CHANCES).pvalue > 1e-3


def test_one_path_follows_the_softmax_and_choices_are_independent() -> None:
    policy, rng = OnePath(learned(LOGITS, LOGITS)), np.random.default_rng(1)
    drawn = Counter(tuple(a for (a,) in policy.routes(rng, 0.0)[0].active) for _ in range(6000))
    wanted = 6000 * np.outer(CHANCES, CHANCES).ravel()
    observed = [drawn[i, j] for i in range(4) for j in range(4)]
    assert chisquare(observed, wanted).pvalue > 1e-3


def test_the_straight_through_weight_is_one_and_has_the_softmax_gradient() -> None:
    tau, rng = 0.7, np.random.default_rng(2)
    own = learned(LOGITS.float(), LOGITS[:3].float())
    for _ in range(20):
        noise = np.random.default_rng()
        noise.bit_generator.state = rng.bit_generator.state
        (route,) = GumbelHard(own, at(tau)).routes(rng, 0.0)
        both = np.split(noise.gumbel(size=7), [4])
        assert route.weights is not None
        for alpha, more, (option,), weight in zip(
            own.alphas, both, route.active, route.weights, strict=True
        ):
            assert weight.shape == (1,) and weight.item() == 1.0
            values = np.exp((alpha.detach().numpy() + more) / tau)
            soft = values / values.sum()
            assert option == np.argmax(soft)
            (slope,) = torch.autograd.grad(weight.sum(), alpha)
            wanted = soft[option] * (np.eye(len(soft))[option] - soft) / tau
            np.testing.assert_allclose(slope.numpy(), wanted, atol=2e-6)


def test_soft_weights_are_the_gumbel_softmax_of_the_probabilities() -> None:
    own, tau = learned(LOGITS, LOGITS[:2]), 1.7
    (route,) = GumbelSoft(own, at(tau)).routes(np.random.default_rng(3), 0.4)
    assert route.active == ((0, 1, 2, 3), (0, 1)) and route.weights is not None
    parts = np.split(np.random.default_rng(3).gumbel(size=6), [4])
    for alpha, noise, weight in zip(own.alphas, parts, route.weights, strict=True):
        values = np.exp((np.log(torch.softmax(alpha, 0).detach().numpy()) + noise) / tau)
        np.testing.assert_allclose(weight.detach().numpy(), values / values.sum(), rtol=1e-12)


def test_two_paths_are_drawn_without_replacement_and_one_is_opened() -> None:
    policy, rng, draws = TwoPaths(learned(LOGITS, LOGITS[:1])), np.random.default_rng(4), 8000
    pairs: Counter[tuple[int, ...]] = Counter()
    opened: Counter[tuple[int, ...]] = Counter()
    for _ in range(draws):
        (route,) = policy.routes(rng, 0.0)
        assert route.weights is not None
        two, gates = route.active[0], route.weights[0].tolist()
        assert sorted(gates) == [0.0, 1.0] and route.active[1] == (0,)
        assert route.weights[1].tolist() == [1.0]
        pairs[two] += 1
        opened[two] += gates[0] == 1.0
    exact: Counter[tuple[int, ...]] = Counter()
    for first, second in permutations(range(4), 2):
        chance = CHANCES[first] * CHANCES[second] / (1 - CHANCES[first])
        exact[tuple(sorted((first, second)))] += chance
    keys = sorted(exact)
    observed = [pairs[key] for key in keys]
    assert chisquare(observed, [draws * exact[key] for key in keys]).pvalue > 1e-3
    for key in keys:
        chance = CHANCES[key[0]] / CHANCES[list(key)].sum()
        error = np.sqrt(chance * (1 - chance) / pairs[key])
        assert abs(opened[key] / pairs[key] - chance) < 4.5 * error, key


def test_the_gates_have_the_gradient_of_the_softmax_over_the_two() -> None:
    own = learned(LOGITS)
    (route,) = TwoPaths(own).routes(np.random.default_rng(5), 0.0)
    two, (gates,) = list(route.active[0]), route.weights or ()
    soft = CHANCES[two] / CHANCES[two].sum()
    for place in range(2):
        (slope,) = torch.autograd.grad(gates[place], own.alphas[0], retain_graph=True)
        wanted = np.zeros(4)
        wanted[two] = soft[place] * (np.eye(2)[place] - soft)
        np.testing.assert_allclose(slope.numpy(), wanted, rtol=1e-12)


def test_temperature_of_gdas_falls_linearly_from_10_to_a_tenth() -> None:
    settings = RECIPES["gdas"].settings()
    wanted = np.interp([0.0, 0.25, 0.5, 1.0], [0.0, 1.0], [10.0, 0.1])
    found = [temperature(settings, share) for share in (0.0, 0.25, 0.5, 1.0)]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_temperature_of_fbnet_falls_by_the_paper_s_factor_per_epoch() -> None:
    settings = RECIPES["fbnet"].settings()
    for epoch in (0, 1, 45, 90):
        wanted = 5.0 * np.exp(-0.045 * epoch)  # 0.956 per epoch of 90
        assert temperature(settings, epoch / 90) == pytest.approx(wanted, rel=2e-3)
