"""A random part of the options of every choice (Bender et al., ICML 2018, §3.3; 003)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.core.space import Space
from engine.networks.route import Route
from engine.paths.registry import PATHS, PathContext


class PathDropout:
    """Drops options independently of each other; the outputs of those that stay are added up.

    Of a choice with k options each is dropped with probability r^(1/k), so that all of them
    would be with probability r, whatever k is. r rises linearly from 0 over the training. An
    architecture takes an option at every choice, so where all are dropped one of them, drawn
    uniformly, stays: an option is kept with probability 1 - r^(1/k) + r/k.

    Args:
        space: the search space.
        settings: has `dropout_rate`, the r at the end of the training.
    """

    per_update = 1

    def __init__(self, space: Space, settings: Any) -> None:
        self.counts = [len(choice.options) for choice in space.mixture]
        self.rate: float = settings.dropout_rate

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return one route without weights."""
        rate = self.rate * share
        active = []
        for count in self.counts:
            stays = rng.random(count) >= rate ** (1 / count)
            last = int(rng.integers(count))  # drawn always: later choices do not depend on it
            if not stays.any():
                stays[last] = True
            active.append(tuple(int(option) for option in np.flatnonzero(stays)))
        return [Route(tuple(active))]


def _make(context: PathContext) -> PathDropout:
    return PathDropout(context.space, context.settings)


PATHS.register("path_dropout", _make)
