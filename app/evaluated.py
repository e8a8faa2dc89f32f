"""What the searchers of a run evaluated, as columns, and how architectures are called in hovers.

Knows no Streamlit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.digest import Generations
from engine.core.architecture import Architecture
from engine.spaces import get_space


@dataclass
class Evaluated:
    """One entry per architecture that a generation evaluated, in the order of the events.

    Attributes:
        searcher: who asked for it.
        generation: its number, from 1.
        indices: the architecture's option indices.
        score: super-net accuracy in percent.
        params: number of parameters.
        flops: multiply-adds of one image.
    """

    searcher: list[str] = field(default_factory=list)
    generation: list[int] = field(default_factory=list)
    indices: list[list[int]] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    params: list[int] = field(default_factory=list)
    flops: list[int] = field(default_factory=list)
    _rows: dict[str, dict[int, range]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.score)

    def add(self, searcher: str, generation: int, told: Mapping[str, Sequence[Any]]) -> None:
        """Append what a generation evaluated, the `population` of its event."""
        first, count = len(self), len(told["scores"])
        self._rows.setdefault(searcher, {})[generation] = range(first, first + count)
        self.searcher += [searcher] * count
        self.generation += [generation] * count
        self.indices += told["indices"]
        self.score += told["scores"]
        self.params += told["params"]
        self.flops += told["flops"]

    def generations(self, searcher: str) -> dict[int, range]:
        """Return the positions of what one searcher evaluated, by generation."""
        return self._rows.get(searcher, {})

    def of(self, searcher: str) -> list[int]:
        """Return the positions of what one searcher evaluated."""
        return [row for rows in self.generations(searcher).values() for row in rows]

    def scores(self, rows: range) -> list[float]:
        """Return the scores of a generation."""
        return self.score[rows.start : rows.stop]


def evaluated(searches: Mapping[str, Generations]) -> Evaluated:
    """Gather the populations of all searchers; generations that recorded none are left out."""
    found = Evaluated()
    for name, generations in searches.items():
        for number, told in enumerate(generations.population, start=1):
            if told is not None:
                found.add(name, number, told)
    return found


def texts(
    space: str, settings: Mapping[str, Any] | None, architectures: Iterable[Sequence[int]]
) -> list[str]:
    """Return the texts of architectures; each is written once, as hovers ask again and again."""
    given = json.dumps(settings or {}, sort_keys=True, default=str)
    return [_text(space, given, tuple(indices)) for indices in architectures]


@lru_cache(maxsize=20_000)
def _text(space: str, settings: str, indices: tuple[int, ...]) -> str:
    found = get_space(space, json.loads(settings))
    return found.to_text(Architecture.of(space, indices))
