"""One-shot with path dropout: all operations at once, more and more of them dropped (003)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe


class OneShotSettings(BaseModel):
    """Settings of path dropout."""

    model_config = ConfigDict(extra="forbid")

    dropout_rate: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Chance r at the end of the training that all options of a choice would be "
        "dropped; each of k options is with chance r^(1/k). It rises linearly from 0. The paper "
        "prints no value.",
        json_schema_extra={"unit": "probability"},
    )


ONE_SHOT = register_recipe(
    Recipe(
        name="one_shot",
        title="One-shot with path dropout",
        source="Bender et al., ICML 2018, §3; 003",
        help="Every step adds up a random part of the operations of each edge, first all, in the "
        "end one or two. Afterwards random architectures are compared by super-net accuracy.",
        paths="path_dropout",
        mixes=True,
        searcher="random",
        baselines=(),
        settings=OneShotSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
