"""Random-A: uniform over different networks instead of encodings (000 §6.4.3)."""

from __future__ import annotations

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.route import Route
from engine.paths.registry import PATHS


class UniquePaths:
    """Draws a canonical form uniformly, then one of its encodings uniformly.

    Args:
        space: a space small enough to be listed.
    """

    per_update = 1

    def __init__(self, space: Space) -> None:
        classes: dict[str, list[Architecture]] = {}
        for architecture in space.enumerate():
            classes.setdefault(space.canonical(architecture), []).append(architecture)
        self.classes = list(classes.values())

    def routes(self, rng: np.random.Generator, share: float = 0.0) -> list[Route]:
        """Return one hard route."""
        members = self.classes[int(rng.integers(len(self.classes)))]
        return [Route.of(members[int(rng.integers(len(members)))])]


PATHS.register("unique", lambda context: UniquePaths(context.space))
