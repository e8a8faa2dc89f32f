"""A group of runs against random, at the same budget and with the same seeds.

**Random architectures** (000 §5.1, §5.2.3): draw architectures uniformly, train them, take what
comes. The correlation sample of every run is such a draw whose ground truth is known (uniform over
the space's encodings, no network twice, landmarks left out), so its outcome is known without
another training. Three numbers describe it:

- `single`: one uniformly drawn architecture, mean and deviation over all draws of the group; the
  rows "Random" of 000 Tables 5.1 and 5.2, with many draws in place of one per seed.
- `best_of`: the best of n draws, n being how many architectures the search ended with (3).
- `test`: Welch's t-test of the group's final accuracy, which is the mean of these n, against
  blocks of n consecutive draws, each the mean of what the policy would have ended with.

The rank of a draw is uniform over 1 to r_max, so that the ranks need no sample.

**Random search on the super-net**: the run's own baseline, which scores as many architectures as
the search did and also trains the best of them. It tells the share of the searcher from that of
the super-net.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.compare.figures import RunFigures
from engine.metrics import (
    GroupComparison,
    Moments,
    best_of_draws,
    best_rank_of_draws,
    budget_blocks,
    compare_groups,
    surpass_random,
)

RANDOM = "random"


@dataclass(frozen=True)
class AgainstRandom:
    """The random policy beside a group; accuracies in percent.

    Attributes:
        draws: number of known draws, over all runs of the group.
        single: a single draw; None without draws.
        budget: draws per seed at the search's budget; None where runs differ in it.
        best_of: the best of `budget` draws.
        single_rank, best_of_rank: the same for ranks; None where runs rank among other numbers.
        test: the group's final accuracy against `budget` draws per repetition.
        surpass: chance that the best rank over all seeds is better than all draws of random at
            the same budget, `surpass_random(best rank, r_max, budget * seeds)`.
        search: the runs' own random search on the super-net, and the group against it.
    """

    draws: int
    single: Moments | None
    budget: int | None
    best_of: Moments | None
    single_rank: Moments | None
    best_of_rank: Moments | None
    test: GroupComparison | None
    surpass: float | None
    search: tuple[GroupComparison, GroupComparison] | None


def against_random(runs: Sequence[RunFigures]) -> AgainstRandom:
    """Hold a group of runs against random; see the module for every definition."""
    pool = [draw for run in runs for draw in run.draws]
    budget = _same([run.found for run in runs])
    among = _same([run.ranked_among for run in runs])
    blocks = [budget_blocks(run.draws, budget).mean(axis=1) for run in runs] if budget else []
    return AgainstRandom(
        draws=len(pool),
        single=best_of_draws(pool, 1) if pool else None,
        budget=budget,
        best_of=best_of_draws(pool, budget) if pool and budget else None,
        single_rank=best_rank_of_draws(among, 1) if among else None,
        best_of_rank=best_rank_of_draws(among, budget) if among and budget else None,
        test=_test(runs, list(np.concatenate(blocks))) if blocks else None,
        surpass=_surpass(runs, among),
        search=_search(runs),
    )


def _same(values: Sequence[int | None]) -> int | None:
    return values[0] if len(set(values)) == 1 else None


def _final(runs: Sequence[RunFigures]) -> list[float]:
    return [v for run in runs if (v := run.values["final_accuracy"]) is not None]


def _test(runs: Sequence[RunFigures], random: list[float]) -> GroupComparison:
    return compare_groups({RANDOM: random, "group": _final(runs)}, baseline=RANDOM)[1]


def _surpass(runs: Sequence[RunFigures], among: int | None) -> float | None:
    ranks = [rank for run in runs if (rank := run.values["best_rank"]) is not None]
    if among is None or len(ranks) < len(runs):
        return None
    return surpass_random(int(min(ranks)), among, sum(run.found for run in runs))


def _search(runs: Sequence[RunFigures]) -> tuple[GroupComparison, GroupComparison] | None:
    random = [run.random_search for run in runs if run.random_search is not None]
    if not random:
        return None
    groups = {RANDOM: random, "group": _final(runs)}
    first, second = compare_groups(groups, baseline=RANDOM)
    return first, second
