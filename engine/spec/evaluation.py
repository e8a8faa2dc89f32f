"""How a super-net is judged and searched: the correlation sample, its truth, the search."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class GroundTruthSpec(BaseModel):
    """Where stand-alone accuracies come from."""

    model_config = ConfigDict(extra="forbid")

    source: Literal["train", "table"] = Field(
        "train",
        description="Train the sampled architectures stand-alone (each is kept in the results "
        "bank and never trained twice), or look them up in a table.",
    )
    table: str | None = Field(
        None,
        description="Name of an imported table (`python -m engine table list`), or path of a CSV "
        "file, optionally gzipped, with one row per architecture.",
        json_schema_extra={"shown_if": {"source": "table"}},
    )
    column: str | None = Field(
        None,
        description="Column of the table that ranks the correlation sample and the result.",
        json_schema_extra={"shown_if": {"source": "table"}},
    )
    landmark_column: str | None = Field(
        None,
        description="Column that ranks the landmarks; a validation column where there is one. "
        "Empty: the same as `column`.",
        json_schema_extra={"shown_if": {"source": "table"}},
    )
    part: Literal["test", "held_out"] = Field(
        "test",
        description="Part of the data on which trained architectures are compared. Landmarks are "
        "always ranked on the held-out part.",
        json_schema_extra={"shown_if": {"source": "train"}},
    )


class EvaluationSpec(BaseModel):
    """The correlation sample and when it is evaluated (002 §5, 000 §6.3)."""

    model_config = ConfigDict(extra="forbid")

    sample: int = Field(
        200,
        ge=2,
        le=1_000_000,
        description="Random architectures whose super-net and stand-alone accuracies are "
        "compared; landmarks are never among them (200 in the paper; stable from 150 on).",
        json_schema_extra={"unit": "architectures"},
    )
    every: int = Field(
        10,
        ge=1,
        le=100_000,
        description="Epochs between two evaluations of the ranking.",
        json_schema_extra={"unit": "epochs"},
    )
    threshold: float = Field(
        0.1,
        gt=0,
        le=100,
        description="Stand-alone accuracies closer than this count as equal in the sparse "
        "correlations (000 §6.3.3 rounds to 0.1).",
        json_schema_extra={"unit": "accuracy points"},
    )
    images: int | None = Field(
        None,
        ge=2,
        description="Held-out images on which sub-nets are scored; empty: all of them.",
        json_schema_extra={"unit": "images"},
    )
    forgetting: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Architectures of every epoch whose error is measured right after their own "
        "update and again at the end of the epoch (multi-model forgetting); 0: none.",
        json_schema_extra={"unit": "architectures"},
    )
    ground_truth: GroundTruthSpec = Field(
        default_factory=GroundTruthSpec, description="Where stand-alone accuracies come from."
    )


class SearchSpec(BaseModel):
    """Search on super-net accuracy after training (SPOS: population 50, 20 generations)."""

    model_config = ConfigDict(extra="forbid")

    population: int = Field(
        50,
        ge=2,
        le=100_000,
        description="Architectures that are scored in a generation (50 in SPOS).",
        json_schema_extra={"unit": "architectures"},
    )
    generations: int = Field(
        20,
        ge=1,
        le=100_000,
        description="Generations (20 in SPOS); random search gets the same number of evaluations.",
        json_schema_extra={"unit": "generations"},
    )
    parents: int = Field(
        10,
        ge=1,
        le=100_000,
        description="Best architectures seen so far from which children are made (10 in SPOS).",
        json_schema_extra={"unit": "architectures"},
    )
    mutation: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Chance that a choice of a mutated child is drawn anew (0.1 in SPOS).",
        json_schema_extra={"unit": "probability"},
    )
    max_params: int | None = Field(
        None,
        ge=1,
        description="Larger networks are not searched; empty: no limit.",
        json_schema_extra={"unit": "parameters"},
    )
    max_flops: int | None = Field(
        None,
        ge=1,
        description="Networks that need more per image are not searched; empty: no limit.",
        json_schema_extra={"unit": "multiply-adds"},
    )
    keep: int = Field(
        5,
        ge=1,
        le=1000,
        description="Best architectures that are reported, trained stand-alone and exported.",
        json_schema_extra={"unit": "architectures"},
    )
