"""SETN: uniform paths for the weights, a template network for the probabilities (001 §5.4)."""

from __future__ import annotations

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings

# Scores and landmarks run hard paths: they are what trains the weights.
SETN = register_recipe(
    Recipe(
        name="setn",
        title="SETN (self-evaluated template network)",
        source="Dong and Yang, ICCV 2019; 001 §5.4",
        help="Uniformly drawn paths train the weights, as in SPOS; a mixture of all operations on "
        "held-out batches learns probabilities. The best of a sample from these is kept.",
        paths="uniform",
        learned="logits",
        learner="gradient",
        learner_paths="soft",
        searcher="drawn",
        settings=AlphaSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
