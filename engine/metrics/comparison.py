"""Several seeds of one method against several seeds of another.

000 sections 5.1 and 5.2.3: repeat with several seeds and report mean and standard deviation,
against random search. To that come Welch's t-test, which does not assume equal spread, the 95 %
interval of the difference, and Cohen's d. No correction for many comparisons is made: with g
methods against one baseline, multiply p by g (Bonferroni) before calling a difference proven.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from engine.metrics._arrays import Floats, vector


@dataclass(frozen=True)
class GroupComparison:
    """One group of runs against the baseline; unit of the values unless stated.

    Attributes:
        name: of the group.
        n: number of values (seeds).
        mean: None when n = 0.
        std: standard deviation with ddof = 1; None when n < 2.
        difference: mean - baseline mean, whichever direction is better; None without both.
        low, high: 95 % confidence interval of the difference (Welch).
        t, degrees_of_freedom: Welch's statistic and Welch-Satterthwaite degrees; no unit.
        p_two_sided: chance of a difference at least as large either way if the means are equal.
        p_better: the same, one-sided: small when the group is better than the baseline.
        cohen_d: difference / sqrt((std^2 + baseline std^2) / 2); no unit.
        reason: why the test fields are None; None when they are given.
    """

    name: str
    n: int
    mean: float | None
    std: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    t: float | None = None
    degrees_of_freedom: float | None = None
    p_two_sided: float | None = None
    p_better: float | None = None
    cohen_d: float | None = None
    reason: str | None = None


def mean_and_std(values: ArrayLike, name: str = "values") -> tuple[float | None, float | None]:
    """Return mean and standard deviation (ddof = 1); None where there are too few values.

    Raises:
        ValueError: NaN or infinite (named by its index), or not one-dimensional.
    """
    array = _finite(name, values)
    if not len(array):
        return None, None
    if np.ptp(array) == 0:  # spares equal values a mean and spread made of rounding errors
        return float(array[0]), (0.0 if len(array) > 1 else None)
    return float(array.mean()), float(array.std(ddof=1))


def _finite(name: str, values: ArrayLike) -> Floats:
    array = vector(name, values)
    bad = np.flatnonzero(np.isinf(array))
    if len(bad):
        raise ValueError(f"{name}[{bad[0]}] is infinite: a mean cannot be taken")
    return array


def _why_not(group: Floats, base: Floats) -> str | None:
    if len(group) < 2 or len(base) < 2:
        return (
            f"a test needs at least 2 seeds on both sides, but there are {len(group)} here and "
            f"{len(base)} in the baseline"
        )
    if np.ptp(group) == 0 and np.ptp(base) == 0:
        return "neither side has any spread, so there is nothing to hold the difference against"
    return None


def _against(name: str, group: Floats, base: Floats, higher_is_better: bool) -> GroupComparison:
    mean, std = mean_and_std(group, name)
    base_mean, base_std = mean_and_std(base)
    difference = None if mean is None or base_mean is None else mean - base_mean
    reason = _why_not(group, base)
    if reason is not None or difference is None or std is None or base_std is None:
        return GroupComparison(name, len(group), mean, std, difference, reason=reason)
    side = "greater" if higher_is_better else "less"
    with warnings.catch_warnings():
        if min(std, base_std) == 0:  # scipy warns of nearly equal values; these are equal
            warnings.simplefilter("ignore", RuntimeWarning)
        test = stats.ttest_ind(group, base, equal_var=False)
        better = stats.ttest_ind(group, base, equal_var=False, alternative=side)
    interval = test.confidence_interval(0.95)
    return GroupComparison(
        name,
        len(group),
        mean,
        std,
        difference,
        low=float(interval.low),
        high=float(interval.high),
        t=float(test.statistic),
        degrees_of_freedom=float(test.df),
        p_two_sided=float(test.pvalue),
        p_better=float(better.pvalue),
        cohen_d=difference / math.sqrt((std**2 + base_std**2) / 2),
    )


def compare_groups(
    groups: Mapping[str, ArrayLike], baseline: str, *, higher_is_better: bool = True
) -> tuple[GroupComparison, ...]:
    """Compare every group of seeds with the baseline, in the order given.

    The baseline itself is in the result, with its mean and std, no test and a reason.

    Args:
        groups: name -> values, one per seed, shape (seeds,).
        baseline: the name among `groups` to compare with (random search, say).
        higher_is_better: direction of the values, for `p_better`.

    Raises:
        ValueError: no such baseline; NaN or infinite value (named by group and index).
    """
    if baseline not in groups:
        raise ValueError(f"there is no group {baseline!r}; known are {', '.join(groups)}")
    arrays = {name: _finite(name, values) for name, values in groups.items()}
    base = arrays[baseline]
    rows = []
    for name, group in arrays.items():
        if name == baseline:
            mean, std = mean_and_std(group, name)
            row = GroupComparison(name, len(group), mean, std, reason="this is the baseline")
        else:
            row = _against(name, group, base, higher_is_better)
        rows.append(row)
    return tuple(rows)
