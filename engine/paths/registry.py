"""The contract of a path policy and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from engine.core.registry import Registry
from engine.core.space import Space
from engine.networks.route import Route


@dataclass(frozen=True)
class PathContext:
    """What a path policy is made of.

    Attributes:
        space: the search space.
        settings: the recipe's own settings.
        learned: the distribution over architectures, or None where the recipe has none.
    """

    space: Space
    settings: Any = None
    learned: Any = None


class PathPolicy(Protocol):
    """Chooses the routes of one update; their gradients are averaged before the update.

    Attributes:
        per_update: number of routes that `routes` returns.
    """

    per_update: int

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return the routes of the next update.

        Args:
            rng: all randomness comes from here.
            share: part of all updates that is done, 0 to 1.

        Route weights keep their graph to what is learned where gradients are enabled; the update
        of the shared weights asks with gradients disabled.
        """
        ...


PATHS: Registry[Callable[[PathContext], PathPolicy]] = Registry("path policy", "algorithm")
