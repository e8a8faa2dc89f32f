"""The contract of a searcher and the registry of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

import numpy as np

from engine.core.architecture import Architecture
from engine.core.registry import Registry
from engine.core.space import Space
from engine.spec.errors import SpecError
from engine.spec.evaluation import SearchSpec

Allowed = Callable[[Architecture], bool]
ATTEMPTS = 2_000


class Knowledge(Protocol):
    """What a learner tells a searcher."""

    def proposals(self, count: int) -> list[Architecture]:
        """Return up to `count` different networks, the one it would choose first."""
        ...

    def draw(self, rng: np.random.Generator) -> Architecture:
        """Draw an architecture from what is learned."""
        ...


class Searcher(ABC):
    """Proposes architectures in generations and learns their scores.

    Attributes:
        takes_learned: it hands on what a learner knows instead of searching by itself.

    It never sees the evaluator, never proposes one network twice (canonical forms count), and
    draws only from the generator it was given.

    Args:
        space: the search space.
        spec: population, generations and the rest.
        rng: source of randomness.
        allowed: the user's limits on parameters and FLOPs.
        learned: what the recipe's learner knows, for searchers that take it.
        at_least: architectures that will be asked of `best`, besides `keep`.
    """

    takes_learned: ClassVar[bool] = False

    def __init__(
        self,
        space: Space,
        spec: SearchSpec,
        rng: np.random.Generator,
        allowed: Allowed,
        learned: Knowledge | None = None,
        at_least: int = 0,
    ) -> None:
        self.space = space
        self.spec = spec
        self.rng = rng
        self.allowed = allowed
        self.learned = learned
        self.at_least = at_least
        self.scores: dict[Architecture, float] = {}
        self._seen: set[str] = set()

    @abstractmethod
    def ask(self) -> list[Architecture]:
        """Return the next generation; fewer than a population when the space is used up."""

    def tell(self, generation: Sequence[Architecture], scores: Sequence[float]) -> None:
        """Learn the scores (higher is better) of what `ask` returned."""
        for architecture, score in zip(generation, scores, strict=True):
            self.scores[architecture] = float(score)

    def best(self, count: int) -> list[Architecture]:
        """Return the best architectures seen, best first; ties in the order they were found."""
        order = sorted(self.scores, key=lambda a: -self.scores[a])
        return order[:count]

    def knowledge(self) -> Knowledge:
        """Return what was learned.

        Raises:
            SpecError: the recipe has no learner.
        """
        if self.learned is None:
            raise SpecError("algorithm", "this searcher needs an algorithm that learns.")
        return self.learned

    def _claim(self, architecture: Architecture) -> bool:
        """Take an architecture for the next generation unless it is known or not allowed."""
        key = self.space.canonical(architecture)
        if key in self._seen or not self.allowed(architecture):
            return False
        self._seen.add(key)
        return True

    def _fill_randomly(self, generation: list[Architecture], wanted: int) -> None:
        """Add random new architectures until `wanted` are there or none is found any more.

        Raises:
            SpecError: not one architecture is within the limits.
        """
        tries = 0
        while len(generation) < wanted and tries < ATTEMPTS:
            candidate = self.space.sample(self.rng)
            if self._claim(candidate):
                generation.append(candidate)
                tries = 0
            tries += 1
        if not generation and not self.scores:
            raise SpecError(
                "search",
                f"no architecture within `max_params` and `max_flops` was found in {ATTEMPTS} "
                "draws; raise the limits.",
            )


SEARCHERS: Registry[type[Searcher]] = Registry("searcher", "algorithm")
