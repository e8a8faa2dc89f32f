"""Random-A: uniform over unique architectures (000 §6.4.3)."""

from __future__ import annotations

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe

RANDOM_A = register_recipe(
    Recipe(
        name="random_a",
        title="Random-A",
        source="Yu et al.; 000 §6.4.3",
        help="Trains like SPOS, but draws uniformly over different networks: encodings that build "
        "the same network share one chance. Needs a space that can be listed.",
        paths="unique",
        searcher="evolution",
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.ENUMERABLE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
