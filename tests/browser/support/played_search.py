"""What learners and searchers tell in a played run: probabilities that move, populations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.recipes import RECIPES
from engine.recipes.settings import PolicySettings, TemperatureSettings
from engine.spec.experiment import ExperimentSpec

CEILINGS = {"evolution": 86.0, "drawn": 84.5, "derived": 83.0, "random": 82.5}
KEPT_DERIVED = 3


class Learning:
    """A learner that grows sure of one option per choice, which is a skip connection for some.

    Args:
        spec: its algorithm should have a learner.
        space: the search space.
    """

    def __init__(self, spec: ExperimentSpec, space: Space) -> None:
        rng = np.random.default_rng(spec.seed + 1)
        self.spec = spec
        self.recipe = RECIPES[spec.algorithm]
        self.options = [choice.options for choice in space.mixture]
        self.pull = [rng.normal(0, 1, len(options)) for options in self.options]

    def report(self, epoch: int) -> dict[str, Any]:
        """Return the fields of the event after an epoch."""
        done = epoch / self.spec.super_net.epochs
        rows = [np.exp(6 * done * pull) for pull in self.pull]
        rows = [row / row.sum() for row in rows]
        entropies = [float(-(row * np.log(row)).sum()) for row in rows]
        told: dict[str, Any] = {
            "epoch": epoch,
            "probabilities": [[round(float(x), 6) for x in row] for row in rows],
            "entropy": sum(entropies) / len(entropies),
        }
        if self.recipe.learner == "early_stopping":
            told["skip_connections"] = sum(
                "skip" in options[int(row.argmax())]
                for row, options in zip(rows, self.options, strict=True)
            )
        if issubclass(self.recipe.settings, TemperatureSettings):
            told["temperature"] = 10 - 9.9 * done
        if issubclass(self.recipe.settings, PolicySettings):
            told |= {"reward": 0.3 + 0.5 * done, "baseline": 0.25 + 0.5 * done}
        return told


class Population:
    """A searcher whose architectures get better from generation to generation.

    Args:
        spec: its search says how many generations of how many.
        space: the search space.
        searcher: a registered name.
    """

    def __init__(self, spec: ExperimentSpec, space: Space, searcher: str) -> None:
        self.spec, self.space, self.searcher = spec, space, searcher
        self.rng = np.random.default_rng(spec.seed + sum(map(ord, searcher)))

    def generations(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of one event a generation."""
        search, derived = self.spec.search, self.searcher == "derived"
        count, size = (1, KEPT_DERIVED) if derived else (search.generations, search.population)
        best, rate = 70.0, 0.25 if self.searcher == "random" else 0.5
        if derived:
            rate = 1.0
        for generation in range(1, count + 1):
            best += (CEILINGS[self.searcher] - best) * rate
            found = [self.space.sample(self.rng) for _ in range(size)]
            scores = self._scores(found, best, generation)
            yield {
                "searcher": self.searcher,
                "generation": generation,
                "generations": count,
                "evaluated": size * generation,
                "best_score": best,
                "mean_score": sum(scores) / len(scores),
                "best_text": self.space.to_text(found[int(np.argmax(scores))]),
                "population": self._told(found, scores),
            }

    def _scores(self, found: list[Architecture], best: float, generation: int) -> list[float]:
        """Return scores of at most `best`: those with more parameters tend to be better."""
        sizes = np.array([self.space.cost(one, self.spec.network).params for one in found])
        order = np.argsort(np.argsort(sizes + self.rng.normal(0, sizes.std(), len(sizes))))
        spread = 14.0 if self.searcher == "random" else 14.0 / generation
        behind = np.sort(self.rng.exponential(spread / 2, len(found)))[::-1]
        behind[-1] = 0.0
        return [round(float(best - behind[place]), 2) for place in order]

    def _told(self, found: list[Architecture], scores: list[float]) -> dict[str, list[Any]]:
        costs = [self.space.cost(one, self.spec.network) for one in found]
        return {
            "indices": [list(one.indices) for one in found],
            "scores": scores,
            "params": [cost.params for cost in costs],
            "flops": [cost.flops for cost in costs],
        }
