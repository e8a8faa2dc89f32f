"""The experiment file: everything that a run depends on."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.spec.addons import AddonsSpec
from engine.spec.data import DataSpec
from engine.spec.evaluation import EvaluationSpec, SearchSpec
from engine.spec.network import NetworkSpec
from engine.spec.training import StandAloneSpec, SuperNetSpec


class PublishedFigure(BaseModel):
    """A figure that others have printed for the setting of an experiment."""

    model_config = ConfigDict(extra="forbid")

    value: float = Field(allow_inf_nan=False, description="Printed value, in the metric's unit.")
    source: str = Field(min_length=1, max_length=300, description="Paper and table.")


class ExperimentSpec(BaseModel):
    """One experiment with one seed. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        "Experiment", min_length=1, max_length=200, description="Title shown on the pages."
    )
    notes: str = Field("", max_length=20_000, description="Free text for yourself.")
    tags: list[str] = Field(
        default_factory=list, max_length=50, description="Words to find the runs by."
    )
    task: Literal["classification"] = Field(
        "classification", description="What the networks are trained for."
    )
    data: DataSpec = Field(default_factory=DataSpec, description="Data set and its splits.")
    space: str = Field(
        "nb201",
        description="What is chosen from: every architecture takes one option of each choice.",
    )
    space_settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of the search space itself, such as a sub-space; see `list spaces`.",
    )
    network: NetworkSpec = Field(
        default_factory=NetworkSpec, description="Skeleton around the searched cells."
    )
    algorithm: str = Field(
        "spos",
        description="How shared weights are trained, and how architectures are found with them. "
        "Algorithms that need what the space does not have stand last.",
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of the algorithm's own parts; see `list algorithms`.",
    )
    addons: AddonsSpec = Field(default_factory=AddonsSpec, description="Add-ons.")
    super_net: SuperNetSpec = Field(
        default_factory=SuperNetSpec, description="Training of the shared weights."
    )
    stand_alone: StandAloneSpec = Field(
        default_factory=StandAloneSpec, description="Training of single architectures."
    )
    evaluation: EvaluationSpec = Field(
        default_factory=EvaluationSpec, description="Correlation with the ground truth."
    )
    search: SearchSpec = Field(default_factory=SearchSpec, description="Search afterwards.")
    published: dict[str, PublishedFigure] = Field(
        default_factory=dict,
        description="Printed figures by metric, such as sparse_kendall_tau; they are shown beside "
        "what is measured and change nothing.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of all random draws of the run.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where to compute: auto takes the worker's GPU when it has one."
    )
