"""Evolutionary search as in SPOS (003; Guo et al., ECCV 2020, §3.4)."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.architecture import Architecture
from engine.searchers.registry import SEARCHERS, Searcher


class Evolution(Searcher):
    """Half of each generation by crossover of the best seen so far, half by mutation.

    Parents are the `parents` best of all architectures evaluated up to now. Where crossover or
    mutation finds nothing new, random architectures fill the generation.
    """

    def ask(self) -> list[Architecture]:
        """Return a random first generation, then children of the best."""
        generation: list[Architecture] = []
        if self.scores:
            parents = self.best(self.spec.parents)
            half = self.spec.population // 2
            self._breed(generation, half, lambda: self._cross(parents))
            self._breed(generation, self.spec.population - half, lambda: self._mutant(parents))
        self._fill_randomly(generation, self.spec.population)
        return generation

    def _breed(
        self, generation: list[Architecture], wanted: int, make: Callable[[], Architecture]
    ) -> None:
        made = 0
        for _ in range(20 * wanted):
            if made == wanted:
                return
            child = make()
            if self._claim(child):
                generation.append(child)
                made += 1

    def _cross(self, parents: list[Architecture]) -> Architecture:
        first, second = self.rng.integers(len(parents), size=2)
        return self.space.crossover(parents[first], parents[second], self.rng)

    def _mutant(self, parents: list[Architecture]) -> Architecture:
        parent = parents[self.rng.integers(len(parents))]
        return self.space.mutate_each(parent, self.rng, self.spec.mutation)


SEARCHERS.register("evolution", Evolution)
