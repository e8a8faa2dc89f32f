"""Where in the ranking the disorder is: how far each architecture is from its true place.

000 figures 5.5 (absolute position change), 5.7 (rank changes during training) and 6.4 (bipartite
graph of the two rankings). Ranks are positions 1..n, 1 = best, each used once, so that they can
be drawn as two columns of points. Architectures tied on one side are ordered by the other side
(a tie is no disorder); tied on both, they keep the order of the input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics._arrays import (
    Floats,
    Integers,
    oriented,
    same_length,
    seed_mean,
    vector,
)


@dataclass(frozen=True, eq=False)
class Disorder:
    """Two rankings of the same n architectures; arrays of shape (n,) in the order of the input.

    Attributes:
        truth_rank: position by ground truth, 1 = best.
        score_rank: position by super-net score, 1 = best.
    """

    truth_rank: Integers
    score_rank: Integers

    @property
    def displacement(self) -> Integers:
        """score_rank - truth_rank, shape (n,): positive where the super-net ranks too low."""
        return self.score_rank - self.truth_rank

    @property
    def mean_absolute(self) -> float | None:
        """Mean of |displacement| in ranks, 0 = no disorder; None without architectures."""
        return float(np.abs(self.displacement).mean()) if len(self.truth_rank) else None


def _positions(first: Floats, second: Floats) -> Integers:
    """Return positions 1..n by `first`, then `second`, then order; larger is better."""
    order = np.lexsort((np.arange(len(first)), -second, -first))
    positions = np.empty(len(first), dtype=np.int64)
    positions[order] = np.arange(1, len(first) + 1)
    return positions


def disorder(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> Disorder:
    """Rank architectures by truth and by score.

    Args:
        truth: shape (n,).
        score: shape (n,) or (seeds, n), averaged over seeds.

    Raises:
        ValueError: NaN (named by its index), wrong shape or unequal lengths.
    """
    by_truth = oriented(vector("truth", truth), truth_higher_is_better)
    by_score = oriented(seed_mean("score", score), score_higher_is_better)
    same_length(truth=by_truth, score=by_score)
    return Disorder(_positions(by_truth, by_score), _positions(by_score, by_truth))


def rank_change(before: ArrayLike, after: ArrayLike, *, higher_is_better: bool = True) -> Integers:
    """Return how many places each architecture rose between two epochs; shape (n,).

    Args:
        before: scores of the same n architectures at the earlier epoch, (n,) or (seeds, n).
        after: at the later one.

    Returns:
        rank before - rank after: positive = moved towards the best. Sums to 0.

    Raises:
        ValueError: NaN (named by its index), wrong shape or unequal lengths.
    """
    early = oriented(seed_mean("before", before), higher_is_better)
    late = oriented(seed_mean("after", after), higher_is_better)
    same_length(before=early, after=late)
    return _positions(early, late) - _positions(late, early)
