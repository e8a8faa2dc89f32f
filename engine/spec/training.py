"""How weights are trained: optimiser, schedule, and the super-net's and stand-alone protocols."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.spec.network import NetworkSpec


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
    momentum: float = Field(
        0.9,
        ge=0,
        lt=1,
        description="Share of the last step's direction that "
        "the next one keeps (0.9 in NATS-Bench).",
    )
    nesterov: bool = Field(
        True,
        description="Look ahead along the momentum before the gradient is "
        "taken (Nesterov; on in NATS-Bench).",
    )
    weight_decay: float = Field(
        5e-4, ge=0, le=1, description="L2 penalty on all weights (0.0005 in NATS-Bench)."
    )
    schedule: Literal["cosine", "constant", "linear"] = Field(
        "cosine",
        description="How the learning rate goes on from its start: to zero along a cosine (as in "
        "NATS-Bench) or a line, or not at all.",
    )
    gradient_clip: float | None = Field(
        5.0,
        gt=0,
        description="Largest norm of one update's gradient; longer ones are shortened (5 in "
        "DARTS). Empty: no clipping.",
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
        description="Images per step, in training and when sub-nets are evaluated. More of them "
        "steady the gradient and need more memory.",
        json_schema_extra={"unit": "images"},
    )
    optimiser: OptimiserSpec = Field(default_factory=OptimiserSpec, description="Optimiser.")
    unsampled: Literal["frozen", "decayed"] = Field(
        "frozen",
        description="Weights that a step did not use: leave them as they are, or let momentum "
        "and weight decay go on moving them, as optimisers do that do not know of paths.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="Arithmetic of the forward pass: exact to seven digits, or to three, which is "
        "faster on new GPUs.",
    )
    recompute: bool = Field(
        False,
        description="Keep less in memory: operations of several layers are computed again in the "
        "backward pass (about half the memory of a DARTS mixture, a tenth more time).",
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
        # Not a factory: schemas show what is written out.
        OptimiserSpec(learning_rate=0.1),
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
    channels: int | None = Field(
        None,
        ge=1,
        le=512,
        description="Channels of the stand-alone network where they differ from the super-net's "
        "(f_proxy and f_ws of 000 §6.2; DARTS searches with 16 and trains with 36). Empty: as "
        "in `network`.",
        json_schema_extra={"unit": "channels"},
    )
    cells: int | None = Field(
        None,
        ge=1,
        le=36,
        description="Cells of the stand-alone network, likewise (DARTS searches with 8 and "
        "trains with 20). Empty: as in `network`.",
        json_schema_extra={"unit": "cells"},
    )
    affine: Literal["inherit", "learned", "none"] = Field(
        "inherit",
        description="Scale and shift of the stand-alone network's normalisation: as in "
        "`network.norm`, learned, or none (DARTS searches without and trains with them).",
    )
    auxiliary_weight: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Weight of the loss of an auxiliary classifier at two thirds of the depth, "
        "which helps training and is not part of the trained network (0.4 in DARTS; 0: none).",
    )
    drop_path: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Probability at the end of training that an operation's result is left out "
        "for an image; it rises linearly with the epochs from 0 (0.2 in DARTS; 0: never).",
        json_schema_extra={"unit": "probability"},
    )

    def skeleton(self, network: NetworkSpec) -> NetworkSpec:
        """Return the skeleton of stand-alone networks, from that of the super-net."""
        sizes = {"channels": self.channels, "cells": self.cells}
        changes: dict[str, Any] = {k: v for k, v in sizes.items() if v is not None}
        if self.affine != "inherit":
            learned = {"affine": self.affine == "learned"}
            changes["norm"] = network.norm.model_copy(update=learned)
        return network.model_copy(update=changes)
