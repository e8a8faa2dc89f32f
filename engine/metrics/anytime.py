"""Best so far: the quality of a search's answer if it were stopped at a given time.

001 section 5.4.3 and figure 5.6: every 100 simulated seconds each method names its current
architecture, chosen by its validation signal; plotted is that architecture's ground truth, over
the mean of 500 runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics._arrays import Floats, oriented, same_length, vector


def best_so_far(
    values: ArrayLike,
    *,
    signal: ArrayLike | None = None,
    values_higher_is_better: bool = True,
    signal_higher_is_better: bool = True,
) -> Floats:
    """Return after each trial the ground truth of the architecture then held to be best.

    Args:
        values: shape (trials,), ground truth of each trial in order.
        signal: shape (trials,), what the search saw (validation result); the incumbent is the
            first trial of best signal so far, so the curve may fall. None: the ground truth is
            the signal, and the curve never gets worse.
        values_higher_is_better: False for what is minimised; used when there is no `signal`.
        signal_higher_is_better: the same for `signal`.

    Raises:
        ValueError: NaN (named by its index) or unequal lengths.
    """
    truth = vector("values", values)
    if signal is None:
        seen = oriented(truth, values_higher_is_better)
    else:
        seen = oriented(vector("signal", signal), signal_higher_is_better)
    same_length(values=truth, signal=seen)
    incumbents = np.zeros(len(truth), dtype=np.intp)
    for trial in range(1, len(truth)):
        before = incumbents[trial - 1]
        incumbents[trial] = trial if seen[trial] > seen[before] else before
    return truth[incumbents]


def at_times(curve: ArrayLike, costs: ArrayLike, times: ArrayLike) -> Floats:
    """Read a best-so-far curve at given times, as a step function.

    Args:
        curve: shape (trials,), from `best_so_far`.
        costs: shape (trials,), cost of each trial in the unit of `times` (simulated seconds),
            finite and >= 0; a trial counts from the moment it is finished.
        times: shape (t,), in any order.

    Returns:
        Shape (t,); NaN at times before the first trial is finished.

    Raises:
        ValueError: NaN, unequal lengths, or a cost that is negative or infinite.
    """
    values, spent, grid = vector("curve", curve), vector("costs", costs), vector("times", times)
    same_length(curve=values, costs=spent)
    bad = np.flatnonzero((spent < 0) | np.isinf(spent))
    if len(bad):
        raise ValueError(f"costs[{bad[0]}] is {spent[bad[0]]}: a cost must be finite and >= 0")
    finished = np.searchsorted(np.cumsum(spent), grid, side="right")
    return np.concatenate([[np.nan], values])[finished]


@dataclass(frozen=True, eq=False)
class AnytimeBand:
    """Mean and spread over runs at each time; arrays of shape (t,).

    `mean` is NaN where any run has not finished its first trial (a mean over the quick ones only
    would flatter); `std` (ddof = 1) is NaN there and where there is a single run.
    """

    times: Floats
    mean: Floats
    std: Floats
    runs: int


def anytime_band(curves: Sequence[ArrayLike], times: ArrayLike) -> AnytimeBand:
    """Average several runs' curves, each already read at the same `times` with `at_times`.

    Args:
        curves: one array of shape (t,) per run, at least one.
        times: shape (t,).

    Raises:
        ValueError: no curve, or one that does not have one value per time.
    """
    grid = vector("times", times)
    stack = [np.asarray(curve, dtype=np.float64) for curve in curves]
    if not stack or any(curve.shape != grid.shape for curve in stack):
        raise ValueError(f"each run needs a curve of shape {grid.shape}, one value per time")
    table = np.stack(stack)
    spread = table.std(axis=0, ddof=1) if len(table) > 1 else np.full(grid.shape, np.nan)
    return AnytimeBand(grid, table.mean(axis=0), spread, len(table))
