"""One path a step, drawn from what is learned (ENAS, NAO)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.networks.route import Route
from engine.paths.registry import PATHS, PathContext


class SampledPaths:
    """One hard route from the distribution over architectures.

    Args:
        learned: the distribution, see `engine.learners`.
    """

    per_update = 1

    def __init__(self, learned: Any) -> None:
        self.learned = learned

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return the route of one draw."""
        return [Route.of(self.learned.draw(rng))]


def _make(context: PathContext) -> SampledPaths:
    return SampledPaths(context.learned)


PATHS.register("sampled", _make)
