"""`architectures/<rank>/`: everything of a found architecture that can be taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.core.architecture import Architecture
from engine.export.files import write_file
from engine.export.graph_svg import svg
from engine.export.python_source import python_source
from engine.export.record import (
    ArchitectureRecord,
    DataRecord,
    describe,
    load_architecture_json,
    write_architecture_json,
)
from engine.export.sources import Selects, get_source
from engine.export.weights_file import exported_weights
from engine.spaces import get_space
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

RECORD, SOURCE, WEIGHTS, DRAWING, ONNX = (
    "architecture.json",
    "model.py",
    "weights.safetensors",
    "graph.svg",
    "model.onnx",
)


@dataclass(frozen=True)
class FoundArchitecture:
    """What a run knows of an architecture that it found.

    Attributes:
        architecture: of a registered space.
        network: the skeleton it was found in.
        super_net_accuracy: with the super-net's weights, in percent.
        stand_alone_accuracy: trained by itself, in percent.
        space_settings: settings of its space.
        run_id: the run that found it.
        data: `PreparedData.describe()` of the data it was trained on.
        normalised: images were normalised by the data's mean and std.
        weights: safetensors file with the state of our stand-alone network; None: not trained.
        trained_as: the architecture whose state that is, where it is an identical network with
            other indices (equal canonical form); None: the architecture itself.
        run_name: title of the experiment.
        algorithm: its search algorithm.
        searcher: the search that found the architecture.
        seed: the run's seed.
    """

    architecture: Architecture
    network: NetworkSpec
    super_net_accuracy: float | None = None
    stand_alone_accuracy: float | None = None
    space_settings: Mapping[str, Any] = field(default_factory=dict)
    run_id: str | None = None
    data: Mapping[str, Any] | None = None
    normalised: bool = True
    weights: Path | None = None
    trained_as: Architecture | None = None
    run_name: str | None = None
    algorithm: str | None = None
    searcher: str | None = None
    seed: int | None = None

    def record(self, rank: int | None = None) -> ArchitectureRecord:
        """Return what `architecture.json` says; see `describe` for errors."""
        return describe(
            self.architecture,
            self.network,
            self.space_settings,
            rank=rank,
            super_net_accuracy=self.super_net_accuracy,
            stand_alone_accuracy=self.stand_alone_accuracy,
            data=None if self.data is None else DataRecord.of(self.data, self.normalised),
            run_id=self.run_id,
            run_name=self.run_name,
            algorithm=self.algorithm,
            searcher=self.searcher,
            seed=self.seed,
        )


def write_architecture_folder(folder: Path, found: FoundArchitecture) -> ArchitectureRecord:
    """Write `architecture.json`, `model.py`, `graph.svg` and, where trained, the weights.

    Files of an earlier version of the folder are replaced, or removed where they no longer
    apply (`model.onnx` is made on request, see `engine.export.command`). `architecture.json`
    comes last: a folder that has one is complete.

    Args:
        folder: `architectures/<rank>`; the rank is taken from its name.
        found: the architecture.

    Raises:
        ExportError: no Python source for the space, weights of another network, a full disk.
        ArchitectureError: the architecture does not belong to its space.
    """
    found = _fitting(found)
    rank = int(folder.name) if folder.name.isdecimal() else None
    record = found.record(rank)
    trained = found.weights is not None
    source = python_source(record, WEIGHTS if trained else None)
    for name in (RECORD, ONNX, *([] if trained else [WEIGHTS])):
        _remove(folder / name)
    if found.weights is not None:
        write_file(folder / WEIGHTS, exported_weights(found.weights, record, found.trained_as))
    write_file(folder / SOURCE, source)
    write_file(folder / DRAWING, drawing(record))
    write_architecture_json(folder / RECORD, record)
    return record


def _fitting(found: FoundArchitecture) -> FoundArchitecture:
    """Return what is written: the architecture, or where weights do not fit, the trained one.

    The two have equal canonical forms, but benchmarks can call networks the same that differ in
    which layer has one channel more (`nb101`).
    """
    if found.weights is None or found.trained_as is None:
        return found
    source = get_source(get_space(found.architecture.space, found.space_settings))
    if not isinstance(source, Selects):
        return found
    if source.fits(found.architecture, found.trained_as, found.network):
        return found
    return replace(found, architecture=found.trained_as, trained_as=None)


def drawing(record: ArchitectureRecord) -> str:
    """Return the SVG drawing of a recorded architecture."""
    return svg(record.search_space.graphs(record.architecture), title=record.text)


def open_architecture(run_dir: Path, rank: int) -> tuple[Path, ArchitectureRecord]:
    """Return the folder and the record of a found architecture of a run.

    Raises:
        ExportError: no run, no such rank (the message lists those there are), damaged files.
    """
    if not run_dir.is_dir():
        raise ExportError(f"There is no run folder {run_dir}.")
    folder = run_dir / "architectures" / str(rank)
    if not (folder / RECORD).is_file():
        ranks = sorted(
            int(path.parent.name)
            for path in (run_dir / "architectures").glob(f"*/{RECORD}")
            if path.parent.name.isdecimal()
        )
        listed = f"it has {', '.join(map(str, ranks))}" if ranks else "it has none yet"
        raise ExportError(f"Run {run_dir.name} has no architecture of rank {rank}; {listed}.")
    return folder, load_architecture_json(folder / RECORD)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(
            f"Cannot write {path}: {error.strerror}. Choose another place."
        ) from error
