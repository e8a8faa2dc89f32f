"""Pareto fronts against the definition, volumes against inclusion-exclusion and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import hypervolume, non_dominated


def clouds(max_points):
    return st.integers(1, 4).flatmap(
        lambda d: st.lists(st.tuples(*[st.integers(0, 6)] * d), min_size=1, max_size=max_points)
    )


def by_inclusion_exclusion(points, reference):
    """Volume of a union of boxes [point, reference] from those of all intersections."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for group in itertools.combinations(points, size):
            corner = [max(column) for column in zip(*group, strict=True)]
            sides = [max(0.0, r - c) for c, r in zip(corner, reference, strict=True)]
            total -= (-1) ** size * math.prod(sides)
    return total


@given(clouds(15))
@settings(deadline=None)
def test_front_against_the_definition(points):
    def beats(p, q):
        return all(a <= b for a, b in zip(p, q, strict=True)) and p != q

    expected = [not any(beats(p, q) for p in points) for q in points]
    assert non_dominated(points).tolist() == expected


@given(clouds(8), st.integers(1, 7))
@settings(deadline=None)
def test_volume_against_inclusion_exclusion(points, bound):
    reference = [bound] * len(points[0])
    expected = by_inclusion_exclusion(points, reference)
    assert hypervolume(points, reference) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("dimensions", [2, 3, 4])
def test_volume_against_simulation(dimensions):
    rng = np.random.default_rng(dimensions)
    points = rng.random((25, dimensions))
    draws = rng.random((200_000, dimensions))
    hit = np.zeros(len(draws), dtype=bool)
    for point in points:
        hit |= np.all(draws >= point, axis=1)
    assert hypervolume(points, np.ones(dimensions)) == pytest.approx(hit.mean(), abs=0.005)


def test_worked_staircase():
    # Columns of width 1 at x = 1, 2, 3 with heights 1, 2, 3 below the ceiling of 4.
    assert hypervolume([(1, 3), (2, 2), (3, 1)], (4, 4)) == 6.0
    # Two boxes of 1 x 2 x 2 and 2 x 1 x 2 that share 1 x 1 x 2.
    assert hypervolume([(1, 0, 0), (0, 1, 0)], (2, 2, 2)) == 4.0 + 4.0 - 2.0


def test_accuracy_up_and_latency_down():
    points = [(94.0, 10.0), (92.0, 4.0), (91.0, 5.0), (94.0, 10.0)]
    up = (True, False)
    assert non_dominated(points, up).tolist() == [True, True, False, True]
    # Reference 90 %, 12 ms: (94 - 90) * (12 - 10) + (92 - 90) * (10 - 4).
    assert hypervolume(points, (90.0, 12.0), up) == pytest.approx(4 * 2 + 2 * 6)


@given(clouds(8))
@settings(deadline=None)
def test_order_copies_and_dominated_points_do_not_matter(points):
    reference = [5] * len(points[0])
    volume = hypervolume(points, reference)
    more = [*reversed(points), points[0], tuple(c + 1 for c in points[0])]
    assert hypervolume(more, reference) == pytest.approx(volume)


@given(clouds(8), st.integers(0, 7))
@settings(deadline=None)
def test_one_more_point_never_loses_volume(points, index):
    reference = [6] * len(points[0])
    fewer = [p for i, p in enumerate(points) if i != index]
    assert hypervolume(points, reference) >= hypervolume(fewer, reference) - 1e-9


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_one_point_wins_its_box_and_outsiders_nothing(dimensions):
    assert hypervolume([[1.0] * dimensions], [3.0] * dimensions) == 2.0**dimensions
    outside = [[1.0] * (dimensions - 1) + [3.0], [4.0] * dimensions]
    assert hypervolume(outside, [3.0] * dimensions) == 0.0


def test_no_points():
    assert hypervolume([], (1.0, 1.0)) == 0.0
    assert non_dominated([]).shape == (0,)


def test_a_front_of_200_in_three_dimensions_is_quick_and_right():
    rng = np.random.default_rng(1)
    points = np.abs(rng.standard_normal((200, 3)))
    points = 1 - points / np.linalg.norm(points, axis=1, keepdims=True)  # on a sphere: a front
    assert non_dominated(points).all()
    draws = rng.random((20_000, 3))
    hit = np.zeros(len(draws), dtype=bool)
    for point in points:
        hit |= np.all(draws >= point, axis=1)
    assert hypervolume(points, (1.0, 1.0, 1.0)) == pytest.approx(hit.mean(), abs=0.012)


def test_errors():
    with pytest.raises(ValueError, match=r"points\[0, 1\] is inf"):
        non_dominated([(1.0, math.inf)])
    with pytest.raises(ValueError, match=r"points\[1, 0\] is nan"):
        hypervolume([(1.0, 1.0), (math.nan, 1.0)], (2.0, 2.0))
    with pytest.raises(ValueError, match="shape"):
        non_dominated([1.0, 2.0])
    with pytest.raises(ValueError, match="3 directions were given for 2"):
        non_dominated([(1.0, 2.0)], (True, True, False))
    for reference in ((1.0,), (1.0, math.inf), (1.0, math.nan)):
        with pytest.raises(ValueError, match="reference must be 2 finite"):
            hypervolume([(0.0, 0.0)], reference)
