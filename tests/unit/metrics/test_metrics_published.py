"""The form of sparse Kendall tau in the authors' public code: its steps, done another way."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import sparse_kendall_tau, sparse_kendall_tau_published


def by_steps(truth_hundredths, score, threshold_hundredths):
    """The three steps in integer arithmetic, tau-b by counting pairs of positions."""
    order = sorted(range(len(score)), key=lambda i: truth_hundredths[i])
    rank, current, before = {}, -1, 0
    for i in order:
        bin_ = truth_hundredths[i] // threshold_hundredths
        current += bin_ > before
        rank[i], before = current, bin_
    a = [rank[i] for i in order]
    b = [rank[i] for i in sorted(range(len(score)), key=lambda i: score[i])]
    total, tied = 0, 0
    for p, q in itertools.combinations(range(len(a)), 2):
        total += np.sign(a[q] - a[p]) * np.sign(b[q] - b[p])
        tied += a[q] == a[p]  # as often as b[q] == b[p]: the same multiset
    pairs = math.comb(len(a), 2) - tied
    return total / pairs if pairs else None


samples = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 20)), min_size=2, max_size=14)


@given(samples, st.sampled_from([1, 5, 10, 30]))
@settings(deadline=None)
def test_against_the_steps_in_integers(sample, threshold):
    hundredths, score = zip(*sample, strict=True)
    truth = [float(Decimal(h) / 100) for h in hundredths]
    ours = sparse_kendall_tau_published(truth, score, threshold=float(Decimal(threshold) / 100))
    expected = by_steps(hundredths, score, threshold)
    assert ours is None if expected is None else ours == pytest.approx(expected, abs=1e-12)


def test_worked_example_that_differs_from_the_written_definition():
    truth = [90.05, 90.15, 90.18, 90.31, 90.35]
    score = [3.0, 1.0, 5.0, 2.0, 4.0]
    # Bins of 0.1: 900 | 901 901 | 903 903, numbered 0 1 1 2 2 (902 is empty: no gap).
    # In order of score (architectures 1 3 0 4 2) the numbers are 1 2 0 2 1.
    # Pairs of positions that rise in 0 1 1 2 2, and what 1 2 0 2 1 does there:
    # 01 up, 02 down, 03 up, 04 level, 13 level, 14 down, 23 up, 24 up: 4 - 2 of 8.
    assert sparse_kendall_tau_published(truth, score) == pytest.approx((4 - 2) / 8)
    # Written definition: nearest bins 900, 902, 902, 903, 904 (halves to even) with scores
    # 3 1 5 2 4. Concordant 02 04 13 14 34, discordant 01 03 23 24, 12 tied in the truth only.
    assert sparse_kendall_tau(truth, score) == pytest.approx((5 - 4) / math.sqrt(9 * 10))


def test_bins_are_exact_where_a_float_floor_merges():
    assert 0.29 * (1 / 0.01) // 1 == 0.28 * (1 / 0.01) // 1 == 28  # the trap
    assert sparse_kendall_tau_published([0.28, 0.29], [1.0, 2.0], threshold=0.01) == 1.0
    assert sparse_kendall_tau_published([0.28, 0.29], [2.0, 1.0], threshold=0.01) == -1.0


def test_floor_not_rounding_decides():
    # 91.19 and 91.10 share a bin, though they round apart; 91.19 and 91.20 do not.
    assert sparse_kendall_tau_published([91.10, 91.19], [1.0, 2.0]) is None
    assert sparse_kendall_tau_published([91.19, 91.20], [1.0, 2.0]) == 1.0
    assert sparse_kendall_tau([91.10, 91.19], [1.0, 2.0]) == 1.0
    assert sparse_kendall_tau([91.19, 91.20], [1.0, 2.0]) is None


def test_tied_scores_count_in_the_order_of_the_input():
    assert sparse_kendall_tau_published([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == 1.0
    assert sparse_kendall_tau_published([3.0, 2.0, 1.0], [5.0, 5.0, 5.0]) == -1.0


def test_minimised_quantities_of_the_same_order_agree():
    perplexity, estimate = [60.04, 61.0, 62.0, 80.0], [100.0, 120.0, 110.0, 300.0]
    turned = sparse_kendall_tau_published(
        perplexity, estimate, truth_higher_is_better=False, score_higher_is_better=False
    )
    assert turned == pytest.approx((5 - 1) / 6)
