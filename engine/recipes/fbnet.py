"""FBNet: soft Gumbel weights on all operations, and a loss that knows the cost."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import (
    AlphaSettings,
    CostSettings,
    EncodingSettings,
    TemperatureSettings,
)


class FbnetSettings(AlphaSettings, TemperatureSettings, CostSettings, EncodingSettings):
    """Settings of FBNet; the defaults are the paper's.

    There the temperature is multiplied by exp(-0.045) = 0.956 after each of 90 epochs, the first
    10 of which leave the architecture parameters alone. Both are shares of the training here.
    """

    model_config = ConfigDict(extra="forbid")

    alpha_learning_rate: float = Field(
        0.01, gt=0, le=10, description="Learning rate of the architecture parameters."
    )
    alpha_weight_decay: float = Field(
        5e-4, ge=0, le=1, description="L2 penalty on the architecture parameters."
    )
    alpha_warm_up: float = Field(
        0.11,
        ge=0,
        lt=1,
        description="Share of the training before the architecture parameters move (10 of 90 "
        "epochs in the paper).",
        json_schema_extra={"unit": "share of updates"},
    )
    tau_start: float = Field(
        5.0, gt=0, le=1000, description="Temperature at the start; high ones level the weights."
    )
    tau_end: float = Field(
        0.087,
        gt=0,
        le=1000,
        description="Temperature at the end (5 * 0.956^90 in the paper); low ones sharpen the "
        "weights.",
    )
    tau_schedule: Literal["linear", "exponential"] = Field(
        "exponential", description="How the temperature goes from start to end."
    )
    cost_weight: float = Field(
        0.2,
        gt=0,
        le=1e6,
        description="Factor a of the loss, a * log(cost)^b (0.2 in the paper).",
        json_schema_extra={"shown_if": {"cost": ["params", "flops"]}},
    )
    cost_exponent: float = Field(
        0.6,
        ge=0,
        le=10,
        description="Exponent b of the factor a * log(cost)^b (0.6 in the paper).",
        json_schema_extra={"shown_if": {"cost": ["params", "flops"]}},
    )
    # At the end of the training the weights are nearly hard, and so is what is looked for. With
    # a temperature that stays high, soft_one_hot is closer to what was trained.
    encoding: Literal["soft_one_hot", "one_hot"] = Field(
        "one_hot",
        description="Weights with which one architecture runs in the super-net, for scores and "
        "landmarks: its options only, as at the low final temperature, or nearly uniform ones.",
    )


FBNET = register_recipe(
    Recipe(
        name="fbnet",
        title="FBNet",
        source="Wu et al., CVPR 2019; 000 §5.3.6 (without cost)",
        help="Every edge mixes all operations with Gumbel-softmax weights that grow hard; their "
        "logits learn from the loss times a power of the log cost. The best of a sample is kept.",
        paths="gumbel_soft",
        mixes=True,
        learned="logits",
        learner="fbnet",
        searcher="drawn",
        settings=FbnetSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS, capabilities.OP_MIXTURE}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
