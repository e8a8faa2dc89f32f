"""Pareto fronts: the architectures no other one beats on all counts, and the volume they win.

Points have shape (n, d), one row per architecture, one column per objective (accuracy, latency,
parameters); `higher_is_better` has one flag per column, all minimised when it is left out.
NaN, infinite values and wrong shapes raise ValueError.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics._arrays import Floats


def _minimised(
    points: ArrayLike, higher_is_better: Sequence[bool] | None
) -> tuple[Floats, Floats]:
    """Return the points with every column minimised, and the signs (d,) that made it so."""
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"points must have shape (n, objectives), but have {array.shape}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        row, column = bad[0]
        raise ValueError(f"points[{row}, {column}] is {array[row, column]}, not a finite number")
    flags = [False] * array.shape[1] if higher_is_better is None else list(higher_is_better)
    if len(flags) != array.shape[1]:
        raise ValueError(f"{len(flags)} directions were given for {array.shape[1]} objectives")
    signs = np.where(flags, -1.0, 1.0)
    return array * signs, signs


def _front(points: Floats) -> NDArray[np.bool_]:
    """Return which rows are dominated by none; a dominating row precedes in sorted order."""
    keep = np.zeros(len(points), dtype=np.bool_)
    front = np.empty_like(points)
    size = 0
    for row in np.lexsort(points.T[::-1]):
        point, others = points[row], front[:size]
        if not np.any(np.all(others <= point, axis=1) & np.any(others < point, axis=1)):
            keep[row] = True
            front[size] = point
            size += 1
    return keep


def non_dominated(
    points: ArrayLike, higher_is_better: Sequence[bool] | None = None
) -> NDArray[np.bool_]:
    """Return which points belong to the Pareto front; shape (n,).

    A point is dominated if another is at least as good in every objective and better in one;
    equal points do not dominate each other, so all copies stay.

    Args:
        points: shape (n, d), finite, d >= 1.
        higher_is_better: d flags; None means that every objective is minimised.
    """
    if len(np.asarray(points)) == 0:
        return np.zeros(0, dtype=np.bool_)
    return _front(_minimised(points, higher_is_better)[0])


def _area(points: Floats, reference: Floats) -> float:
    """Sweep along a front (n, 2) by its first objective; the second falls all the way."""
    total, ceiling = 0.0, float(reference[1])
    for x, y in points[np.lexsort(points.T[::-1])]:
        total += (float(reference[0]) - float(x)) * (ceiling - float(y))
        ceiling = float(y)
    return total


def _volume(points: Floats, reference: Floats) -> float:
    """Cut a front along the last objective and add up slices, each one dimension lower."""
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    if points.shape[1] == 2:
        return _area(points, reference)
    points = points[np.argsort(points[:, -1], kind="stable")]
    tops = np.append(points[1:, -1], reference[-1])
    total = 0.0
    below = points[:0, :-1]
    for point, top in zip(points, tops, strict=True):
        below = np.concatenate([below, point[None, :-1]])
        below = below[_front(below)]
        if top > point[-1]:
            total += float(top - point[-1]) * _volume(below, reference[:-1])
    return total


def hypervolume(
    points: ArrayLike,
    reference: ArrayLike,
    higher_is_better: Sequence[bool] | None = None,
) -> float:
    """Return the exact volume that the points dominate, bounded by the reference; more is better.

    Zitzler and Thiele 1998. Two objectives by a sweep, O(n log n); more by slicing along one
    objective after another, exact but exponential in d: meant for fronts of a few hundred points
    with up to four objectives.

    Args:
        points: shape (n, d), finite, d >= 1; dominated points may be among them. A point that is
            not better than the reference in every objective wins no volume.
        reference: shape (d,), a worst acceptable value per objective, in the same directions.
        higher_is_better: d flags; None means that every objective is minimised.

    Returns:
        Product of the objectives' units, >= 0; 0.0 without points.
    """
    bound = np.asarray(reference, dtype=np.float64)
    if len(np.asarray(points)) == 0:
        points = np.empty((0, bound.size))
    values, signs = _minimised(points, higher_is_better)
    if bound.shape != signs.shape or not np.all(np.isfinite(bound)):
        raise ValueError(f"reference must be {len(signs)} finite numbers, but is {reference!r}")
    bound = bound * signs
    inside = values[np.all(values < bound, axis=1)]
    return _volume(inside[_front(inside)], bound)
