"""Welch's test against its formula with numerical integration, and a published example."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from engine.metrics import compare_groups, mean_and_std

RANDOM = [93.1, 92.7, 93.4, 92.9, 93.0]
METHOD = [93.9, 93.6, 94.2, 93.3]


def welch(x, y):
    """t, degrees of freedom and one-sided tail from the formulas (Welch 1947), no scipy.stats."""
    vx, vy = (sum((v - sum(g) / len(g)) ** 2 for v in g) / (len(g) - 1) / len(g) for g in (x, y))
    t = (sum(x) / len(x) - sum(y) / len(y)) / math.sqrt(vx + vy)
    f = (vx + vy) ** 2 / (vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1))
    scale = math.exp(math.lgamma((f + 1) / 2) - math.lgamma(f / 2)) / math.sqrt(f * math.pi)
    tail, _ = integrate.quad(lambda u: scale * (1 + u * u / f) ** (-(f + 1) / 2), t, math.inf)
    return t, f, tail, math.sqrt(vx + vy)


def test_against_the_formulas():
    base, row = compare_groups({"random": RANDOM, "spos": METHOD}, "random")
    t, freedom, tail, error = welch(METHOD, RANDOM)
    assert (row.name, row.n, row.reason) == ("spos", 4, None)
    assert row.mean == pytest.approx(93.75)
    assert row.std == pytest.approx(math.sqrt(sum((v - 93.75) ** 2 for v in METHOD) / 3))
    assert row.difference == pytest.approx(93.75 - 93.02)
    assert row.t == pytest.approx(t)
    assert row.degrees_of_freedom == pytest.approx(freedom)
    assert row.p_better == pytest.approx(tail, rel=1e-6)
    assert row.p_two_sided == pytest.approx(2 * tail, rel=1e-6)
    pooled = math.sqrt((row.std**2 + base.std**2) / 2)
    assert row.cohen_d == pytest.approx(row.difference / pooled)
    # The ends of the interval are the differences that the test would just reject.
    for end in (row.low, row.high):
        shifted = [v - end for v in METHOD]
        assert 2 * welch(shifted, RANDOM)[2] % 2 == pytest.approx(
            0.05 if end == row.low else 1.95, rel=1e-5
        )


def test_the_baseline_row_has_no_test():
    base = compare_groups({"a": METHOD, "random": RANDOM}, "random")[1]
    assert (base.name, base.n) == ("random", 5)
    assert (base.mean, base.std) == (pytest.approx(93.02), pytest.approx(np.std(RANDOM, ddof=1)))
    assert base.p_two_sided is None
    assert base.reason == "this is the baseline"


def test_direction_of_the_one_sided_test():
    up = compare_groups({"r": RANDOM, "m": METHOD}, "r")[1]
    down = compare_groups({"r": RANDOM, "m": METHOD}, "r", higher_is_better=False)[1]
    assert up.p_better < 0.05 < down.p_better
    assert up.p_better + down.p_better == pytest.approx(1.0)
    assert up.p_two_sided == pytest.approx(down.p_two_sided)


def test_false_alarms_come_at_the_stated_rate():
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(600):
        groups = {"r": rng.normal(0, 1, 6), "m": rng.normal(0, 3, 4)}  # unequal spread
        alarms += compare_groups(groups, "r")[1].p_two_sided < 0.05
    assert 0.02 < alarms / 600 < 0.09


@pytest.mark.parametrize(
    ("method", "random", "words"),
    [
        ([93.0], RANDOM, "at least 2 seeds"),
        (METHOD, [93.0], "at least 2 seeds"),
        ([], RANDOM, "at least 2 seeds"),
        ([94.0, 94.0], [93.0, 93.0], "spread"),
    ],
)
def test_too_little_to_test_says_why(method, random, words):
    row = compare_groups({"r": random, "m": method}, "r")[1]
    assert words in row.reason
    fields = (row.t, row.degrees_of_freedom, row.p_two_sided, row.p_better, row.cohen_d, row.low)
    assert fields == (None,) * 6
    if method:
        assert row.difference == pytest.approx(np.mean(method) - np.mean(random))
    else:
        assert (row.mean, row.difference) == (None, None)


@pytest.mark.filterwarnings("error")
def test_one_side_without_spread_can_be_tested():
    # A method that always finds the same architecture, as ENAS in Table 5.3 (A).
    row = compare_groups({"r": RANDOM, "m": [95.1, 95.1, 95.1]}, "r")[1]
    assert (row.mean, row.std) == (95.1, 0.0)
    assert np.std([95.1, 95.1, 95.1], ddof=1) > 0  # what rounding alone would report
    assert row.degrees_of_freedom == pytest.approx(len(RANDOM) - 1)
    assert row.p_better < 0.001


def test_mean_and_std():
    assert mean_and_std([1.0, 2.0, 3.0, 6.0]) == (3.0, pytest.approx(math.sqrt(14 / 3)))
    assert mean_and_std([5.0]) == (5.0, None)
    assert mean_and_std([]) == (None, None)


def test_errors_name_group_and_index():
    with pytest.raises(ValueError, match="no group 'x'; known are r, m"):
        compare_groups({"r": RANDOM, "m": METHOD}, "x")
    with pytest.raises(ValueError, match=r"m\[1\]"):
        compare_groups({"r": RANDOM, "m": [1.0, math.nan]}, "r")
    with pytest.raises(ValueError, match=r"m\[0\] is infinite"):
        compare_groups({"r": RANDOM, "m": [math.inf, 1.0]}, "r")
