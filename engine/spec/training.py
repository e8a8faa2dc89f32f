"""How weights are trained: optimiser, schedule, and the super-net's and stand-alone protocols."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class OptimiserSpec(BaseModel):
    """SGD with momentum and a learning-rate schedule over the whole training."""

    model_config = ConfigDict(extra="forbid")

    learning_rate: float = Field(
        0.025,
        gt=0,
        le=10,
        description="Learning rate at the start. Super-nets want less than stand-alone nets: "
        "0.025 in Table 6.13 of Yu's thesis.",
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD.")
    nesterov: bool = Field(True, description="Use Nesterov's form of momentum.")
    weight_decay: float = Field(
        5e-4, ge=0, le=1, description="L2 penalty on all weights (0.0005 in NATS-Bench)."
    )
    schedule: Literal["cosine", "constant", "linear"] = Field(
        "cosine", description="How the learning rate falls to zero over the epochs."
    )
    gradient_clip: float | None = Field(
        5.0, gt=0, description="Largest norm of one update's gradient; empty: no clipping."
    )


class SuperNetSpec(BaseModel):
    """Training of the shared weights (the weight-sharing protocol of 000 ch. 6)."""

    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(
        400,
        ge=1,
        le=100_000,
        description="Passes over the training part, over all rounds together (400 in Table 6.13).",
        json_schema_extra={"unit": "epochs"},
    )
    batch_size: int = Field(
        128,
        ge=2,
        le=65_536,
        description="Images per step, in training and when sub-nets are evaluated.",
        json_schema_extra={"unit": "images"},
    )
    optimiser: OptimiserSpec = Field(default_factory=OptimiserSpec, description="Optimiser.")
    unsampled: Literal["frozen", "decayed"] = Field(
        "frozen",
        description="Weights that a step did not use: leave them as they are, or let momentum "
        "and weight decay go on moving them.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="Arithmetic of the forward pass; bfloat16 is faster on new GPUs."
    )
    checkpoint_every: int = Field(
        10,
        ge=1,
        description="Epochs between checkpoints; at most this much work is lost in a crash.",
        json_schema_extra={"unit": "epochs"},
    )


class StandAloneSpec(BaseModel):
    """The protocol by which one architecture is trained by itself to give its ground truth."""

    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(
        12,
        ge=1,
        le=10_000,
        description="Passes over the training part (12 or 200 in NATS-Bench).",
        json_schema_extra={"unit": "epochs"},
    )
    batch_size: int = Field(
        256,
        ge=2,
        le=65_536,
        description="Images per step (256 in NATS-Bench).",
        json_schema_extra={"unit": "images"},
    )
    optimiser: OptimiserSpec = Field(
        default_factory=lambda: OptimiserSpec(learning_rate=0.1),
        description="Optimiser; NATS-Bench starts at a learning rate of 0.1.",
    )
    replicates: int = Field(
        1,
        ge=1,
        le=100,
        description="Trainings per architecture with different initialisation, averaged. More "
        "replicates make the ground truth less noisy.",
        json_schema_extra={"unit": "trainings"},
    )
