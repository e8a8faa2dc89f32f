"""FairNAS: every operation of every choice exactly once per update (000 §6.4.3; 003).

The thesis generalises FairNAS to spaces whose topology is chosen too: one topology is drawn per
update, and the operations on it are run through without replacement. The gradients are averaged.
"""

from __future__ import annotations

import math

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.route import Route
from engine.paths.registry import PATHS


class FairPaths:
    """m paths per update, m being the number of operations of a choice.

    Choices of another kind than operations keep the value of one random architecture during an
    update. Where choices have different numbers of operations, m is their least common multiple,
    so that counts within a choice stay exactly equal.

    Args:
        space: the search space.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.operations = [i for i, c in enumerate(space.choices) if c.kind == "op"]
        counts = [len(space.choices[i].options) for i in self.operations]
        self.per_update = math.lcm(*counts) if counts else 1

    def routes(self, rng: np.random.Generator, share: float = 0.0) -> list[Route]:
        """Return m hard routes."""
        topology = self.space.sample(rng)
        columns = {i: self._column(i, rng) for i in self.operations}
        routes = []
        for path in range(self.per_update):
            indices = list(topology.indices)
            for choice, column in columns.items():
                indices[choice] = column[path]
            routes.append(Route.of(Architecture.of(self.space.name, indices)))
        return routes

    def _column(self, choice: int, rng: np.random.Generator) -> list[int]:
        """Return one choice's options for all paths: whole permutations, one after another."""
        count = len(self.space.choices[choice].options)
        rounds = [rng.permutation(count) for _ in range(self.per_update // count)]
        return [int(option) for option in np.concatenate(rounds)]


PATHS.register("fair", lambda context: FairPaths(context.space))
