"""DARTS+: DARTS that ends before skip connections take over."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, EncodingSettings


class DartsPlusSettings(AlphaSettings, EncodingSettings):
    """Settings of DARTS+."""

    model_config = ConfigDict(extra="forbid")

    skip_connections: int = Field(
        2,
        ge=1,
        le=1000,
        description="Training ends when the derived normal cell has this many skip connections.",
    )
    earliest_stop: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the epochs before which it does not end: at the start the strongest "
        "operations are those of the random initial values.",
        json_schema_extra={"unit": "share of epochs"},
    )


DARTS_PLUS = register_recipe(
    Recipe(
        name="darts_plus",
        title="DARTS+",
        source="Liang et al., 2019, criterion 1; 000 §3.2",
        help="First-order DARTS whose training ends as soon as a normal cell would have two skip "
        "connections, before the collapse that they announce.",
        paths="soft",
        mixes=True,
        learned="logits",
        learner="early_stopping",
        searcher="derived",
        derive="argmax",
        settings=DartsPlusSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
