"""The random policy against full enumeration of its draws, and against simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import (
    Moments,
    best_of_draws,
    best_rank_of_draws,
    budget_blocks,
    surpass_random,
)

population = st.lists(st.integers(-3, 3), min_size=1, max_size=6)


@given(population, st.integers(1, 4), st.booleans())
@settings(deadline=None, max_examples=60)
def test_against_all_draws(values, draws, higher):
    best = max if higher else min
    results = [best(drawn) for drawn in itertools.product(values, repeat=draws)]
    found = best_of_draws(values, draws, higher_is_better=higher)
    assert found.mean == pytest.approx(np.mean(results))
    assert found.std == pytest.approx(np.std(results), abs=1e-9)


def test_by_hand():
    # Two architectures, two draws: the better one is missed in 1 of 4 cases.
    found = best_of_draws([90.0, 94.0], 2)
    assert found.mean == 93.0
    assert found.std == pytest.approx(np.sqrt(3))
    assert best_rank_of_draws(15_625, 1).mean == pytest.approx(7813)
    assert best_of_draws([91.5], 7) == Moments(91.5, 0.0)


def test_against_simulation():
    rng = np.random.default_rng(0)
    best = rng.integers(1, 201, size=(40_000, 3)).min(axis=1)
    found = best_rank_of_draws(200, 3)
    assert found.mean == pytest.approx(best.mean(), rel=0.02)
    assert found.std == pytest.approx(best.std(), rel=0.02)


@given(st.integers(1, 30), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_the_mean_rank_is_the_sum_of_surpassing_chances(total, draws):
    """E[rank] = sum over r >= 0 of P(rank > r), and surpass_random is P(rank > r)."""
    tail = sum(surpass_random(rank, total, draws) for rank in range(1, total + 1))
    assert best_rank_of_draws(total, draws).mean == pytest.approx(1 + tail)


def test_blocks_keep_the_order_and_drop_the_rest():
    assert budget_blocks([1, 2, 3, 4, 5, 6, 7], 3).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert budget_blocks([1.0], 3).shape == (0, 3)


@pytest.mark.parametrize("draws", [0, -1, 1.0, True])
def test_no_draws_are_refused(draws):
    with pytest.raises(ValueError, match="draws"):
        best_of_draws([1.0], draws)
    with pytest.raises(ValueError, match="size"):
        budget_blocks([1.0], draws)


def test_nothing_to_draw_from_is_refused():
    with pytest.raises(ValueError, match="nothing to draw from"):
        best_of_draws([], 1)
    with pytest.raises(ValueError, match=r"values\[1\] is not a number"):
        best_of_draws([1.0, float("nan")], 1)
