"""Checked conversion of the numbers every metric takes. Nothing is dropped in silence."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def refuse_nan(name: str, values: Floats) -> None:
    """Raise for the first entry that is not a number.

    Raises:
        ValueError: names the argument and the index, `score[1, 7]` for row 1, column 7.
    """
    bad = np.argwhere(np.isnan(values))
    if len(bad):
        index = ", ".join(str(i) for i in bad[0])
        raise ValueError(f"{name}[{index}] is not a number (NaN); leave it out or measure it")


def vector(name: str, values: ArrayLike) -> Floats:
    """Return `values` as a float64 array of shape (n,); infinities are allowed.

    Raises:
        ValueError: not one-dimensional, or an entry is NaN or None.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), but has shape {array.shape}")
    refuse_nan(name, array)
    return array


def seed_mean(name: str, values: ArrayLike) -> Floats:
    """Return scores of shape (n,), the mean over seeds where (seeds, n) is given.

    The sum over seeds is exactly rounded (`math.fsum`), so two architectures with the same
    scores in another order of seeds stay exactly tied.

    Raises:
        ValueError: neither (n,) nor (seeds, n) with at least one seed, or an entry is NaN.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1:
        return vector(name, array)
    if array.ndim != 2 or array.shape[0] == 0:
        raise ValueError(f"{name} must have shape (n,) or (seeds, n), but has shape {array.shape}")
    refuse_nan(name, array)
    seeds = array.shape[0]
    return np.array([math.fsum(column) / seeds for column in array.T], dtype=np.float64)


def same_length(**arrays: NDArray[np.generic]) -> int:
    """Return the common length of named one-dimensional arrays.

    Raises:
        ValueError: the lengths differ.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"one value per architecture is needed, but the lengths are {lengths}")
    return next(iter(lengths.values()))


def oriented(values: Floats, higher_is_better: bool) -> Floats:
    """Return `values` with the sign that makes larger better."""
    return values if higher_is_better else -values


def best_first(values: Floats, higher_is_better: bool) -> NDArray[np.intp]:
    """Return the indices from best to worst; equal values keep their order in the input."""
    return np.argsort(-oriented(values, higher_is_better), kind="stable")


def whole_number(name: str, value: int, low: int, high: int | None = None) -> int:
    """Return `value` as an int of the closed range low..high.

    Raises:
        ValueError: not a whole number (a bool or float is not), or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be a whole number, but is {value!r}")
    if value < low or (high is not None and value > high):
        limit = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name} must be {limit}, but is {value}")
    return int(value)
