"""A pool of different networks with their scores, as NAO keeps one. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Space

# Draws in a row that find no new network before the space counts as used up.
PATIENCE = 1_000


class Pool:
    """Architectures in the order they came, never two that build one network.

    Args:
        space: the search space.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.scores: dict[Architecture, float | None] = {}
        self._forms: set[str] = set()

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def members(self) -> list[Architecture]:
        """All architectures in the order they came."""
        return list(self.scores)

    def add(self, architecture: Architecture) -> bool:
        """Take an architecture without a score; False: its network is here already."""
        form = self.space.canonical(architecture)
        if form in self._forms:
            return False
        self._forms.add(form)
        self.scores[architecture] = None
        return True

    def add_random(self, count: int, rng: np.random.Generator) -> list[Architecture]:
        """Take up to `count` uniform draws that are new, fewer where the space is used up."""
        added: list[Architecture] = []
        misses = 0
        while len(added) < count and misses < PATIENCE:
            drawn = self.space.sample(rng)
            if self.add(drawn):
                added.append(drawn)
                misses = 0
            misses += 1
        return added

    def drop(self, architectures: Iterable[Architecture]) -> None:
        """Let architectures go; they may come back later."""
        for one in architectures:
            del self.scores[one]
            self._forms.remove(self.space.canonical(one))

    def rate(self, architectures: Sequence[Architecture], scores: Sequence[float]) -> None:
        """Set the scores of members."""
        for one, score in zip(architectures, scores, strict=True):
            self.scores[one] = float(score)

    def ranked(self) -> list[Architecture]:
        """Return all architectures, best first; those without a score last."""

        def place(one: Architecture) -> tuple[bool, float]:
            score = self.scores[one]
            return score is None, -(score or 0.0)

        return sorted(self.scores, key=place)

    def state(self) -> list[dict[str, Any]]:
        """Return a JSON-able copy."""
        return [{"indices": list(a.indices), "score": s} for a, s in self.scores.items()]

    def load_state(self, state: list[dict[str, Any]]) -> None:
        """Continue from `state`."""
        pairs = [(Architecture.of(self.space.name, one["indices"]), one["score"]) for one in state]
        self.scores = dict(pairs)
        self._forms = {self.space.canonical(architecture) for architecture, _ in pairs}
