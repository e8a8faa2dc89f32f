"""`architecture.json`: what is known about a found architecture, checked when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.export.files import read_file, write_file
from engine.spaces import get_space
from engine.spec.errors import ArchitectureError, ExportError, SpecError
from engine.spec.network import NetworkSpec

MAX_BYTES = 16_000_000


class DataRecord(BaseModel):
    """The data that the network is for, as far as one needs it to use the network.

    `mean` and `std` are per channel, of pixel values from 0 to 1; None where the network was
    trained on the plain values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    source: str = ""
    classes: tuple[str, ...]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    fingerprint: str = ""

    @model_validator(mode="after")
    def _pairs(self) -> DataRecord:
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std go together")
        if self.mean is not None and self.std is not None and len(self.mean) != len(self.std):
            raise ValueError("mean and std need one number per channel each")
        if self.std is not None and min(self.std, default=1.0) <= 0:
            raise ValueError("std must be above 0")
        return self

    @classmethod
    def of(cls, described: Mapping[str, Any], normalised: bool = True) -> DataRecord:
        """Take the fields from `PreparedData.describe()` (the `data` field of `run_started`).

        Args:
            described: name, source, classes, mean, std, fingerprint; more is ignored.
            normalised: False where `data.augmentation.normalise` was off.
        """
        return cls(
            name=described["name"],
            source=described["source"],
            classes=tuple(described["classes"]),
            mean=tuple(described["mean"]) if normalised else None,
            std=tuple(described["std"]) if normalised else None,
            fingerprint=described["fingerprint"],
        )


class ArchitectureRecord(BaseModel):
    """Content of `architecture.json`. Accuracies are in percent; None: not measured.

    `params` and `flops` (multiply-adds of one image) are counted as the space's benchmark counts
    them; a network without its dead operations can be smaller.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: Literal[1] = 1
    space: str
    space_settings: dict[str, Any] = Field(default_factory=dict)
    indices: tuple[int, ...]
    text: str
    canonical: str
    network: NetworkSpec
    params: int = Field(ge=0)
    flops: int = Field(ge=0)
    rank: int | None = Field(None, ge=1)
    super_net_accuracy: float | None = None
    stand_alone_accuracy: float | None = None
    data: DataRecord | None = None
    run_id: str | None = None
    run_name: str | None = None
    algorithm: str | None = None
    searcher: str | None = None
    seed: int | None = None

    @property
    def search_space(self) -> Space:
        """The space with its settings; raises SpecError where there is no such space."""
        return get_space(self.space, self.space_settings)

    @property
    def architecture(self) -> Architecture:
        """The architecture itself."""
        return Architecture(self.space, self.indices)

    @model_validator(mode="after")
    def _channels(self) -> ArchitectureRecord:
        mean = None if self.data is None else self.data.mean
        if mean is not None and len(mean) != self.network.input_channels:
            raise ValueError(
                f"data.mean has {len(mean)} numbers for {self.network.input_channels} channels"
            )
        if self.data is not None and len(self.data.classes) != self.network.classes:
            raise ValueError(
                f"data.classes names {len(self.data.classes)} classes, but the network has "
                f"{self.network.classes}"
            )
        return self


def describe(
    architecture: Architecture,
    network: NetworkSpec,
    space_settings: Mapping[str, Any] | None = None,
    **known: Any,
) -> ArchitectureRecord:
    """Make the record of an architecture.

    Args:
        architecture: of a registered space.
        network: the skeleton it was found or trained in.
        space_settings: settings of the space; None: its defaults.
        known: further fields of `ArchitectureRecord`, such as `rank`, `data` or `run_id`.

    Raises:
        ArchitectureError: the architecture does not belong to its space.
        SpecError: there is no such space.
        ExportError: a further field has an impossible value.
    """
    space = get_space(architecture.space, space_settings)
    network = network.model_copy(update=dict(space.fixed))
    cost = space.cost(space.check(architecture), network)
    derived = {
        "space": architecture.space,
        "space_settings": dict(space_settings or {}),
        "indices": architecture.indices,
        "text": space.to_text(architecture),
        "canonical": space.canonical(architecture),
        "network": network,
        "params": cost.params,
        "flops": cost.flops,
    }
    try:
        return ArchitectureRecord.model_validate({**derived, **known})
    except ValidationError as error:
        raise ExportError(f"This architecture cannot be recorded: {_first(error)}.") from None


def architecture_json(record: ArchitectureRecord) -> str:
    """Return the text of `architecture.json`."""
    return json.dumps(record.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"


def write_architecture_json(path: Path, record: ArchitectureRecord) -> Path:
    """Write `architecture.json` atomically."""
    return write_file(path, architecture_json(record))


def parse_architecture_json(
    text: str | bytes, where: str = "architecture.json"
) -> ArchitectureRecord:
    """Read and check a record: text, canonical form and counts must follow from the indices.

    Args:
        text: JSON.
        where: what to call it in messages.

    Raises:
        ExportError: not such a record, of a newer format, or contradicting itself.
    """
    if len(text) > MAX_BYTES:
        raise ExportError(f"{where} is larger than {MAX_BYTES // 10**6} MB; this is no record.")
    try:
        record = ArchitectureRecord.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise ExportError(f"{where} is not an architecture record: {_first(error)}.") from None
    try:
        derived = describe(record.architecture, record.network, record.space_settings)
    except (ArchitectureError, SpecError) as error:
        raise ExportError(f"{where} cannot be used: {error}") from None
    for field in ("text", "canonical", "params", "flops"):
        if getattr(record, field) != getattr(derived, field):
            raise ExportError(
                f"{where} contradicts itself: `{field}` is {getattr(record, field)!r:.200}, but "
                f"its indices give {getattr(derived, field)!r:.200}. Export it again."
            )
    return record


def load_architecture_json(path: Path) -> ArchitectureRecord:
    """Read `architecture.json`; see `parse_architecture_json` for errors."""
    return parse_architecture_json(read_file(path), str(path))


def _first(error: ValidationError) -> str:
    item = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    given = item.get("input")
    shown = "" if isinstance(given, (dict, str)) and not field else f" (given was {given!r:.60})"
    return f"`{field}`: {message}{shown}" if field else message
