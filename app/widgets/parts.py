"""The space and the algorithm that a form has chosen, as far as its settings depend on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core import capabilities
from engine.recipes import RECIPES
from engine.spaces import SPACES, get_space
from engine.spec.errors import SpecError

Value = Mapping[str, Any]

# Mixtures in which every operation takes part in every step.
_ALL_WEIGHTS = frozenset({"soft", "gumbel_soft"})


@dataclass(frozen=True)
class SpacePart:
    """What a space with its settings has; everything is empty for one that is not known.

    Attributes:
        provides: capabilities.
        fixed: fields of the skeleton that it settles itself.
        factors: sharing factors of its super-net.
        stand_alone_options: options of its stand-alone networks.
        operations_on: where operations stand unless a setting says otherwise.
        recomputes: whether memory can be saved by computing operations twice.
    """

    provides: frozenset[str] = frozenset()
    fixed: Mapping[str, int] = field(default_factory=dict)
    factors: frozenset[str] = frozenset()
    stand_alone_options: frozenset[str] = frozenset()
    operations_on: str = ""
    recomputes: bool = False


@dataclass(frozen=True)
class RecipePart:
    """What an algorithm is made of; see `engine.recipes.registry.Recipe`.

    Attributes:
        settings: names of its own settings.
        evolves: its searcher makes children from parents.
        mixes: an update trains a mixture, not single architectures.
        uses_all: no update leaves out weights.
    """

    addons: frozenset[str] = frozenset()
    requires: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    searcher: str = ""
    evolves: bool = False
    mixes: bool = False
    uses_all: bool = False


def space_part(value: Value) -> SpacePart:
    """Return the space of an experiment; with wrong settings, as it is without any."""
    name, settings = str(value.get("space")), value.get("space_settings")
    if name not in SPACES:
        return SpacePart()
    try:
        space = get_space(name, settings)
    except SpecError:
        space = SPACES[name]
    return SpacePart(
        space.provides,
        space.fixed,
        space.factors,
        space.stand_alone_options,
        space.operations_on,
        space.recomputes,
    )


def recipe_part(name: str) -> RecipePart:
    """Return the algorithm of a name."""
    if name not in RECIPES:
        return RecipePart()
    recipe = RECIPES[name]
    return RecipePart(
        recipe.addons,
        recipe.requires,
        frozenset(recipe.settings.model_fields),
        recipe.searcher,
        recipe.searcher == "evolution",
        recipe.mixes,
        recipe.paths in _ALL_WEIGHTS,
    )


def missing(space: SpacePart, algorithm: str) -> list[str]:
    """Say what a space lacks for an algorithm; empty where the two fit."""
    lacking = recipe_part(algorithm).requires - space.provides
    return [capabilities.SENTENCES[name] for name in sorted(lacking)]


# -- families ------------------------------------------------------------------------------------
FAMILIES = {
    "Sampling": "Paths are drawn by a fixed rule and share one set of weights; a search by "
    "super-net accuracy follows.",
    "Gradient": "Operations carry weights that gradient steps on held-out images improve; the "
    "strongest are kept.",
    "Policy": "A distribution over architectures learns from their super-net accuracy as a "
    "reward (REINFORCE).",
    "Predictor": "A model learns to predict accuracies, and proposes architectures that should "
    "be better.",
}
_POLICIES = frozenset({"reinforce", "absolute_reward"})


def family(algorithm: str) -> str:
    """Return the family of an algorithm, by what moves its distribution over architectures."""
    learner = RECIPES[algorithm].learner if algorithm in RECIPES else None
    if learner is None:
        return "Sampling"
    if learner in _POLICIES:
        return "Policy"
    return "Predictor" if learner == "nao" else "Gradient"
