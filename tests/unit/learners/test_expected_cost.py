"""Expected cost against enumerated architectures and against single counts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from learner_cases import NETWORK

from engine.core.architecture import Architecture
from engine.learners.expected_cost import ExpectedCost
from engine.spaces import get_space
from engine.spec.errors import SpecError

NB201, DARTS = get_space("nb201"), get_space("darts")
CPU = torch.device("cpu")


@lru_cache
def table(unit: str) -> np.ndarray:
    """Return the cost of every architecture of nb201, (5, 5, 5, 5, 5, 5)."""
    every = [getattr(NB201.cost(one, NETWORK), unit) for one in NB201.enumerate()]
    return np.array(every, np.float64).reshape((5,) * 6)


@pytest.mark.parametrize("unit", ["params", "flops"])
def test_it_is_the_mean_over_all_architectures(unit: str) -> None:
    cost = ExpectedCost(NB201, lambda one: NB201.cost(one, NETWORK), unit, CPU)
    weights = np.random.default_rng(0).dirichlet(np.ones(5), size=6)
    brute = np.einsum("abcdef,a,b,c,d,e,f", table(unit), *weights)
    given = [torch.tensor(row, requires_grad=True) for row in weights]
    found = cost(given)
    assert found.item() == pytest.approx(brute, rel=1e-12)
    slopes = torch.autograd.grad(found, given)
    rest = np.einsum("abcdef,b,c,d,e,f->a", table(unit), *weights[1:])
    # Of weights that sum to one only differences of slopes matter.
    np.testing.assert_allclose(slopes[0] - slopes[0][0], rest - rest[0], atol=1e-6)


def test_a_hard_choice_costs_what_the_architecture_costs() -> None:
    cost = ExpectedCost(NB201, lambda one: NB201.cost(one, NETWORK), "params", CPU)
    rng = np.random.default_rng(1)
    for one in (NB201.sample(rng) for _ in range(20)):
        hard = [torch.eye(5)[index] for index in one.indices]
        assert cost(hard).item() == NB201.cost(one, NETWORK).params


@pytest.mark.parametrize("unit", ["params", "flops"])
def test_prices_of_darts_are_what_changing_one_edge_costs(unit: str) -> None:
    network = NETWORK.model_copy(update={"cells": 4, "channels": 4})
    cost = ExpectedCost(DARTS, lambda one: DARTS.cost(one, network), unit, CPU)
    prices, rng, seen = torch.stack(cost.prices).numpy(), np.random.default_rng(2), 0
    assert (prices >= 0).all() and (prices.min(1) == 0).all() and cost.base > 0
    # Nodes that work everywhere, so that nothing else than the edge is counted differently.
    for one in (DARTS.sample(rng) for _ in range(300)):
        cells = [list(cell) for cell in DARTS.edges(one)]
        if any(option == 0 for cell in cells for option in cell):
            continue
        seen += 1
        for number, cell in enumerate(cells):
            for edge, before in enumerate(cell):
                if before is None:
                    continue
                after = int(rng.integers(1, 8))
                changed = [list(other) for other in cells]
                changed[number][edge] = after
                other = DARTS.of_edges([tuple(row) for row in changed])
                counts = [getattr(DARTS.cost(a, network), unit) for a in (one, other)]
                row = prices[14 * number + edge]
                assert row[after] - row[before] == pytest.approx(counts[1] - counts[0])
    assert seen > 10


def test_a_space_that_never_allows_all_options_is_refused() -> None:
    class Fussy(type(NB201)):  # type: ignore[misc]
        def constraint(self, architecture: Architecture) -> str | None:
            return "The first edge must be a pooling." if architecture.indices[0] < 4 else None

    space = Fussy()
    with pytest.raises(SpecError, match="`none`") as caught:
        ExpectedCost(space, lambda one: space.cost(one, NETWORK), "params", CPU)
    assert caught.value.field == "settings.cost"
