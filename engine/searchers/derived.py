"""No search: the architectures that a learned distribution points at, in its own order."""

from __future__ import annotations

from engine.core.architecture import Architecture
from engine.searchers.registry import SEARCHERS, Searcher


class Derived(Searcher):
    """One generation: what the learner proposes. Scores are only reported (DARTS, GDAS)."""

    takes_learned = True

    def ask(self) -> list[Architecture]:
        """Return the proposals within the limits, then nothing."""
        if self.scores:
            return []
        wanted = max(self.spec.keep, self.at_least)
        generation: list[Architecture] = []
        # Limits may take many of the proposals, so that more of them are asked for in turn.
        for factor in (1, 4, 16, 64):
            for one in self.knowledge().proposals(factor * wanted):
                if len(generation) < wanted and self._claim(one):
                    generation.append(one)
            if len(generation) == wanted:
                return generation
        self._fill_randomly(generation, max(1, len(generation)))
        return generation

    def best(self, count: int) -> list[Architecture]:
        """Return the architectures in the learner's order."""
        return list(self.scores)[:count]


SEARCHERS.register("derived", Derived)
