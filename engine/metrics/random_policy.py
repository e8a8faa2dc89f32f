"""What the random policy ends with: architectures drawn uniformly and trained, nothing else.

000 sections 5.1 and 5.2.3 hold every search against it. Its result is known exactly once the
ground truth of a population is known, so that no draw has to be made: draws are uniform and with
replacement, as in `surpass_random`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics._arrays import Floats, oriented, vector, whole_number


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of a random result, in the unit of its values."""

    mean: float
    std: float


def best_of_draws(values: ArrayLike, draws: int, *, higher_is_better: bool = True) -> Moments:
    """Return the moments of the best of some uniform draws from a finite population.

    With the N values in ascending order of quality, the best of n draws is the i-th or worse with
    probability (i / N)^n; so it is the i-th with weight (i / N)^n - ((i - 1) / N)^n.

    Args:
        values: shape (N,), ground truths of the population.
        draws: n, at least 1; with 1 it is the mean and spread of a single draw (ddof = 0).
        higher_is_better: False for what is minimised.

    Raises:
        ValueError: no values, NaN, or `draws` below 1.
    """
    ascending = np.sort(oriented(vector("values", values), higher_is_better))
    if not len(ascending):
        raise ValueError("values is empty: there is nothing to draw from")
    shares = np.arange(len(ascending) + 1) / len(ascending)
    best = _moments(ascending, np.diff(shares ** whole_number("draws", draws, 1)))
    return best if higher_is_better else Moments(-best.mean, best.std)


def best_rank_of_draws(total: int, draws: int) -> Moments:
    """Return the moments of the best rank among some uniform draws from `total` architectures.

    Ranks are 1 (best) to `total`, each once. With one draw the mean is (total + 1) / 2.

    Raises:
        ValueError: an argument is below 1.
    """
    ranks = np.arange(1, whole_number("total", total, 1) + 1)
    return best_of_draws(ranks, draws, higher_is_better=False)


def budget_blocks(values: ArrayLike, size: int) -> Floats:
    """Cut draws in their order into blocks of `size`, each one repetition of the random policy.

    Args:
        values: shape (n,), ground truths in the order in which the architectures were drawn.
        size: architectures that one repetition may train, at least 1.

    Returns:
        Shape (n // size, size); what is left over at the end is dropped.
    """
    checked, size = vector("values", values), whole_number("size", size, 1)
    count = len(checked) // size
    return checked[: count * size].reshape(count, size)


def _moments(values: Floats, weights: Floats) -> Moments:
    mean = float(weights @ values)
    return Moments(mean, float(np.sqrt(weights @ (values - mean) ** 2)))
