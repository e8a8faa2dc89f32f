"""Settings that several algorithms share; recipes put theirs together from these. No torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EncodingSettings(BaseModel):
    """How a single architecture is read out of a continuous super-net (000 §7.4.5)."""

    model_config = ConfigDict(extra="forbid")

    encoding: Literal["soft_one_hot", "one_hot"] = Field(
        "soft_one_hot",
        description="Weights with which one architecture runs in the super-net, for scores and "
        "landmarks: nearly uniform with a surplus on the chosen options, or these options only.",
    )
    surplus: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="Surplus D of the chosen option in the soft one-hot encoding (0.01 in 000 "
        "§7.4.5).",
        json_schema_extra={"shown_if": {"encoding": "soft_one_hot"}},
    )


class AlphaSettings(BaseModel):
    """Adam on the architecture parameters; the defaults are those of DARTS."""

    model_config = ConfigDict(extra="forbid")

    alpha_learning_rate: float = Field(
        3e-4, gt=0, le=10, description="Learning rate of the architecture parameters."
    )
    alpha_weight_decay: float = Field(
        1e-3, ge=0, le=1, description="L2 penalty on the architecture parameters."
    )
    alpha_warm_up: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the training before the architecture parameters move.",
        json_schema_extra={"unit": "share of updates"},
    )


class TemperatureSettings(BaseModel):
    """Temperature of Gumbel-softmax weights, over the whole training."""

    model_config = ConfigDict(extra="forbid")

    tau_start: float = Field(
        10.0, gt=0, le=1000, description="Temperature at the start; high ones level the weights."
    )
    tau_end: float = Field(
        0.1, gt=0, le=1000, description="Temperature at the end; low ones sharpen the weights."
    )
    tau_schedule: Literal["linear", "exponential"] = Field(
        "linear", description="How the temperature goes from start to end."
    )


class CostSettings(BaseModel):
    """Which cost of the network the architecture parameters pay for, besides the loss."""

    model_config = ConfigDict(extra="forbid")

    cost: Literal["none", "params", "flops"] = Field(
        "none",
        description="Cost of the network that the architecture parameters keep low: none, its "
        "number of parameters, or its multiply-adds per image.",
    )


class PartialChannelSettings(BaseModel):
    """How many channels take part (PC-DARTS)."""

    model_config = ConfigDict(extra="forbid")

    partial_channels: int = Field(
        4,
        ge=1,
        le=64,
        description="1/K of the channels go through the operations, the others pass by (K = 4 on "
        "CIFAR-10). It sets `network.sharing.partial_channels`.",
    )


class PolicySettings(BaseModel):
    """REINFORCE on a distribution over architectures; the defaults are those of ENAS."""

    model_config = ConfigDict(extra="forbid")

    policy_learning_rate: float = Field(
        3.5e-4, gt=0, le=10, description="Learning rate of the policy (Adam)."
    )
    policy_samples: int = Field(
        10,
        ge=1,
        le=1000,
        description="Architectures drawn per update of the policy; all are judged on the same "
        "held-out batch.",
        json_schema_extra={"unit": "architectures"},
    )
    baseline_momentum: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="Momentum of the moving average of rewards, which is subtracted from them.",
    )
    entropy_weight: float = Field(
        1e-4,
        ge=0,
        le=10,
        description="Weight of the policy's entropy (nats) beside the reward, which is an "
        "accuracy between 0 and 1: larger values keep it exploring.",
    )


class PolicyStepsSettings(PolicySettings):
    """REINFORCE in turns with whole epochs of weight updates."""

    model_config = ConfigDict(extra="forbid")

    policy_steps: int = Field(
        30,
        ge=1,
        le=100_000,
        description="Updates of the policy after every epoch.",
        json_schema_extra={"unit": "updates"},
    )
