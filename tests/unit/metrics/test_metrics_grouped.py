"""Correlation within groups: the case of Table 5.5 by hand, and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.metrics import tau_by_group


def test_four_connections_with_three_operations():
    """As 000 Table 5.5: four groups of three; 1, 2 or 3 of 3 pairs in order give these taus."""
    truth = [3, 2, 1] * 4
    score = [3, 2, 1, 3, 1, 2, 2, 1, 3, 1, 2, 3]
    found = tau_by_group([0] * 3 + [1] * 3 + [2] * 3 + [3] * 3, truth, score)
    assert [(one.group, one.n) for one in found] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert [one.kendall_tau for one in found] == pytest.approx([1, 1 / 3, -1 / 3, -1])


def test_a_whole_group_that_is_ranked_too_low():
    found = tau_by_group([1, 0, 1, 0], [90.0, 70.0, 80.0, 60.0], [20.0, 40.0, 10.0, 30.0])
    free, sharing = found
    assert (free.group, free.truth, free.score) == (0, 65.0, 35.0)
    assert (free.true_rank, free.rank) == (3.5, 1.5)
    assert (sharing.true_rank, sharing.rank) == (1.5, 3.5)
    assert (free.kendall_tau, sharing.kendall_tau) == (pytest.approx(1), pytest.approx(1))


def test_against_scipy_and_undefined_groups():
    rng = np.random.default_rng(0)
    groups, truth, score = rng.integers(0, 3, 50), rng.random(50), rng.random(50)
    for one in tau_by_group(list(groups), truth, score):
        own = groups == one.group
        assert one.kendall_tau == pytest.approx(stats.kendalltau(truth[own], score[own])[0])
    (single,) = tau_by_group([5], [1.0], [2.0])
    assert (single.group, single.n, single.kendall_tau) == (5, 1, None)
    with pytest.raises(ValueError, match="one value per architecture"):
        tau_by_group([1], [1.0, 2.0], [1.0, 2.0])
