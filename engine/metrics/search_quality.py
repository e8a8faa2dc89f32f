"""What a search that trusts the super-net's scores would end with.

Shared conventions: `truth` of shape (n,) is the ground truth, `score` of shape (n,) or (seeds, n)
the super-net's (averaged over seeds). Among equal values the one that comes first in the input is
taken first. `higher_is_better` flags are False for what is minimised. Empty input gives None.
NaN (named by its index), unequal lengths and counts out of range raise ValueError.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics._arrays import (
    best_first,
    oriented,
    same_length,
    seed_mean,
    vector,
    whole_number,
)


def super_net_accuracy(score: ArrayLike) -> float | None:
    """Return the mean score of the sampled architectures (000 section 6.3.4), unit of `score`."""
    mean = seed_mean("score", score)
    return float(mean.mean()) if len(mean) else None


def selected(
    score: ArrayLike, k: int = 3, *, score_higher_is_better: bool = True
) -> NDArray[np.intp]:
    """Return the indices of the k best scores, best first (all when there are fewer than k)."""
    mean = seed_mean("score", score)
    return best_first(mean, score_higher_is_better)[: whole_number("k", k, 1)]


def final_performance(
    truth: ArrayLike, score: ArrayLike, k: int = 3, *, score_higher_is_better: bool = True
) -> float | None:
    """Return the mean ground truth of the k architectures of best score.

    000 section 6.3.4 (stand-alone accuracy; k = 3 of 200 sampled). With fewer than k
    architectures it is the mean of all. Unit of `truth`.
    """
    checked = vector("truth", truth)
    chosen = selected(score, k, score_higher_is_better=score_higher_is_better)
    same_length(truth=checked, score=seed_mean("score", score))
    return float(checked[chosen].mean()) if len(chosen) else None


def rank_of(value: float, all_values: ArrayLike, *, higher_is_better: bool = True) -> int:
    """Return the rank of a ground truth among all: 1 + the number of strictly better ones.

    Rank 1 is the best; equal values share the best rank of their group. A value worse than all
    (from a training of one's own, not from the table) gets the last rank, `len(all_values)`.

    Raises:
        ValueError: `all_values` is empty, or a NaN.
    """
    everything = oriented(vector("all_values", all_values), higher_is_better)
    if not len(everything):
        raise ValueError("all_values is empty: there is nothing to rank among")
    own = oriented(vector("value", [value]), higher_is_better)[0]
    return min(1 + int(np.count_nonzero(everything > own)), len(everything))


def best_rank(
    found: ArrayLike, all_values: ArrayLike, *, higher_is_better: bool = True
) -> int | None:
    """Return the best `rank_of` among the ground truths of the architectures found."""
    values = oriented(vector("found", found), higher_is_better)
    if not len(values):
        return None
    best = values.max() if higher_is_better else -values.max()
    return rank_of(float(best), all_values, higher_is_better=higher_is_better)


def regret(
    found: ArrayLike, all_values: ArrayLike, *, higher_is_better: bool = True
) -> float | None:
    """Return how far the best architecture found is from the best there is; 0 is best.

    Simple regret, optimum - best found (sign turned when lower is better), unit of the truth. It
    is negative only where `found` has a value better than all of `all_values`.

    Raises:
        ValueError: `all_values` is empty, or a NaN.
    """
    everything = oriented(vector("all_values", all_values), higher_is_better)
    if not len(everything):
        raise ValueError("all_values is empty: there is no optimum")
    values = oriented(vector("found", found), higher_is_better)
    return float(everything.max() - values.max()) if len(values) else None


def top_k_overlap(
    truth: ArrayLike,
    score: ArrayLike,
    k: int,
    *,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> float | None:
    """Return |k best by truth and k best by score in common| / k, in [0, 1].

    Both lists have exactly k entries, ties by order of the input. None when n < k.
    """
    checked, mean = vector("truth", truth), seed_mean("score", score)
    n = same_length(truth=checked, score=mean)
    if n < whole_number("k", k, 1):
        return None
    by_truth = best_first(checked, truth_higher_is_better)[:k]
    by_score = best_first(mean, score_higher_is_better)[:k]
    return len(np.intersect1d(by_truth, by_score)) / k


def precision_at_k(
    truth: ArrayLike,
    score: ArrayLike,
    k: int,
    good: int,
    *,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> float | None:
    """Return the share of the k best by score that are among the `good` best by truth.

    Unlike `top_k_overlap` the two counts differ, and an architecture that ties with the last of
    the good ones is good too. It sees the top of the ranking, which a correlation over all may
    miss (000 sections 6.3.3 and 6.3.4). None when n < k.

    Args:
        k: how many of the best scores are looked at, >= 1.
        good: how many of the best ground truths count as good, >= 1.
    """
    checked, mean = vector("truth", truth), seed_mean("score", score)
    n = same_length(truth=checked, score=mean)
    good = whole_number("good", good, 1)
    if n < whole_number("k", k, 1):
        return None
    values = oriented(checked, truth_higher_is_better)
    limit = np.sort(values)[::-1][min(good, n) - 1]
    by_score = best_first(mean, score_higher_is_better)[:k]
    return float(np.count_nonzero(values[by_score] >= limit) / k)
