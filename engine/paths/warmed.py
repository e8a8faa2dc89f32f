"""Paths of TuNAS: uniform with wide layers first, then drawn from the policy (001 §5.4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import Space
from engine.networks.route import Route
from engine.paths.registry import PATHS, PathContext


class WarmedPaths:
    """One hard route a step.

    During the warm-up paths are uniform, as nothing is learned yet, and with a chance that falls
    from 1 to 0 all layers are as wide as they can be (filter warm-up: Bender et al., CVPR 2020),
    so that channels which only wide layers have are trained, too.

    Args:
        space: the search space.
        learned: the policy, see `engine.learners`.
        warm_up: share of all updates.
    """

    per_update = 1

    def __init__(self, space: Space, learned: Any, warm_up: float) -> None:
        self.space = space
        self.learned = learned
        self.warm_up = warm_up
        self.widest = {i: _widest(c) for i, c in enumerate(space.choices) if c.kind == "width"}

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return one hard route."""
        if share >= self.warm_up:
            return [Route.of(self.learned.draw(rng))]
        drawn = self.space.sample(rng)
        if rng.random() < 1 - share / self.warm_up:
            indices = [self.widest.get(i, option) for i, option in enumerate(drawn.indices)]
            wide = Architecture.of(self.space.name, indices)
            drawn = wide if self.space.is_valid(wide) else drawn
        return [Route.of(drawn)]


def _widest(choice: Choice) -> int:
    return max(range(len(choice.options)), key=lambda option: float(choice.options[option]))


def _make(context: PathContext) -> WarmedPaths:
    return WarmedPaths(context.space, context.learned, context.settings.policy_warm_up)


PATHS.register("warmed", _make)
