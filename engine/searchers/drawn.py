"""Architectures drawn from a learned distribution; the best by super-net accuracy counts."""

from __future__ import annotations

from engine.core.architecture import Architecture
from engine.searchers.registry import ATTEMPTS, SEARCHERS, Searcher


class Drawn(Searcher):
    """Every generation is drawn from the learner (ENAS, SETN: best of a sample)."""

    takes_learned = True

    def ask(self) -> list[Architecture]:
        """Return a population of new draws; random ones where the learner repeats itself."""
        generation: list[Architecture] = []
        for _ in range(ATTEMPTS):
            if len(generation) == self.spec.population:
                return generation
            drawn = self.knowledge().draw(self.rng)
            if self._claim(drawn):
                generation.append(drawn)
        if not generation:
            self._fill_randomly(generation, self.spec.population)
        return generation


SEARCHERS.register("drawn", Drawn)
