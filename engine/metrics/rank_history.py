"""How the ranking of a fixed sample moves while the super-net trains (000 §5.3.5, figure 5.7).

The thesis draws the rank of every architecture over the epochs. The numbers here sum the figure
up: how far the ranks move from one evaluation to the next, how alike the two orders are, and how
far each is from the last one, which is the one that a search uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics._arrays import Floats, Integers, oriented, refuse_nan, vector
from engine.metrics.disorder import disorder, rank_change
from engine.metrics.rank_correlation import kendall_tau


@dataclass(frozen=True, eq=False)
class RankHistory:
    """Rankings of the same n architectures at e evaluations.

    Attributes:
        truth_rank: shape (n,), position by ground truth, 1 = best; ties are ordered by the last
            evaluation.
        ranks: shape (e, n), position by score; ties are ordered by the ground truth.
        changes: shape (e - 1, n), places risen since the evaluation before, see `rank_change`.
        disorder: per evaluation the mean of |rank - truth rank|, in ranks.
        mean_change: per evaluation the mean of |change| since the one before; the first is None.
        tau_before: Kendall tau-b of the scores with those of the evaluation before; the first,
            and where all scores are equal: None.
        tau_last: Kendall tau-b of the scores with those of the last evaluation.
    """

    truth_rank: Integers
    ranks: Integers
    changes: Integers
    disorder: tuple[float, ...]
    mean_change: tuple[float | None, ...]
    tau_before: tuple[float | None, ...]
    tau_last: tuple[float | None, ...]


def rank_history(
    truth: ArrayLike, scores: ArrayLike, *, higher_is_better: bool = True
) -> RankHistory:
    """Follow a sample's ranks over several evaluations.

    Args:
        truth: shape (n,), ground truth; larger is better.
        scores: shape (e, n), one row per evaluation, e and n at least 1.
        higher_is_better: direction of the scores.

    Raises:
        ValueError: NaN, no evaluation, or another number of scores than of truths.
    """
    values, table = vector("truth", truth), np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(values) or 0 in table.shape:
        raise ValueError(
            f"scores must have shape (evaluations, {len(values)}), but has shape {table.shape}"
        )
    refuse_nan("scores", table)
    rows: Floats = oriented(table, higher_is_better)
    orders = [disorder(values, row) for row in rows]
    pairs = list(zip(rows[:-1], rows[1:], strict=True))
    changes = [rank_change(before, after) for before, after in pairs]
    return RankHistory(
        truth_rank=orders[-1].truth_rank,
        ranks=np.array([order.score_rank for order in orders]),
        changes=np.array(changes, dtype=np.int64).reshape(len(pairs), len(values)),
        disorder=tuple(float(np.abs(order.displacement).mean()) for order in orders),
        mean_change=(None, *(float(np.abs(change).mean()) for change in changes)),
        tau_before=(None, *(kendall_tau(before, after) for before, after in pairs)),
        tau_last=tuple(kendall_tau(row, rows[-1]) for row in rows),
    )


def shuffled_change(n: int) -> float:
    """Return the mean |change| of n ranks between two orders that have nothing in common.

    For two independent uniform orders it is (n^2 - 1) / (3 n), in ranks; 0 for n = 0.
    """
    return (n * n - 1) / (3 * n) if n else 0.0
