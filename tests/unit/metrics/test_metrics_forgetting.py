"""Forgetting of an epoch by hand and against sorting."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import Forgetting, forgetting, forgetting_reduction

errors = st.integers(0, 50)


def test_by_hand():
    err_1 = [5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 6.0]
    err_2 = [6.0, 1.5, 4.0, 4.0, 3.5, 20.0, 5.0]
    # Differences 1 .5 0 2 .5 11 -1; lowest five err_1: all but the last two.
    found = forgetting(err_1, err_2)
    assert found == Forgetting(7, pytest.approx(2.0), pytest.approx(0.8), 11.0)


@given(st.lists(st.tuples(errors, errors), min_size=1, max_size=12), st.integers(1, 6))
@settings(deadline=None)
def test_against_sorting(sample, top):
    found = forgetting(*zip(*sample, strict=True), top=top)
    differences = [b - a for a, b in sample]
    best = [b - a for a, b in sorted(sample, key=lambda pair: pair[0])[:top]]
    assert found.n == len(sample)
    assert found.mean == pytest.approx(sum(differences) / len(sample))
    assert found.top_mean == pytest.approx(sum(best) / len(best))
    assert found.max == max(differences)


def test_ties_of_err_1_are_taken_in_order():
    assert forgetting([1.0, 1.0, 1.0], [2.0, 3.0, 9.0], top=2).top_mean == 1.5


def test_no_architectures():
    assert forgetting([], []) == Forgetting(0, None, None, None)


def test_reduction():
    assert forgetting_reduction(20.0, 1.0) == pytest.approx(0.95)
    assert forgetting_reduction(2.0, 3.0) == pytest.approx(-0.5)
    assert forgetting_reduction(2.0, -1.0) == pytest.approx(1.5)
    assert forgetting_reduction(0.0, 1.0) is None
    assert forgetting_reduction(-1.0, 1.0) is None


def test_errors():
    with pytest.raises(ValueError, match="lengths"):
        forgetting([1.0], [])
    with pytest.raises(ValueError, match=r"err_2\[0\]"):
        forgetting([1.0], [math.nan])
    with pytest.raises(ValueError, match="top"):
        forgetting([1.0], [1.0], top=0)
    with pytest.raises(ValueError, match="not a number"):
        forgetting_reduction(math.nan, 1.0)
