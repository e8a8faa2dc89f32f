"""Kendall, Spearman and their sparse forms against pair counting, scipy and hand-worked cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.metrics import (
    kendall_tau,
    sparse_kendall_tau,
    sparse_kendall_tau_published,
    sparse_spearman,
    spearman,
)

PLAIN = [kendall_tau, spearman]
SPARSE = [sparse_kendall_tau, sparse_spearman, sparse_kendall_tau_published]
ALL = PLAIN + SPARSE

# Few distinct values, so that ties are common.
numbers = st.integers(-8, 8)
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12)
distinct = st.integers(2, 12).flatmap(
    lambda n: st.tuples(st.permutations(range(n)), st.permutations(range(n)))
)


def tau_b_by_pairs(x, y):
    """Definition of tau-b, O(n^2), no library."""
    same = opposite = only_x = only_y = 0
    for i in range(len(x)):
        for j in range(i):
            a, b = x[i] - x[j], y[i] - y[j]
            same += a * b > 0
            opposite += a * b < 0
            only_x += a == 0 and b != 0
            only_y += b == 0 and a != 0
    bottom = (same + opposite + only_x) * (same + opposite + only_y)
    return (same - opposite) / math.sqrt(bottom) if bottom else None


def rho_by_ranks(x, y):
    """Pearson correlation of mid-ranks found by counting, no library."""

    def centred(values):
        ranks = [
            sum(v < own for v in values) + (sum(v == own for v in values) + 1) / 2
            for own in values
        ]
        return [rank - (len(values) + 1) / 2 for rank in ranks]

    a, b = centred(x), centred(y)
    bottom = math.sqrt(sum(v * v for v in a) * sum(v * v for v in b))
    return sum(p * q for p, q in zip(a, b, strict=True)) / bottom if bottom else None


def agree(ours, oracle):
    if oracle is None:
        return ours is None
    return ours == pytest.approx(oracle, abs=1e-12)


@given(pairs)
@settings(deadline=None)
def test_plain_forms_agree_with_their_definitions(values):
    x, y = zip(*values, strict=True)
    assert agree(kendall_tau(x, y), tau_b_by_pairs(x, y))
    assert agree(spearman(x, y), rho_by_ranks(x, y))


@given(pairs)
@settings(deadline=None)
def test_sparse_forms_agree_with_their_definitions(values):
    # Truth in quarters, threshold 1: round half to even by hand from the integer quarter.
    quarters, y = zip(*values, strict=True)
    whole = [q // 4 + {0: 0, 1: 0, 2: (q // 4) % 2, 3: 1}[q % 4] for q in quarters]
    truth = [q / 4 for q in quarters]
    assert agree(sparse_kendall_tau(truth, y, threshold=1.0), tau_b_by_pairs(whole, y))
    assert agree(sparse_spearman(truth, y, threshold=1.0), rho_by_ranks(whole, y))


def test_against_scipy_on_a_realistic_sample():
    rng = np.random.default_rng(3)
    truth = (90 + 2 * rng.standard_normal(200)).round(2)
    score = (truth + 2 * rng.standard_normal(200)).round(1)
    assert kendall_tau(truth, score) == pytest.approx(stats.kendalltau(truth, score).statistic)
    assert spearman(truth, score) == pytest.approx(stats.spearmanr(truth, score).statistic)
    tenths = [round(round(t * 100) / 10) for t in truth]  # exact: 9125 / 10 = 912.5 -> 912
    expected = stats.kendalltau(tenths, score).statistic
    assert sparse_kendall_tau(truth, score) == pytest.approx(expected)
    assert expected != pytest.approx(stats.kendalltau(truth, score).statistic)


def test_worked_example():
    # Of the six pairs only (90.00, 90.04) is in the wrong order.
    truth, score = [90.00, 90.04, 90.30, 91.00], [0.2, 0.1, 0.3, 0.4]
    assert kendall_tau(truth, score) == pytest.approx((5 - 1) / 6)
    # Rounded to 0.1 the first two are tied: 5 concordant, none discordant, one tie in truth.
    assert sparse_kendall_tau(truth, score) == pytest.approx(5 / math.sqrt(5 * 6))
    # Position form: bins in order of truth 0 0 1 2, in order of score 0 0 1 2.
    assert sparse_kendall_tau_published(truth, score) == 1.0
    assert spearman(truth, score) == pytest.approx(1 - 6 * 2 / (4 * 15))


@pytest.mark.parametrize("metric", ALL)
@given(values=pairs)
@settings(max_examples=40, deadline=None)
def test_range_and_opposites(metric, values):
    x, y = zip(*values, strict=True)
    value = metric(x, y)
    assert value is None or -1 <= value <= 1
    flipped = metric(x, y, truth_higher_is_better=False, score_higher_is_better=False)
    if metric is not sparse_kendall_tau_published or len(set(y)) == len(y):
        assert agree(flipped, value)
    if metric is not sparse_kendall_tau_published:
        turned = metric(x, y, score_higher_is_better=False)
        assert agree(turned, None if value is None else -value)
        assert agree(metric(x, y, truth_higher_is_better=False), turned)


@pytest.mark.parametrize("metric", ALL)
@given(values=distinct)
@settings(max_examples=40, deadline=None)
def test_direction_of_one_side_negates_without_ties(metric, values):
    x, y = values
    assert agree(metric(x, y, score_higher_is_better=False), -metric(x, y))
    assert agree(metric(x, y, truth_higher_is_better=False), -metric(x, y))


@pytest.mark.parametrize("metric", ALL)
@given(values=pairs)
@settings(max_examples=40, deadline=None)
def test_monotone_transformation_of_the_scores_changes_nothing(metric, values):
    x, y = zip(*values, strict=True)
    assert agree(metric(x, [math.exp(v) - 3 for v in y]), metric(x, y))


@pytest.mark.parametrize("metric", PLAIN)
@given(values=pairs)
@settings(max_examples=40, deadline=None)
def test_plain_forms_are_symmetric_and_ignore_monotone_changes_of_truth(metric, values):
    x, y = zip(*values, strict=True)
    assert agree(metric(y, x), metric(x, y))
    assert agree(metric([v**3 for v in x], y), metric(x, y))


@pytest.mark.parametrize("metric", [kendall_tau, spearman, sparse_kendall_tau, sparse_spearman])
@given(values=pairs, seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_architectures_does_not_matter(metric, values, seed):
    shuffled = [values[i] for i in np.random.default_rng(seed).permutation(len(values))]
    first, second = zip(*values, strict=True), zip(*shuffled, strict=True)
    assert agree(metric(*second), metric(*first))


@given(distinct, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_published_form_ignores_order_when_scores_are_distinct(values, seed):
    x, y = np.array(values[0]) / 4, np.array(values[1])
    order = np.random.default_rng(seed).permutation(len(x))
    ours = sparse_kendall_tau_published(x, y, threshold=1.0)
    assert agree(sparse_kendall_tau_published(x[order], y[order], threshold=1.0), ours)


@given(pairs)
@settings(deadline=None)
def test_a_tiny_threshold_gives_the_plain_forms(values):
    x, y = zip(*values, strict=True)
    assert agree(sparse_kendall_tau(x, y, threshold=1e-9), kendall_tau(x, y))
    assert agree(sparse_spearman(x, y, threshold=1e-9), spearman(x, y))


@given(distinct)
@settings(deadline=None)
def test_the_published_form_without_any_ties_is_plain_tau(values):
    x, y = values
    assert agree(sparse_kendall_tau_published(x, y, threshold=1e-3), kendall_tau(x, y))


@pytest.mark.parametrize("metric", ALL)
def test_undefined_is_none(metric):
    assert metric([], []) is None
    assert metric([90.0], [1.0]) is None
    assert metric([90.0, 90.0, 90.0], [1.0, 2.0, 3.0]) is None


@pytest.mark.parametrize("metric", [kendall_tau, spearman, sparse_kendall_tau, sparse_spearman])
def test_constant_scores_are_undefined(metric):
    assert metric([90.0, 91.0, 92.0], [5.0, 5.0, 5.0]) is None


@pytest.mark.parametrize("metric", SPARSE)
def test_truths_of_one_bin_are_undefined(metric):
    assert metric([90.01, 90.02, 90.03], [1.0, 2.0, 3.0]) is None


@pytest.mark.parametrize("metric", ALL)
def test_nan_is_named_by_its_index(metric):
    with pytest.raises(ValueError, match=r"truth\[2\]"):
        metric([1.0, 2.0, math.nan], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"score\[1\]"):
        metric([1.0, 2.0, 3.0], [1.0, math.nan, 3.0])
    with pytest.raises(ValueError, match=r"score\[1, 0\]"):
        metric([1.0, 2.0], [[1.0, 2.0], [math.nan, 3.0]])
    with pytest.raises(ValueError, match=r"truth\[0\]"):
        metric([None, 2.0], [1.0, 2.0])


@pytest.mark.parametrize("metric", ALL)
def test_wrong_shapes_are_refused(metric):
    with pytest.raises(ValueError, match="lengths"):
        metric([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"truth must have shape \(n,\)"):
        metric([[1.0, 2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"\(seeds, n\)"):
        metric([1.0, 2.0], np.zeros((1, 1, 2)))


@pytest.mark.parametrize("metric", SPARSE)
@pytest.mark.parametrize("threshold", [0.0, -0.1, math.nan, math.inf])
def test_threshold_must_be_positive(metric, threshold):
    with pytest.raises(ValueError, match="threshold"):
        metric([1.0, 2.0], [1.0, 2.0], threshold=threshold)


@pytest.mark.parametrize("metric", ALL)
def test_scores_of_several_seeds_are_averaged(metric):
    truth = [90.0, 91.0, 92.0, 93.0]
    runs = [[1.0, 5.0, 2.0, 9.0], [4.0, 2.0, 6.0, 3.0], [1.0, 2.0, 1.0, 3.0]]
    mean = [2.0, 3.0, 3.0, 5.0]  # the second and third are tied only in the mean
    assert metric(truth, runs) == metric(truth, mean)
    assert metric(truth, runs) != metric(truth, runs[0])


def test_averaging_keeps_ties_whatever_the_order_of_seeds():
    # A running float sum of these three depends on their order: 0.6000000000000001 or 0.6.
    parts = [0.1, 0.2, 0.3]
    assert (parts[0] + parts[1]) + parts[2] != (parts[2] + parts[1]) + parts[0]
    runs = np.array([parts, parts[::-1]]).T
    assert kendall_tau([1.0, 2.0], runs) is None


@pytest.mark.parametrize("metric", [kendall_tau, spearman])
def test_infinite_scores_can_be_ranked(metric):
    assert metric([3.0, 2.0, 1.0], [1.0, 0.0, -math.inf]) == 1.0
