"""All options at once, weighted by what is learned (DARTS; 000 §3.1.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.networks.route import Route
from engine.paths.registry import PATHS, PathContext


class SoftPaths:
    """One route that mixes all options of every choice.

    Args:
        learned: the distribution over architectures, see `engine.learners`; its `edge_weights`
            are what all that an edge carries counts (None: 1), a factor of its `probabilities`.
    """

    per_update = 1

    def __init__(self, learned: Any) -> None:
        self.learned = learned

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return the mixture; nothing is drawn."""
        weights, edges = tuple(self.learned.probabilities()), self.learned.edge_weights()
        active = tuple(tuple(range(len(one))) for one in weights)
        return [Route(active, weights, None if edges is None else tuple(edges))]


def _make(context: PathContext) -> SoftPaths:
    return SoftPaths(context.learned)


PATHS.register("soft", _make)
