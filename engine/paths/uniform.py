"""One path a step, uniform over the space's index tuples (SPOS, Random-NAS)."""

from __future__ import annotations

import numpy as np

from engine.core.space import Space
from engine.networks.route import Route
from engine.paths.registry import PATHS


class UniformPaths:
    """Draws one architecture per update.

    Args:
        space: the search space.
    """

    per_update = 1

    def __init__(self, space: Space) -> None:
        self.space = space

    def routes(self, rng: np.random.Generator, share: float = 0.0) -> list[Route]:
        """Return one hard route."""
        return [Route.of(self.space.sample(rng))]


PATHS.register("uniform", lambda context: UniformPaths(context.space))
