"""All ranking and search metrics of one super-net in one call, under their catalogue names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics import search_quality
from engine.metrics._arrays import Floats, same_length, seed_mean, vector
from engine.metrics.bootstrap import Correlation, correlation_with_interval
from engine.metrics.catalogue import METRICS
from engine.metrics.disorder import disorder
from engine.metrics.rank_correlation import CORRELATIONS, correlate, rank_pair
from engine.metrics.surpass_random import surpass_random

SELECTED = 3  # architectures a search ends with (000 section 6.3.4)
TOP_K = 10
GOOD_SHARE = 10  # the best 1 / 10 of the sample is "good"

RANKING_METRICS = (
    *CORRELATIONS,
    "mean_absolute_displacement",
    "sample_size",
    "super_net_accuracy",
    "final_accuracy",
    "best_rank",
    "surpass_random",
    "regret",
    "precision_at_k",
    "top_k_overlap",
)


def _kept(n: int, is_landmark: Sequence[bool] | None) -> NDArray[np.bool_]:
    """Return the mask (n,) of the architectures that count."""
    if is_landmark is None:
        return np.ones(n, dtype=np.bool_)
    mask = np.asarray(is_landmark, dtype=np.bool_)
    if mask.shape != (n,):
        raise ValueError(f"is_landmark must have shape ({n},), but has shape {mask.shape}")
    return ~mask


def _sample(
    truth: ArrayLike, score: ArrayLike, is_landmark: Sequence[bool] | None
) -> tuple[NDArray[np.generic], Floats]:
    """Return checked truth (its own dtype, so that decimals stay as written) and mean score."""
    values = np.asarray(truth)
    checked, mean = vector("truth", truth), seed_mean("score", score)
    kept = _kept(same_length(truth=checked, score=mean), is_landmark)
    return (values if values.dtype.kind == "f" else checked)[kept], mean[kept]


def _order_metrics(
    truth: ArrayLike, score: Floats, threshold: float, truth_better: bool, score_better: bool
) -> dict[str, float | None]:
    """Return what depends on the two orders alone; the flags say whether higher is better."""
    directions = {"truth_higher_is_better": truth_better, "score_higher_is_better": score_better}
    result: dict[str, float | None] = {
        name: correlate(name, rank_pair(name, truth, score, threshold=threshold, **directions))
        for name in CORRELATIONS
    }
    good = max(1, math.ceil(len(score) / GOOD_SHARE))
    result["mean_absolute_displacement"] = disorder(truth, score, **directions).mean_absolute
    result["top_k_overlap"] = search_quality.top_k_overlap(truth, score, TOP_K, **directions)
    result["precision_at_k"] = search_quality.precision_at_k(
        truth, score, TOP_K, good, **directions
    )
    return result


def _search_metrics(
    found: Floats, population: ArrayLike | None, higher_is_better: bool
) -> dict[str, float | None]:
    """Return what is known of the ground truths of the selected architectures, shape (k,)."""
    result: dict[str, float | None] = {"best_rank": None, "surpass_random": None, "regret": None}
    if population is None or not len(found):
        return result
    rank = search_quality.best_rank(found, population, higher_is_better=higher_is_better)
    if rank is not None:
        result["best_rank"] = float(rank)
        result["surpass_random"] = surpass_random(rank, len(np.asarray(population)), len(found))
    result["regret"] = search_quality.regret(found, population, higher_is_better=higher_is_better)
    return result


def ranking_metrics(
    truth: ArrayLike | None,
    score: ArrayLike,
    threshold: float = 0.1,
    population: ArrayLike | None = None,
    *,
    is_landmark: Sequence[bool] | None = None,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
) -> dict[str, float | None]:
    """Return every metric of `RANKING_METRICS` by name; None where it is undefined.

    Args:
        truth: shape (n,), ground truth of the sampled architectures; None where there is none
            (then only `sample_size` and `super_net_accuracy` are given).
        score: shape (n,) or (seeds, n), what the super-net(s) say of the same architectures.
        threshold: width of the bins of the sparse forms, in the unit of `truth`: 0.1 for percent,
            0.001 for fractions of 1.
        population: shape (r_max,), ground truth of every architecture of the space (or table).
            `best_rank`, `surpass_random` and `regret` need it and are None without: a rank in
            the sample is another number than a rank in the space.
        is_landmark: n flags; flagged architectures are left out of everything, since the
            super-net was told their order (002 section 5).
        truth_higher_is_better: False for a minimised truth (perplexity, loss).
        score_higher_is_better: False for a minimised score.

    Raises:
        ValueError: NaN (named by its index), unequal lengths, wrong shapes, threshold not above
            0, empty population.
    """
    result: dict[str, float | None] = dict.fromkeys(RANKING_METRICS)
    if truth is None:
        mean = seed_mean("score", score)
        mean = mean[_kept(len(mean), is_landmark)]
        result["sample_size"] = float(len(mean))
        result["super_net_accuracy"] = search_quality.super_net_accuracy(mean)
        return result
    values, mean = _sample(truth, score, is_landmark)
    truth_better, score_better = truth_higher_is_better, score_higher_is_better
    result |= _order_metrics(values, mean, threshold, truth_better, score_better)
    chosen = search_quality.selected(mean, SELECTED, score_higher_is_better=score_better)
    found = np.asarray(values[chosen], dtype=np.float64)
    result |= _search_metrics(found, population, truth_better)
    result["sample_size"] = float(len(mean))
    result["super_net_accuracy"] = search_quality.super_net_accuracy(mean)
    result["final_accuracy"] = float(found.mean()) if len(found) else None
    return result


def ranking_correlations(
    truth: ArrayLike,
    score: ArrayLike,
    threshold: float = 0.1,
    *,
    is_landmark: Sequence[bool] | None = None,
    truth_higher_is_better: bool = True,
    score_higher_is_better: bool = True,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Correlation]:
    """Return the five correlations with n and a 95 % interval; arguments as `ranking_metrics`.

    The values equal those of `ranking_metrics`. See `bootstrap` for what the interval covers.
    """
    values, mean = _sample(truth, score, is_landmark)
    return {
        name: correlation_with_interval(
            name,
            values,
            mean,
            threshold=threshold,
            truth_higher_is_better=truth_higher_is_better,
            score_higher_is_better=score_higher_is_better,
            resamples=resamples,
            seed=seed,
        )
        for name in CORRELATIONS
    }


def definitions() -> list[dict[str, Any]]:
    """Return the catalogue as plain dictionaries, ready for JSON."""
    return [asdict(info) for info in METRICS]
