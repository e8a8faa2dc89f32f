"""GDAS: one drawn operation per edge, its probabilities by gradient (001 §3.2.1)."""

from __future__ import annotations

from pydantic import ConfigDict

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, TemperatureSettings


class GdasSettings(AlphaSettings, TemperatureSettings):
    """Settings of GDAS; the defaults are those of 001 §3.2.2."""

    model_config = ConfigDict(extra="forbid")


# Scores and landmarks run hard paths: they are what training runs, too.
GDAS = register_recipe(
    Recipe(
        name="gdas",
        title="GDAS",
        source="Dong and Yang, CVPR 2019; 001 §3.2.1, Algorithm 1",
        help="Each step draws one operation per edge with Gumbel noise and computes only that; "
        "the gradient reaches the probabilities through a softmax whose temperature falls.",
        paths="gumbel_hard",
        learned="logits",
        learner="gradient",
        searcher="derived",
        settings=GdasSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
