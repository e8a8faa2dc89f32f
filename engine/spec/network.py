"""Skeleton and normalisation settings: what surrounds the searched part."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NormSpec(BaseModel):
    """Batch normalisation in the super-net (000 §6.4.2, factors "BN affine × statistics")."""

    model_config = ConfigDict(extra="forbid")

    affine: bool = Field(
        True,
        description="Learn a scale and a shift per channel. Table 6.13 of Yu's thesis turns it on "
        "for NAS-Bench-101 and -201 and off for the DARTS space.",
    )
    statistics: Literal["batch", "moving", "recalibrated"] = Field(
        "batch",
        description="Statistics used when the super-net is evaluated: those of the evaluation "
        "batch (recommended), moving averages from training (known to break the ranking), or "
        "moving averages measured anew for each architecture.",
    )
    momentum: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Weight of the newest batch in the moving averages (0.1 is usual).",
        json_schema_extra={"unit": "share"},
    )
    recalibration_batches: int = Field(
        8,
        ge=1,
        le=1000,
        description="Training batches on which recalibrated statistics are measured.",
        json_schema_extra={"unit": "batches", "shown_if": {"statistics": "recalibrated"}},
    )


class SharingSpec(BaseModel):
    """How architectures are mapped to shared weights (f_ws; 000 §6.4.5, Tables 6.8 and 6.12).

    Of super-nets only: networks that are trained by themselves have nothing to share.
    """

    model_config = ConfigDict(extra="forbid")

    dynamic_channels: Literal["fixed", "shuffle", "interpolate"] = Field(
        "fixed",
        description="How a layer with fewer channels is made from the widest one: its first "
        "channels, a random choice of them, or an average over neighbouring channels. Sub-spaces "
        "with one width need none of them.",
    )
    ofa_kernel: bool = Field(
        False,
        description="Convolutions of one place share their largest kernel; smaller kernels are "
        "learned projections of its middle (once-for-all).",
    )
    edge_norms: bool = Field(
        False,
        description="Scale, shift and statistics of normalisations of their own for every "
        "incoming edge (WSBN).",
    )
    path_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Chance that an edge's result is left out for an image in training; 0: never.",
        json_schema_extra={"unit": "probability"},
    )
    global_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Chance that a number is blanked before the global pooling in training; 0: "
        "never.",
        json_schema_extra={"unit": "probability"},
    )
    operations_on: Literal["default", "edge", "node"] = Field(
        "default",
        description="Whether every edge has operations of its own, or all edges into a node share "
        "them. Default: as the space does.",
    )
    partial_channels: int = Field(
        1,
        ge=1,
        le=64,
        description="1/k of the channels go through the operations, the others pass by (PC-DARTS: "
        "4); 1 is off.",
    )

    @property
    def draws(self) -> bool:
        """Whether passes that train draw at random, so that routes have no part in common."""
        dropout = self.path_dropout > 0 or self.global_dropout > 0
        return dropout or self.dynamic_channels == "shuffle"

    def changed(self) -> list[str]:
        """Return the names of the fields that differ from their defaults."""
        plain = SharingSpec()
        return [n for n in SharingSpec.model_fields if getattr(self, n) != getattr(plain, n)]


class NetworkSpec(BaseModel):
    """The skeleton in which cells are stacked; the defaults are NAS-Bench-201's published ones."""

    model_config = ConfigDict(extra="forbid")

    channels: int = Field(
        16,
        ge=1,
        le=512,
        description="Output channels of the stem; later stages double them. In `nats_size`, 16 "
        "gives the published widths, and others scale all widths along; `nb101` is published "
        "with 128.",
        json_schema_extra={"unit": "channels"},
    )
    cells: int = Field(
        5,
        ge=1,
        le=36,
        description="Cells per stage, or in all, as the space defines it (NAS-Bench-201: 5 in "
        "each of 3 stages; NAS-Bench-101: 3 in each of 3 stacks; `nats_size` always has 1).",
        json_schema_extra={"unit": "cells"},
    )
    classes: int = Field(
        10, ge=2, le=100_000, description="Taken from the data when a run starts."
    )
    input_channels: int = Field(3, ge=1, le=64, description="Taken from the data.")
    resolution: int = Field(
        32,
        ge=4,
        le=1024,
        description="Height and width of the images; taken from the data.",
        json_schema_extra={"unit": "pixels"},
    )
    norm: NormSpec = Field(default_factory=NormSpec, description="Batch normalisation.")
    sharing: SharingSpec = Field(
        default_factory=SharingSpec, description="Mapping of architectures to shared weights."
    )
