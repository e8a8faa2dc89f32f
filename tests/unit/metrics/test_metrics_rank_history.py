"""Rank change while training: by eye, against scipy, and against shuffling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.metrics import disorder, rank_change, rank_history, shuffled_change


def test_by_eye():
    # True order: a b c d. First c a b d, then a c b d, at last a b c d.
    found = rank_history([9, 8, 7, 6], [[3, 2, 4, 1], [4, 2, 3, 1], [4, 3, 2, 1]])
    assert found.truth_rank.tolist() == [1, 2, 3, 4]
    assert found.ranks.tolist() == [[2, 3, 1, 4], [1, 3, 2, 4], [1, 2, 3, 4]]
    assert found.changes.tolist() == [[1, 0, -1, 0], [0, 1, -1, 0]]
    assert found.disorder == (1.0, 0.5, 0.0)
    assert found.mean_change == (None, 0.5, 0.5)
    assert found.tau_before == (None, pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.tau_last == (pytest.approx(1 / 3), pytest.approx(2 / 3), pytest.approx(1.0))


tables = st.integers(1, 7).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 5), min_size=n, max_size=n), min_size=2, max_size=5)
)


@given(tables)
@settings(deadline=None, max_examples=60)
def test_every_number_against_the_two_rankings(table):
    truth, *scores = table
    found = rank_history(truth, scores)
    for number, row in enumerate(scores):
        order = disorder(truth, row)
        assert found.ranks[number].tolist() == order.score_rank.tolist()
        assert found.disorder[number] == order.mean_absolute
        last = stats.kendalltau(row, scores[-1])[0] if len(row) > 1 else np.nan
        assert found.tau_last[number] == (None if np.isnan(last) else pytest.approx(last))
        if number:
            change = rank_change(scores[number - 1], row)
            assert found.changes[number - 1].tolist() == change.tolist()
            assert found.mean_change[number] == np.abs(change).mean()


def test_minimised_scores():
    down = rank_history([3, 2, 1], [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], higher_is_better=False)
    assert down.ranks.tolist() == [[1, 2, 3], [1, 3, 2]]


def test_orders_without_anything_in_common():
    rng = np.random.default_rng(0)
    for n in (2, 7, 40):
        moved = [np.abs(rng.permutation(n) - rng.permutation(n)).mean() for _ in range(4000)]
        assert shuffled_change(n) == pytest.approx(np.mean(moved), rel=0.05)
    assert (shuffled_change(1), shuffled_change(0)) == (0.0, 0.0)


@pytest.mark.parametrize("scores", [[], [[]], [1.0, 2.0], [[1.0]], [[1.0, 2.0, 3.0]]])
def test_wrong_shapes_are_refused(scores):
    with pytest.raises(ValueError, match=r"scores must have shape \(evaluations, 2\)"):
        rank_history([1.0, 2.0], scores)


def test_not_a_number_is_named():
    with pytest.raises(ValueError, match=r"scores\[1, 0\] is not a number"):
        rank_history([1.0, 2.0], [[1.0, 2.0], [float("nan"), 1.0]])
