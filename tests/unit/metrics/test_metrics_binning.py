"""Bins decided in decimals: against Python's decimal module, and at the places floats fail."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import floor_bins, nearest_bins
from engine.metrics.binning import dense_ranks

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(finite, max_size=8), st.sampled_from([0.01, 0.1, 0.125, 1.0, 10.0]))
@settings(deadline=None)
def test_against_the_decimal_module(values, threshold):
    ratios = [Decimal(repr(v)) / Decimal(repr(threshold)) for v in values]
    exact = all(len(r.as_tuple().digits) < 28 for r in ratios)  # inside decimal's precision
    if exact:
        floors = [int(r.to_integral_value(ROUND_FLOOR)) for r in ratios]
        rounded = [int(r.to_integral_value(ROUND_HALF_EVEN)) for r in ratios]
        assert floor_bins(values, threshold) == floors
        assert nearest_bins(values, threshold) == rounded


def test_every_hundredth_has_its_own_bin():
    hundredths = [float(Decimal(i) / 100) for i in range(10_001)]
    assert floor_bins(hundredths, 0.01) == list(range(10_001))
    assert nearest_bins(hundredths, 0.01) == list(range(10_001))
    assert [math.floor(v / 0.01) for v in hundredths] != list(range(10_001))  # floats do not


def test_halves_go_to_the_even_multiple_on_both_sides_of_zero():
    assert nearest_bins([91.25, 91.35, 0.05, 0.15], 0.1) == [912, 914, 0, 2]
    assert nearest_bins([-91.25, -91.35, -0.05, -0.15], 0.1) == [-912, -914, 0, -2]
    assert round(91.35 / 0.1) == 913  # binary division errs here


def test_float32_stands_for_its_own_shortest_text():
    small = np.array([0.28, 0.29], dtype=np.float32)
    assert floor_bins(small, 0.01) == [28, 29]
    assert floor_bins(small.astype(np.float64), 0.01) == [28, 28]  # 0.28999999165534973


def test_integers_and_large_and_small_numbers():
    assert floor_bins([3, -3], 2) == [1, -2]
    assert floor_bins([1e300], 1e-300) == [10**600]
    assert nearest_bins([5e-324], 0.1) == [0]


def test_dense_ranks_leave_no_gaps():
    assert dense_ranks([7, -2, 10**30, 7]).tolist() == [1, 0, 2, 1]
    assert dense_ranks([]).shape == (0,)


@pytest.mark.parametrize("function", [floor_bins, nearest_bins])
def test_what_cannot_be_binned_is_named(function):
    with pytest.raises(ValueError, match=r"values\[1\] is infinite"):
        function([1.0, math.inf], 0.1)
    with pytest.raises(ValueError, match=r"loss\[0\] is not a number"):
        function([math.nan], 0.1, "loss")
    with pytest.raises(ValueError, match="threshold"):
        function([1.0], 0.0)
