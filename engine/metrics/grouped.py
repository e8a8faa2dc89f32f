"""Rank correlation within groups of architectures (000 §5.3.4, Table 5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics._arrays import same_length, vector
from engine.metrics.disorder import disorder
from engine.metrics.rank_correlation import kendall_tau


@dataclass(frozen=True)
class GroupTau:
    """The architectures of one group.

    Attributes:
        group: what they have in common.
        n: how many there are.
        kendall_tau: tau-b of ground truth and score within the group; None where undefined.
        truth, score: mean ground truth and mean score.
        true_rank, rank: mean rank among *all* architectures, by ground truth and by score; 1 is
            the best. Where they differ, the scores favour or disfavour the whole group.
    """

    group: int
    n: int
    kendall_tau: float | None
    truth: float
    score: float
    true_rank: float
    rank: float


def tau_by_group(groups: Sequence[int], truth: ArrayLike, score: ArrayLike) -> list[GroupTau]:
    """Correlate truth and score within each group, in ascending order of the groups.

    Args:
        groups: n group numbers.
        truth, score: shape (n,), larger is better.

    Raises:
        ValueError: NaN, wrong shape or unequal lengths.
    """
    values, scores = vector("truth", truth), vector("score", score)
    numbers = np.asarray(groups, dtype=np.int64)
    same_length(groups=numbers, truth=values, score=scores)
    order = disorder(values, scores)
    found = []
    for group in np.unique(numbers):
        own = numbers == group
        found.append(
            GroupTau(
                group=int(group),
                n=int(own.sum()),
                kendall_tau=kendall_tau(values[own], scores[own]),
                truth=float(values[own].mean()),
                score=float(scores[own].mean()),
                true_rank=float(order.truth_rank[own].mean()),
                rank=float(order.score_rank[own].mean()),
            )
        )
    return found
