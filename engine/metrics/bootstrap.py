"""A correlation with its bootstrap percentile interval over architectures.

The interval says how much the number would move with another sample of architectures from the
same space, super-nets and ground truth held fixed; it does not cover the noise of training. The
n architectures are drawn with replacement, the correlation is computed anew, and the 2.5 % and
97.5 % quantiles of the resampled values are the ends (Efron 1979, percentile method).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from engine.metrics._arrays import Floats, Integers, whole_number
from engine.metrics.rank_correlation import RankPair, correlate, rank_pair

CONFIDENCE = 0.95
MAX_UNDEFINED = 0.05  # share of resamples in which a side may be constant
PAIRWISE_LIMIT = 1000  # architectures; above it n x n matrices cost more than sorting does
BLOCK = 2_000_000  # numbers per block of resamples, to bound memory


@dataclass(frozen=True)
class Correlation:
    """A correlation, the number of architectures, and the ends of its 95 % interval.

    `value` is None where the correlation is undefined. `low` and `high` are None where `value`
    is, and where more than 5 % of the resamples are undefined (very few or mostly tied values).
    """

    value: float | None
    n: int
    low: float | None
    high: float | None


def _blocks(resamples: int, n: int, generator: np.random.Generator) -> Iterator[Integers]:
    """Draw block after block; all at once, a whole space would take gigabytes."""
    rows = max(1, BLOCK // n)
    for start in range(0, resamples, rows):
        yield generator.integers(0, n, (min(rows, resamples - start), n))


def _tau_by_weights(pair: RankPair, draws: Integers) -> Floats:
    """Return tau-b of each resample; draws (r, n) -> (r,), NaN where undefined.

    With w_i the times architecture i was drawn and s_ij the sign of x_i - x_j, the sum over pairs
    of a resample is w' (s_x * s_y) w / 2; w' |s_x| w / 2 counts the pairs not tied in x.
    """
    resamples, n = draws.shape
    flat = draws + n * np.arange(resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=resamples * n).reshape(resamples, n)
    weights = counts.astype(np.float64)
    sign_x, sign_y = (np.sign(side[:, None] - side[None, :]) for side in pair)

    def quadratic(matrix: Integers) -> Floats:
        products: Floats = weights @ matrix.astype(np.float64)
        return np.asarray(np.einsum("ri,ri->r", products, weights), dtype=np.float64)

    untied = quadratic(np.abs(sign_x)) * quadratic(np.abs(sign_y))
    with np.errstate(invalid="ignore"):
        return np.asarray(quadratic(sign_x * sign_y) / np.sqrt(untied), dtype=np.float64)


def _tau_by_sorting(pair: RankPair, draws: Integers) -> Floats:
    return _each(lambda rows: RankPair(pair.truth[rows], pair.score[rows]), draws)


def _published(pair: RankPair, draws: Integers) -> Floats:
    """Return the published form of each resample: bins sorted against bins in score order."""

    def resampled(rows: Integers) -> RankPair:
        by_score = pair.score[np.sort(rows)]
        return RankPair(np.sort(by_score), by_score)

    return _each(resampled, draws)


def _each(resampled: Callable[[Integers], RankPair], draws: Integers) -> Floats:
    values = (correlate("kendall_tau", resampled(rows)) for rows in draws)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _spearman(pair: RankPair, draws: Integers) -> Floats:
    x, y = (stats.rankdata(side[draws], axis=1) for side in pair)
    x -= x.mean(axis=1, keepdims=True)
    y -= y.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        values = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    return np.asarray(values, dtype=np.float64)


def _method(name: str, n: int) -> Callable[[RankPair, Integers], Floats]:
    if name.endswith("spearman"):
        return _spearman
    if name.endswith("published"):
        return _published
    return _tau_by_weights if n <= PAIRWISE_LIMIT else _tau_by_sorting


def resampled_values(name: str, pair: RankPair, resamples: int, seed: int) -> Floats:
    """Return the correlation of each bootstrap resample, shape (resamples,), NaN = undefined.

    Args:
        name: one of `rank_correlation.CORRELATIONS`.
        pair: what `rank_pair` returned for that name; at least one architecture.
        resamples: number of resamples, >= 1.
        seed: of the numpy generator; equal seeds give equal values.
    """
    generator = np.random.default_rng(seed)
    blocks = _blocks(resamples, len(pair.truth), generator)
    method = _method(name, len(pair.truth))
    values = np.concatenate([method(pair, draws) for draws in blocks])
    return np.asarray(np.clip(values, -1.0, 1.0), dtype=np.float64)


def correlation_with_interval(
    name: str,
    truth: ArrayLike,
    score: ArrayLike,
    *,
    threshold: float = 0.1,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
    resamples: int = 1000,
    seed: int = 0,
) -> Correlation:
    """Return a correlation by name with n and a 95 % bootstrap percentile interval.

    Args:
        name: one of `rank_correlation.CORRELATIONS`.
        truth, score, threshold and directions: see `rank_correlation`.
        resamples: bootstrap resamples, >= 1; 1000 suffices for two digits.
        seed: of the resampling.

    Raises:
        ValueError: unknown name, NaN, unequal lengths, wrong shape or threshold, resamples < 1.
    """
    whole_number("resamples", resamples, 1)
    pair = rank_pair(
        name,
        truth,
        score,
        threshold=threshold,
        truth_higher_is_better=truth_higher_is_better,
        score_higher_is_better=score_higher_is_better,
    )
    n = len(pair.truth)
    value = correlate(name, pair)
    if value is None:
        return Correlation(None, n, None, None)
    values = resampled_values(name, pair, resamples, seed)
    undefined = np.isnan(values)
    if undefined.mean() > MAX_UNDEFINED:
        return Correlation(value, n, None, None)
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(values[~undefined], [tail, 1.0 - tail])
    return Correlation(value, n, float(low), float(high))
