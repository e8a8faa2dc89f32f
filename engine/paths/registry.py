"""The contract of a path policy and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from engine.core.registry import Registry
from engine.core.space import Space
from engine.networks.route import Route


class PathPolicy(Protocol):
    """Chooses the routes of one update; their gradients are averaged before the update.

    Attributes:
        per_update: number of routes that `routes` returns.
    """

    per_update: int

    def routes(self, rng: np.random.Generator) -> list[Route]:
        """Return the routes of the next update; all randomness comes from `rng`."""
        ...


PATHS: Registry[Callable[[Space], PathPolicy]] = Registry("path policy", "algorithm")
