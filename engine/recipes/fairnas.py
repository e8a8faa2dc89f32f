"""FairNAS, generalised to dynamic topology (000 §6.4.3)."""

from __future__ import annotations

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe

FAIRNAS = register_recipe(
    Recipe(
        name="fairnas",
        title="FairNAS",
        source="Chu et al., ICCV 2021; 000 §6.4.3",
        help="Each update runs several paths that together use every operation of every choice "
        "exactly once, and averages their gradients. It costs a pass per operation.",
        paths="fair",
        searcher="evolution",
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_CHOICE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
