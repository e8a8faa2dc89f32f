"""The distribution behind alphas: softmax, gates, edge weights, draws."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import chisquare

from engine.core.space import Space
from engine.learners.logits import Logits
from engine.paths.soft import SoftPaths
from engine.spaces import get_space

NB201, DARTS = get_space("nb201"), get_space("darts")


def made(space: object = NB201, **kind: bool) -> Logits:
    found = Logits(space, torch.Generator().manual_seed(1), **kind)  # type: ignore[arg-type]
    with torch.no_grad():
        for alpha in found.alphas:
            alpha.mul_(1e3)
    return found


def test_probabilities_are_a_softmax_or_gates() -> None:
    for alpha, one in zip(made().alphas, made().probabilities(), strict=True):
        np.testing.assert_allclose(one.detach(), softmax(alpha.detach().numpy()), rtol=1e-5)
    gates = made(gates=True)
    for alpha, one in zip(gates.alphas, gates.probabilities(), strict=True):
        np.testing.assert_allclose(one.detach(), 1 / (1 + np.exp(-alpha.detach().numpy())), 1e-5)


def test_edge_weights_share_every_node_and_multiply_its_edges() -> None:
    found = made(DARTS, edge_weights=True)
    with torch.no_grad():
        found.betas.normal_(generator=torch.Generator().manual_seed(2))
    totals: Counter[int] = Counter()
    for group, one in zip(DARTS.mixture_groups, found.probabilities(), strict=True):
        totals[group] += one.sum().item()
    assert len(totals) == 8, "four nodes in two cells"
    np.testing.assert_allclose(list(totals.values()), 1.0, rtol=1e-5)
    third = [i for i, group in enumerate(DARTS.mixture_groups) if group == 3]
    shares = softmax(found.betas.detach().numpy()[third])
    for place, share in zip(third, shares, strict=True):
        plain = softmax(found.alphas[place].detach().numpy())
        np.testing.assert_allclose(found.probabilities()[place].detach(), share * plain, 1e-5)


def test_draws_follow_the_softmax() -> None:
    found, rng = made(), np.random.default_rng(0)
    drawn = [found.draw(rng).indices for _ in range(4_000)]
    for choice, alpha in enumerate(found.alphas):
        expected = 4_000 * softmax(alpha.detach().double().numpy())
        counts = np.bincount([one[choice] for one in drawn], minlength=5)
        assert chisquare(counts, expected).pvalue > 1e-4


def test_draws_of_darts_favour_no_edge() -> None:
    found, rng = Logits(DARTS, torch.Generator().manual_seed(1)), np.random.default_rng(0)
    pairs = Counter(DARTS.decode(found.draw(rng))["normal 5 inputs"] for _ in range(600))
    assert len(pairs) == 10
    assert chisquare(list(pairs.values())).pvalue > 1e-4


@pytest.mark.parametrize("space", [NB201, DARTS])
def test_edge_weights_count_for_all_that_an_edge_carries(space: Space) -> None:
    """The operations' weights of an edge add up to what its other channels are multiplied by."""
    with_edges = Logits(space, torch.Generator().manual_seed(0), edge_weights=True)
    (route,) = SoftPaths(with_edges).routes(np.random.default_rng(0), 0.5)
    assert route.weights is not None and route.passing is not None
    for weights, passing in zip(route.weights, route.passing, strict=True):
        torch.testing.assert_close(weights.sum(), passing)  # type: ignore[union-attr]
    totals: dict[object, float] = {}
    for group, passing in zip(space.mixture_groups, route.passing, strict=True):
        totals[group] = totals.get(group, 0.0) + passing.item()
    assert list(totals.values()) == pytest.approx([1.0] * len(totals))
    plain = Logits(space, torch.Generator().manual_seed(0))
    assert SoftPaths(plain).routes(np.random.default_rng(0), 0.5)[0].passing is None
