"""PC-DARTS: a part of the channels goes through the mixture; edges have weights."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, EncodingSettings, PartialChannelSettings


class PcDartsSettings(AlphaSettings, EncodingSettings, PartialChannelSettings):
    """Settings of PC-DARTS; the architecture moves after 15 of its 50 epochs."""

    model_config = ConfigDict(extra="forbid")

    alpha_warm_up: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="Share of the training before the architecture parameters move.",
        json_schema_extra={"unit": "share of updates"},
    )
    alpha_learning_rate: float = Field(
        6e-4, gt=0, le=10, description="Learning rate of the architecture parameters."
    )


PC_DARTS = register_recipe(
    Recipe(
        name="pc_darts",
        title="PC-DARTS",
        source="Xu et al., ICLR 2020; 000 §7.4.5",
        help="DARTS on a quarter of the channels, which saves memory and favours no weight-free "
        "operation, with learned weights of the edges into a node.",
        paths="soft",
        mixes=True,
        learned="edge_logits",
        learner="gradient",
        searcher="derived",
        derive="argmax",
        settings=PcDartsSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
