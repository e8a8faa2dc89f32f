"""Bins of equal width, decided on the decimal number as it is written, not on its binary form.

In binary floating point 0.29 / 0.01 is 28.999..., so a float floor puts 0.28 and 0.29 into one
bin of width 0.01. Here a value stands for its shortest decimal text (what Python prints; for a
float32 array the shortest text of a float32), and the division is done in exact fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics._arrays import Integers, vector


def _fractions(name: str, values: ArrayLike) -> list[Fraction]:
    array = np.asarray(values)
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    checked = vector(name, array)
    infinite = np.flatnonzero(np.isinf(checked))
    if len(infinite):
        raise ValueError(f"{name}[{infinite[0]}] is infinite and cannot be rounded")
    return [Fraction(np.format_float_scientific(v, unique=True)) for v in array]


def _width(threshold: float) -> Fraction:
    if not (math.isfinite(threshold) and threshold > 0):
        raise ValueError(f"threshold must be a positive number, but is {threshold!r}")
    return Fraction(repr(float(threshold)))


def nearest_bins(values: ArrayLike, threshold: float, name: str = "values") -> list[int]:
    """Return for each value the nearest multiple of `threshold`, as the multiplier.

    Halfway cases go to the even multiplier (as IEEE 754 and `numpy.round`): it favours neither
    side and treats x and -x alike. With 0.1: 91.25 -> 912, 91.35 -> 914.

    Args:
        values: shape (n,), finite.
        threshold: width of a bin, in the unit of `values`, > 0.
        name: what error messages call the values.

    Raises:
        ValueError: NaN or infinite entry (named by its index), or a threshold not above 0.
    """
    width = _width(threshold)
    return [round(value / width) for value in _fractions(name, values)]


def floor_bins(values: ArrayLike, threshold: float, name: str = "values") -> list[int]:
    """Return floor(value / threshold) for each value, exact in decimals.

    Args:
        values: shape (n,), finite.
        threshold: width of a bin, in the unit of `values`, > 0.
        name: what error messages call the values.

    Raises:
        ValueError: NaN or infinite entry (named by its index), or a threshold not above 0.
    """
    width = _width(threshold)
    return [value // width for value in _fractions(name, values)]


def dense_ranks(bins: list[int]) -> Integers:
    """Return 0 for the smallest bin, 1 for the next occupied one, and so on; shape (n,)."""
    rank = {value: position for position, value in enumerate(sorted(set(bins)))}
    return np.array([rank[value] for value in bins], dtype=np.int64)
