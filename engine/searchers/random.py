"""Random search: new architectures, drawn uniformly."""

from __future__ import annotations

from engine.core.architecture import Architecture
from engine.searchers.registry import SEARCHERS, Searcher


class RandomSearch(Searcher):
    """Every generation is a fresh uniform sample without repetition of networks."""

    def ask(self) -> list[Architecture]:
        """Return a population of new random architectures."""
        generation: list[Architecture] = []
        self._fill_randomly(generation, self.spec.population)
        return generation


SEARCHERS.register("random", RandomSearch)
