"""Search-quality metrics against sorting in plain Python and hand-worked cases."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import (
    best_rank,
    final_performance,
    precision_at_k,
    rank_of,
    regret,
    selected,
    super_net_accuracy,
    top_k_overlap,
)

values = st.integers(-9, 9)
samples = st.lists(st.tuples(values, values), min_size=1, max_size=15)


def test_super_net_accuracy_is_the_mean():
    assert super_net_accuracy([60.0, 70.0, 95.0]) == pytest.approx(75.0)
    assert super_net_accuracy([[60.0, 70.0], [62.0, 76.0]]) == pytest.approx(67.0)
    assert super_net_accuracy([]) is None


def test_final_performance_takes_the_three_best_scores():
    truth, score = [91.0, 94.0, 92.0, 90.0, 93.0], [0.9, 0.1, 0.8, 0.7, 0.2]
    assert final_performance(truth, score) == pytest.approx((91 + 92 + 90) / 3)
    assert final_performance(truth, score, 1) == 91.0
    low = final_performance(truth, score, 2, score_higher_is_better=False)
    assert low == pytest.approx((94 + 93) / 2)


def test_final_performance_with_ties_takes_the_first():
    assert final_performance([1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]) == 2.0
    assert final_performance([4.0, 3.0, 2.0, 1.0], [5.0, 5.0, 5.0, 5.0]) == 3.0
    turned = final_performance([1.0, 2.0, 9.0], [5.0, 5.0, 5.0], 2, score_higher_is_better=False)
    assert turned == 1.5


def test_final_performance_of_few_or_none():
    assert final_performance([1.0, 2.0], [1.0, 2.0]) == 1.5
    assert final_performance([], []) is None


@given(samples, st.integers(1, 5), st.booleans())
@settings(deadline=None)
def test_selected_against_sorting(sample, k, higher):
    score = [s for _, s in sample]
    order = sorted(range(len(score)), key=lambda i: -score[i] if higher else score[i])
    assert selected(score, k, score_higher_is_better=higher).tolist() == order[:k]


@given(samples, st.booleans())
@settings(deadline=None)
def test_rank_of_against_counting(sample, higher):
    everything = [t for t, _ in sample]
    for value in everything:
        better = [v for v in everything if (v > value if higher else v < value)]
        assert rank_of(value, everything, higher_is_better=higher) == 1 + len(better)


def test_ties_share_the_best_rank_and_strangers_are_placed():
    table = [94.0, 93.0, 93.0, 90.0]
    assert [rank_of(v, table) for v in table] == [1, 2, 2, 4]
    assert [rank_of(v, table, higher_is_better=False) for v in table] == [4, 2, 2, 1]
    assert rank_of(99.0, table) == 1
    assert rank_of(92.0, table) == 4
    assert rank_of(10.0, table) == 4  # worse than all: the last rank, not a fifth


@given(samples, st.booleans())
@settings(deadline=None)
def test_best_rank_is_the_smallest_rank(sample, higher):
    everything = [t for t, _ in sample]
    found = everything[:3]
    ranks = [rank_of(v, everything, higher_is_better=higher) for v in found]
    assert best_rank(found, everything, higher_is_better=higher) == min(ranks)


def test_regret():
    assert regret([91.0, 93.5], [94.0, 90.0, 93.5]) == pytest.approx(0.5)
    assert regret([70.0, 61.0], [60.0, 61.0, 70.0], higher_is_better=False) == pytest.approx(1.0)
    assert regret([94.0], [94.0, 90.0]) == 0.0
    assert regret([95.0], [94.0]) == -1.0
    assert regret([], [94.0]) is None
    assert best_rank([], [94.0]) is None


def test_an_empty_population_is_refused():
    for function in (best_rank, regret):
        with pytest.raises(ValueError, match="all_values is empty"):
            function([1.0], [])


def test_overlap_and_precision_by_hand():
    truth = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]
    score = [1.0, 6.0, 5.0, 2.0, 4.0, 3.0]
    # Best 3 by truth: 0 1 2; by score: 1 2 4.
    assert top_k_overlap(truth, score, 3) == pytest.approx(2 / 3)
    assert precision_at_k(truth, score, 3, good=1) == 0.0
    assert precision_at_k(truth, score, 3, good=2) == pytest.approx(1 / 3)
    assert precision_at_k(truth, score, 3, good=5) == 1.0
    assert precision_at_k(truth, score, 3, good=50) == 1.0
    # Best 3 by score when low is good: 0 3 5.
    assert top_k_overlap(truth, score, 3, score_higher_is_better=False) == pytest.approx(1 / 3)
    assert top_k_overlap(truth, score, 3, truth_higher_is_better=False) == pytest.approx(1 / 3)


def test_precision_counts_ties_with_the_last_good_one():
    truth, score = [9.0, 8.0, 8.0, 1.0], [0.0, 1.0, 9.0, 8.0]
    assert precision_at_k(truth, score, 1, good=2) == 1.0
    assert top_k_overlap(truth, score, 2) == 0.0


@given(samples, st.integers(1, 6), st.booleans(), st.booleans())
@settings(deadline=None)
def test_overlap_and_precision_against_sets(sample, k, truth_up, score_up):
    truth, score = zip(*sample, strict=True)
    directions = {"truth_higher_is_better": truth_up, "score_higher_is_better": score_up}
    overlap = top_k_overlap(truth, score, k, **directions)
    precision = precision_at_k(truth, score, k, k, **directions)
    if len(truth) < k:
        assert overlap is None
        assert precision is None
        return
    t = [v if truth_up else -v for v in truth]
    s = [v if score_up else -v for v in score]
    by_truth = sorted(range(len(t)), key=lambda i: (-t[i], i))[:k]
    by_score = sorted(range(len(s)), key=lambda i: (-s[i], i))[:k]
    assert overlap == pytest.approx(len(set(by_truth) & set(by_score)) / k)
    good = [i for i in by_score if sum(v > t[i] for v in t) < k]
    assert precision == pytest.approx(len(good) / k)
    assert precision >= overlap


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"truth\[0\]"):
        final_performance([math.nan, 1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="lengths"):
        final_performance([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="k must be at least 1"):
        selected([1.0], 0)
    with pytest.raises(ValueError, match="good must be at least 1"):
        precision_at_k([1.0], [1.0], 1, 0)
    with pytest.raises(ValueError, match=r"value\[0\]"):
        rank_of(math.nan, [1.0])
