"""ProxylessNAS: drawn paths for the weights, two gates per edge for the probabilities."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import AlphaSettings, CostSettings


class ProxylessSettings(AlphaSettings, CostSettings):
    """Settings of ProxylessNAS; the defaults are those of its CIFAR-10 search."""

    model_config = ConfigDict(extra="forbid")

    alpha_learning_rate: float = Field(
        0.006, gt=0, le=10, description="Learning rate of the architecture parameters."
    )
    alpha_weight_decay: float = Field(
        0.0, ge=0, le=1, description="L2 penalty on the architecture parameters of a step."
    )
    cost_weight: float = Field(
        0.1,
        gt=0,
        le=1e6,
        description="Weight of the expected cost, as a multiple of that of uniform "
        "probabilities, in the loss.",
        json_schema_extra={"shown_if": {"cost": ["params", "flops"]}},
    )


# Scores and landmarks run hard paths: they are what trains the weights.
PROXYLESSNAS = register_recipe(
    Recipe(
        name="proxylessnas",
        title="ProxylessNAS",
        source="Cai et al., ICLR 2019, §3; 003",
        help="Paths drawn from the learned probabilities train the weights. Learning them runs "
        "two operations per edge and shifts probability from one to the other.",
        paths="one_path",
        learned="logits",
        learner="two_paths",
        learner_paths="two_paths",
        searcher="derived",
        settings=ProxylessSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
