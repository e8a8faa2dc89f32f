"""Best-so-far curves against re-reading the history at every point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import anytime_band, at_times, best_so_far

trials = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=12
)


@given(trials, st.booleans())
@settings(deadline=None)
def test_without_signal_it_is_the_running_best(history, higher):
    truth = [t for t, _, _ in history]
    curve = best_so_far(truth, values_higher_is_better=higher)
    best = max if higher else min
    assert curve.tolist() == [best(truth[: i + 1]) for i in range(len(truth))]


@given(trials, st.booleans())
@settings(deadline=None)
def test_with_signal_the_first_best_signal_is_reported(history, higher):
    truth, signal, _ = zip(*history, strict=True)
    curve = best_so_far(truth, signal=signal, signal_higher_is_better=higher)
    for i, value in enumerate(curve):
        past = signal[: i + 1]
        assert value == truth[past.index(max(past) if higher else min(past))]


def test_a_misleading_signal_lets_the_curve_fall():
    assert best_so_far([94.0, 90.0], signal=[0.5, 0.6]).tolist() == [94.0, 90.0]


@given(trials, st.lists(st.integers(-1, 40), max_size=6))
@settings(deadline=None)
def test_at_times_against_finished_trials(history, times):
    truth, _, costs = zip(*history, strict=True)
    curve = best_so_far(truth)
    read = at_times(curve, costs, times)
    for time, value in zip(times, read, strict=True):
        finished = [i for i in range(len(costs)) if sum(costs[: i + 1]) <= time]
        if finished:
            assert value == max(truth[: finished[-1] + 1])
        else:
            assert math.isnan(value)


def test_worked_example_of_the_step_function():
    read = at_times([90.0, 93.0], [100.0, 50.0], [0, 99.9, 100, 149, 150, 1e9])
    np.testing.assert_array_equal(read, [np.nan, np.nan, 90, 90, 93, 93])


def test_band():
    band = anytime_band([[np.nan, 90.0, 92.0], [80.0, 94.0, 95.0]], [1.0, 2.0, 3.0])
    assert band.runs == 2
    np.testing.assert_allclose(band.mean, [np.nan, 92.0, 93.5])
    np.testing.assert_allclose(band.std, [np.nan, 4 / math.sqrt(2), 3 / math.sqrt(2)])
    single = anytime_band([[80.0, 94.0]], [1.0, 2.0])
    np.testing.assert_array_equal(single.mean, [80.0, 94.0])
    assert np.isnan(single.std).all()


def test_random_search_reaches_the_expected_maximum():
    # The mean of the best of n uniform draws is n / (n + 1): 500 runs of 9 draws, 1 s each.
    rng = np.random.default_rng(4)
    times = np.arange(1.0, 10.0)
    curves = [at_times(best_so_far(rng.random(9)), np.ones(9), times) for _ in range(500)]
    expected = times / (times + 1)
    np.testing.assert_allclose(anytime_band(curves, times).mean, expected, atol=0.04)


def test_errors():
    with pytest.raises(ValueError, match="lengths"):
        best_so_far([1.0], signal=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"signal\[0\]"):
        best_so_far([1.0], signal=[math.nan])
    with pytest.raises(ValueError, match=r"costs\[1\] is -1"):
        at_times([1.0, 2.0], [1.0, -1.0], [1.0])
    with pytest.raises(ValueError, match="each run needs a curve"):
        anytime_band([], [1.0])
    with pytest.raises(ValueError, match="each run needs a curve"):
        anytime_band([[1.0, 2.0]], [1.0])
    assert best_so_far([]).shape == (0,)
    assert np.isnan(at_times([], [], [1.0])).all()
