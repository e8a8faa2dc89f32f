"""The options that are not pruned, each with its own weight (BayesNAS)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.networks.route import Route
from engine.paths.registry import PATHS, PathContext


class RelevantPaths:
    """One route that mixes all options that are left, by unnormalised weights.

    Args:
        learned: has `mixture()`, weights per choice, and `kept`, 1 where an option is left.
    """

    per_update = 1

    def __init__(self, learned: Any) -> None:
        self.learned = learned

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return the mixture; nothing is drawn."""
        kept = self.learned.kept.split(self.learned.sizes)
        active, weights = [], []
        for flags, values in zip(kept, self.learned.mixture(), strict=True):
            chosen = [option for option, flag in enumerate(flags.tolist()) if flag]
            active.append(tuple(chosen))
            weights.append(values[chosen])
        return [Route(tuple(active), tuple(weights))]


def _make(context: PathContext) -> RelevantPaths:
    return RelevantPaths(context.learned)


PATHS.register("relevance", _make)
