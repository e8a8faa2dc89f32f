"""DARTS: a mixture of all operations, its weights by gradient on held-out data."""

from __future__ import annotations

from pydantic import ConfigDict

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, EncodingSettings


class DartsSettings(AlphaSettings, EncodingSettings):
    """Settings of DARTS."""

    model_config = ConfigDict(extra="forbid")


DARTS = register_recipe(
    Recipe(
        name="darts",
        title="DARTS, first order",
        source="Liu et al., ICLR 2019, §2.3 (xi = 0); 000 §5.2.2, 001 §3.2.1",
        help="Every edge computes all operations and adds them with softmax weights, which "
        "gradient steps on held-out batches improve. The strongest operations are kept.",
        paths="soft",
        mixes=True,
        learned="logits",
        learner="gradient",
        searcher="derived",
        settings=DartsSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
