"""A published algorithm is a row of data: which part fills which slot."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel

from engine.core.registry import Registry
from engine.spec.settings import NoSettings


@dataclass(frozen=True)
class Recipe:
    """Slots of a weight-sharing algorithm.

    Attributes:
        name: registered name, as in `algorithm:` of an experiment file.
        title: as the field calls it.
        source: paper and section.
        help: what it does, in two sentences.
        paths: path policy of a training step (`engine.paths`).
        searcher: searcher after training (`engine.searchers`); `derived` and `drawn` take what
            was learned, the others search by super-net accuracy.
        baselines: searchers that get the same number of evaluations in the same run.
        learned: the distribution over architectures (`engine.learners`), or None.
        learner: what moves its parameters, or None.
        learner_paths: path policy of the learner's own steps; None: as `paths`.
        derive: from the distribution to architectures (`engine.derive`).
        mixes: an update trains a mixture of operations, not single architectures.
        settings: model of the `settings:` section.
        requires: what the space must provide (`engine.core.capabilities`).
        addons: names of add-ons that make sense with it.
    """

    name: str
    title: str
    source: str
    help: str
    paths: str
    searcher: str
    baselines: tuple[str, ...] = ("random",)
    learned: str | None = None
    learner: str | None = None
    learner_paths: str | None = None
    derive: str = "argmax"
    mixes: bool = False
    settings: type[BaseModel] = NoSettings
    requires: frozenset[str] = frozenset()
    addons: frozenset[str] = field(default_factory=frozenset)


RECIPES: Registry[Recipe] = Registry("algorithm", "algorithm")


def register_recipe(recipe: Recipe) -> Recipe:
    """Register a recipe under its own name."""
    return RECIPES.register(recipe.name, recipe)
