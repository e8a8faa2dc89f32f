"""How well the order of super-net scores agrees with the order of stand-alone results.

Sources: 000 sections 5.2.5 (Kendall tau) and 6.3.3 (sparse Kendall tau), Table 6.3 (Spearman and
its sparse form); 002 section 5. Shared by all functions here:

- `truth`: shape (n,), the ground truth of n architectures in the unit of the task; for accuracy
  in percent the threshold of 0.1 is 0.1 percent points. Nothing guesses percent or fraction.
- `score`: shape (n,), or (seeds, n) for several super-nets, then averaged over seeds first.
- `truth_higher_is_better`, `score_higher_is_better`: False for what is minimised (perplexity,
  loss, error). Two agreeing minimised quantities give +1.
- The result lies in [-1, 1]; it is None where it is undefined: fewer than two architectures, or
  a side whose values (after rounding, where there is rounding) are all equal.
- ValueError: NaN (named by its index), unequal lengths, wrong shape, threshold not above 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from engine.metrics._arrays import Floats, Integers, oriented, same_length, seed_mean, vector
from engine.metrics.binning import dense_ranks, floor_bins, nearest_bins

CORRELATIONS = (
    "kendall_tau",
    "sparse_kendall_tau",
    "sparse_kendall_tau_published",
    "spearman",
    "sparse_spearman",
)


class RankPair(NamedTuple):
    """Two lists of integer ranks of shape (n,), larger = better, ready to be correlated."""

    truth: Integers
    score: Integers


def _order_ranks(values: Floats) -> Integers:
    return np.asarray(stats.rankdata(values, method="dense"), dtype=np.int64)


def _sides(
    truth: ArrayLike, score: ArrayLike, score_higher_is_better: bool
) -> tuple[Floats, Integers]:
    checked = vector("truth", truth)
    mean = seed_mean("score", score)
    same_length(truth=checked, score=mean)
    return checked, _order_ranks(oriented(mean, score_higher_is_better))


def rank_pair(
    name: str,
    truth: ArrayLike,
    score: ArrayLike,
    *,
    threshold: float = 0.1,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> RankPair:
    """Turn truth and score into the two lists of ranks that the named correlation compares.

    For `sparse_kendall_tau_published` the pair is (bins in ascending order, bins in the order of
    the scores), entry i of both belonging to position i, not to one architecture. For the other
    names entry i of both belongs to architecture i.

    Raises:
        ValueError: unknown name, or see the module.
    """
    if name not in CORRELATIONS:
        raise ValueError(f"there is no correlation {name!r}; known are {', '.join(CORRELATIONS)}")
    checked, score_ranks = _sides(truth, score, score_higher_is_better)
    if not name.startswith("sparse"):
        return RankPair(_order_ranks(oriented(checked, truth_higher_is_better)), score_ranks)
    # The values as given, not `checked`: a float32 has its own shortest decimal text.
    bins = (floor_bins if name.endswith("published") else nearest_bins)(truth, threshold, "truth")
    truth_ranks = dense_ranks(bins if truth_higher_is_better else [-b for b in bins])
    if name.endswith("published"):
        by_score = truth_ranks[np.argsort(score_ranks, kind="stable")]
        return RankPair(np.sort(truth_ranks), by_score)
    return RankPair(truth_ranks, score_ranks)


def correlate(name: str, pair: RankPair) -> float | None:
    """Return tau-b (Kendall names) or Spearman's rho of a pair made by `rank_pair`."""
    if any(len(side) < 2 or side.min() == side.max() for side in pair):
        return None
    if name.endswith("spearman"):
        value = float(stats.spearmanr(pair.truth, pair.score).statistic)
    else:
        value = float(stats.kendalltau(pair.truth, pair.score).statistic)
    return min(1.0, max(-1.0, value))


def kendall_tau(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> float | None:
    """Return Kendall's tau-b of truth and score (000 section 5.2.5).

    (P - Q) / sqrt((P + Q + T) (P + Q + S)): P concordant pairs, Q discordant, T tied in truth
    only, S tied in score only; pairs tied in both count nowhere.
    """
    pair = rank_pair(
        "kendall_tau",
        truth,
        score,
        truth_higher_is_better=truth_higher_is_better,
        score_higher_is_better=score_higher_is_better,
    )
    return correlate("kendall_tau", pair)


def spearman(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> float | None:
    """Return Spearman's rho: Pearson's correlation of the ranks, ties sharing their mean rank."""
    pair = rank_pair(
        "spearman",
        truth,
        score,
        truth_higher_is_better=truth_higher_is_better,
        score_higher_is_better=score_higher_is_better,
    )
    return correlate("spearman", pair)


def sparse_kendall_tau(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    threshold: float = 0.1,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> float | None:
    """Return tau-b(truth rounded to the threshold, score): the written definition of S-KdT.

    000 section 6.3.3: the truth is rounded to a precision of 0.1 % before ranking, so that
    differences which mean nothing do not count; scores are averaged over n = 3 super-nets and
    not rounded. Rounding is exact in decimals, half to even (`binning.nearest_bins`).
    """
    pair = rank_pair(
        "sparse_kendall_tau",
        truth,
        score,
        threshold=threshold,
        truth_higher_is_better=truth_higher_is_better,
        score_higher_is_better=score_higher_is_better,
    )
    return correlate("sparse_kendall_tau", pair)


def sparse_spearman(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    threshold: float = 0.1,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> float | None:
    """Return Spearman's rho of (truth rounded as in `sparse_kendall_tau`, score); Table 6.3."""
    pair = rank_pair(
        "sparse_spearman",
        truth,
        score,
        threshold=threshold,
        truth_higher_is_better=truth_higher_is_better,
        score_higher_is_better=score_higher_is_better,
    )
    return correlate("sparse_spearman", pair)


def sparse_kendall_tau_published(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    threshold: float = 0.1,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> float | None:
    """Return the number that the authors' public code calls sparse Kendall tau.

    Not the written definition; it is here so that published figures can be matched.

    1. Sort the architectures by truth, worst first. The rank starts at a constant and grows by
       one whenever floor(truth / threshold) is larger than that of the architecture before, so
       occupied bins are numbered without gaps. Floor, not rounding: with 0.1, 91.19 and 91.10
       share a bin, 91.20 and 91.19 do not.
    2. a = these ranks in the order of the truth (never decreasing).
       b = the same ranks in the order of the scores, worst score first.
    3. The result is tau-b(a, b), position by position.

    So the scores enter only through the order of b: their ties are not ties, and tied scores
    keep the order of the input (the result then depends on that order). It equals `kendall_tau`
    when no two truths share a bin and no two scores are tied; otherwise it can differ either way
    from tau-b(floor bins, score), since position i of a and b is not one architecture.

    Differs from that code on purpose: bins are exact in decimals (a float floor merges .28 and
    .29 at .01), the unit is not guessed from the mean of the list, and a threshold of 1 or more
    is taken as given. That code works in fractions of 1 with default thresholds of 1e-3 in the
    training run (0.1 percent points, as in the text), and 1e-2 in its table script: state the
    threshold when matching a figure.
    """
    pair = rank_pair(
        "sparse_kendall_tau_published",
        truth,
        score,
        threshold=threshold,
        truth_higher_is_better=truth_higher_is_better,
        score_higher_is_better=score_higher_is_better,
    )
    return correlate("sparse_kendall_tau_published", pair)
