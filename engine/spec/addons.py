"""Settings of what can be added to any weight-sharing algorithm."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Schedule = Literal["const", "cos_up", "cos_down", "step_up", "step_down"]
LossForm = Literal["relu", "softplus", "relu_norm", "sign", "tanh"]


class LandmarkSpec(BaseModel):
    """Landmark regularisation (002; 000 ch. 7): keep the known ranking of a few architectures."""

    model_config = ConfigDict(extra="forbid")

    per_round: int = Field(
        10,
        ge=2,
        le=1000,
        description="Landmarks M chosen at the start, and added after each round (10 in the "
        "paper).",
        json_schema_extra={"unit": "architectures"},
    )
    rounds: int = Field(
        3,
        ge=1,
        le=100,
        description="Rounds T: after each but the last, the M best architectures of the super-net "
        "are trained stand-alone and join the landmarks (3 in the paper).",
        json_schema_extra={"unit": "rounds"},
    )
    pairs: int = Field(
        1,
        ge=1,
        le=1000,
        description="Pairs m of landmarks compared in each step (eq. 6; 1 is enough by Table 7).",
        json_schema_extra={"unit": "pairs"},
    )
    min_distance: int = Field(
        3,
        ge=0,
        le=1000,
        description="A landmark differs from the first one in more than this many choices "
        "(threshold tau of Algorithm 1).",
        json_schema_extra={"unit": "choices"},
    )
    earlier_runs: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="Run folders or run ids whose landmarks and found architectures become the "
        "first landmarks, the best first; the others are drawn.",
    )
    weight: float = Field(
        10.0,
        ge=0,
        le=1e6,
        description="Largest weight lambda of the term (10 in the paper; Table 5 also has 1 and "
        "100).",
    )
    schedule: Schedule = Field(
        "cos_up",
        description="How the weight changes over the epochs. cos_up rises from 0 and is the best "
        "in Table 5; cos_down is eq. 7 as it is printed; step_up and step_down change in thirds, "
        "const never.",
    )
    warm_up: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of the epochs before the term acts, while the weights are random.",
        json_schema_extra={"unit": "share of epochs"},
    )
    loss: LossForm = Field(
        "relu",
        description="Form of the penalty on a wrongly ordered pair (000 Table 7.8; relu is the "
        "best there).",
    )


class PlasticitySpec(BaseModel):
    """Weight plasticity loss (000 ch. 4): training one architecture spares what others need."""

    model_config = ConfigDict(extra="forbid")

    weight: float = Field(
        1e4,
        gt=0,
        le=1e12,
        description="Weight alpha of the term at the start. It multiplies squared gradients, "
        "which are small numbers, and so is large.",
    )
    decay: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="How alpha falls to zero over the epochs after the warm-up."
    )
    warm_up: int = Field(
        3,
        ge=0,
        le=100_000,
        description="Epochs before the term acts, while the weights are still random (3 for "
        "images, 5 for language in the thesis).",
        json_schema_extra={"unit": "epochs"},
    )
    momentum: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Share eta of the newest squared gradient in the Fisher information.",
    )
    flush_every: int = Field(
        3,
        ge=1,
        le=100_000,
        description="The Fisher information starts anew after this many epochs.",
        json_schema_extra={"unit": "epochs"},
    )


class AddonsSpec(BaseModel):
    """Add-ons that are switched on; an empty entry is off."""

    model_config = ConfigDict(extra="forbid")

    landmark: LandmarkSpec | None = Field(
        None, description="Landmark regularisation, or empty for none."
    )
    plasticity: PlasticitySpec | None = Field(
        None, description="Weight plasticity loss, or empty for none."
    )
