"""ENAS without its LSTM: independent logits per choice, learned in the same way."""

from __future__ import annotations

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import PolicyStepsSettings

REINFORCE_SHARED = register_recipe(
    Recipe(
        name="reinforce_shared",
        title="REINFORCE with shared weights",
        source="Williams, 1992; the policy of 001 §5.4's REINFORCE, on a super-net",
        help="As ENAS, but with one independent distribution per choice instead of a controller. "
        "It shows what the controller's memory is worth.",
        paths="sampled",
        learned="factored",
        learner="reinforce",
        searcher="drawn",
        settings=PolicyStepsSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
