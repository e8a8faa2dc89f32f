"""Rank displacement against sorted lists and the cases one can see by eye."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import disorder, rank_change

values = st.integers(0, 6)
samples = st.lists(st.tuples(values, values), min_size=1, max_size=12)


def test_by_eye():
    # True order: c a d b. The super-net says: a c b d.
    found = disorder([93.0, 90.0, 94.0, 91.0], [0.9, 0.4, 0.8, 0.1])
    assert found.truth_rank.tolist() == [2, 4, 1, 3]
    assert found.score_rank.tolist() == [1, 3, 2, 4]
    assert found.displacement.tolist() == [-1, -1, 1, 1]
    assert found.mean_absolute == 1.0


def test_minimised_truth_and_scores():
    found = disorder([60.0, 61.0, 99.0], [5.0, 3.0, 4.0], truth_higher_is_better=False)
    assert found.truth_rank.tolist() == [1, 2, 3]
    assert found.score_rank.tolist() == [1, 3, 2]
    both = disorder(
        [60.0, 61.0], [1.0, 2.0], truth_higher_is_better=False, score_higher_is_better=False
    )
    assert both.mean_absolute == 0.0


@given(samples)
@settings(deadline=None)
def test_against_sorting(sample):
    truth, score = zip(*sample, strict=True)
    found = disorder(truth, score)
    order = sorted(range(len(truth)), key=lambda i: (-truth[i], -score[i], i))
    assert [order.index(i) + 1 for i in range(len(truth))] == found.truth_rank.tolist()
    order = sorted(range(len(truth)), key=lambda i: (-score[i], -truth[i], i))
    assert [order.index(i) + 1 for i in range(len(truth))] == found.score_rank.tolist()
    assert found.displacement.sum() == 0


@given(samples, st.integers(0, 99))
@settings(deadline=None)
def test_order_of_input_and_ties_do_not_change_the_mean(sample, seed):
    truth, score = np.array(sample).T
    order = np.random.default_rng(seed).permutation(len(truth))
    mean = disorder(truth, score).mean_absolute
    assert disorder(truth[order], score[order]).mean_absolute == pytest.approx(mean)


@given(samples)
@settings(deadline=None)
def test_ties_alone_are_no_disorder(sample):
    truth = [t for t, _ in sample]
    assert disorder(truth, [7.0] * len(truth)).mean_absolute == 0.0
    assert disorder(truth, truth).mean_absolute == 0.0


def test_a_reversed_ranking_has_the_largest_disorder():
    assert disorder(range(4), [3.0, 2.0, 1.0, 0.0]).mean_absolute == 2.0
    assert disorder([], []).mean_absolute is None


def test_scores_of_several_seeds():
    found = disorder([1.0, 2.0], [[0.0, 9.0], [8.0, 1.0]])  # means 4 and 5
    assert found.score_rank.tolist() == [2, 1]


def test_rank_change_is_positive_for_those_that_rise():
    assert rank_change([5.0, 4.0, 3.0], [1.0, 2.0, 3.0]).tolist() == [-2, 0, 2]
    lower = rank_change([5.0, 4.0, 3.0], [1.0, 2.0, 3.0], higher_is_better=False)
    assert lower.tolist() == [2, 0, -2]
    assert rank_change([1.0, 2.0], [[3.0, 4.0], [3.0, 4.0]]).tolist() == [0, 0]


@given(samples)
@settings(deadline=None)
def test_rank_change_sums_to_zero_and_turns_with_time(sample):
    before, after = zip(*sample, strict=True)
    change = rank_change(before, after)
    assert change.sum() == 0
    assert rank_change(after, before).tolist() == (-change).tolist()


def test_errors():
    with pytest.raises(ValueError, match="lengths"):
        disorder([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"after\[1\]"):
        rank_change([1.0, 2.0], [1.0, float("nan")])
