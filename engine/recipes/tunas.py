"""TuNAS: REINFORCE beside every weight update, with an absolute reward (001 §5.4)."""

from __future__ import annotations

from pydantic import ConfigDict, Field, model_validator

from engine.core import capabilities
from engine.recipes.registry import Recipe, register_recipe
from engine.recipes.settings import CostSettings, PolicySettings


class TunasSettings(PolicySettings, CostSettings):
    """Settings of TuNAS."""

    model_config = ConfigDict(extra="forbid")

    policy_learning_rate: float = Field(
        3e-3, gt=0, le=10, description="Learning rate of the policy (Adam)."
    )
    policy_samples: int = Field(
        1,
        ge=1,
        le=1000,
        description="Architectures drawn per update of the policy; all are judged on the same "
        "held-out batch.",
        json_schema_extra={"unit": "architectures"},
    )
    baseline_momentum: float = Field(
        0.95,
        ge=0,
        lt=1,
        description="Momentum of the moving average of rewards, which is subtracted from them.",
    )
    entropy_weight: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Weight of the policy's entropy (nats) beside the reward.",
    )
    policy_warm_up: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="Share of the training with uniform paths and no learning; at first all "
        "layers are as wide as they can be, with a chance that falls to 0.",
        json_schema_extra={"unit": "share of updates"},
    )
    cost_target: float | None = Field(
        None,
        gt=0,
        description="The cost to aim at: parameters, or multiply-adds of one image.",
        json_schema_extra={"shown_if": {"cost": ["params", "flops"]}},
    )
    cost_weight: float = Field(
        -0.1,
        ge=-1000,
        lt=0,
        description="Weight beta of |cost / target - 1|; -0.1 takes one accuracy point for "
        "missing the target by a tenth.",
        json_schema_extra={"shown_if": {"cost": ["params", "flops"]}},
    )

    @model_validator(mode="after")
    def _target_is_given(self) -> TunasSettings:
        if self.cost != "none" and self.cost_target is None:
            raise ValueError(f"give `cost_target`, the {self.cost} to aim at")
        return self


TUNAS = register_recipe(
    Recipe(
        name="tunas",
        title="TuNAS",
        source="Bender et al., CVPR 2020; 001 §5.4 (masking and sampling)",
        help="Independent distributions per choice learn by REINFORCE beside every weight update. "
        "The reward is accuracy, less a price for missing a cost target on either side.",
        paths="warmed",
        learned="factored",
        learner="absolute_reward",
        searcher="derived",
        settings=TunasSettings,
        requires=frozenset({capabilities.SHARED_WEIGHTS}),
        addons=frozenset({"landmark", "plasticity"}),
    )
)
