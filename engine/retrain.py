"""Training one found architecture from scratch, after its run: `engine train`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.core.architecture import Architecture
from engine.device import describe_device
from engine.evaluators.truth import TrainedTruth
from engine.export.folder import FoundArchitecture, open_architecture, write_architecture_folder
from engine.export.record import ArchitectureRecord
from engine.lab_folders import data_folder
from engine.materials import Materials
from engine.runs import RunFolder, write_json
from engine.spec.errors import DataError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build
from engine.tables.bank import BankRow

RECORD = "training.json"
Report = Callable[[str, int, int | None], None]


def train_found(
    run: RunFolder,
    rank: int,
    epochs: int | None = None,
    replicates: int | None = None,
    device: str | None = None,
    report: Report = lambda what, done, total: None,
) -> dict[str, Any]:
    """Train an architecture by itself with the run's `stand_alone` settings and keep the result.

    Every replicate is a row of the results bank, and one that the bank has is not trained again.
    Weights of the first replicate, `model.py` and the record go into
    `architectures/<rank>/trained-<protocol>/`.

    Args:
        run: a finished run.
        rank: of the architecture.
        epochs: instead of the run's `stand_alone.epochs`.
        replicates: instead of the run's `stand_alone.replicates`.
        device: `cpu`, `cuda` or `auto`; None: the run's.
        report: told (what is done, training steps done, of all).

    Returns:
        What was written as `training.json`, see `_summary`.

    Raises:
        WorkbenchError: no such architecture, an impossible setting, other data than the run had,
            or a training that cannot go on.
    """
    place, record = open_architecture(run.path, rank)
    spec, home = _changed(run.spec(), epochs, replicates, device), data_folder()
    report("Reading the data", 0, None)
    materials = Materials.gather(spec, home)
    _same_data(record, materials)
    truth = materials.trained_truth(spec, home)
    known = _known(truth, record.architecture)
    trained = truth.get(record.architecture, _poll(truth, known, report))
    rows = [_row(truth, record.architecture, index) for index in range(len(known))]
    folder = place / f"trained-{truth.trainer.protocol}"
    summary = _summary(run, rank, spec, materials, rows, known) | {
        "text": record.text,
        "accuracy": trained.value,
        "protocol": truth.trainer.protocol,
        "folder": folder.relative_to(run.path).as_posix(),
    }
    report("Writing the results", 0, None)
    _keep(folder, record, spec, materials, truth, trained.value)
    write_json(folder / RECORD, summary)
    return summary


def _changed(
    spec: ExperimentSpec, epochs: int | None, replicates: int | None, device: str | None
) -> ExperimentSpec:
    value = spec.model_dump(mode="json")
    changes = {"epochs": epochs, "replicates": replicates}
    value["stand_alone"] |= {k: v for k, v in changes.items() if v is not None}
    return build(value | ({} if device is None else {"device": device}))


def _same_data(record: ArchitectureRecord, materials: Materials) -> None:
    wanted = record.data.fingerprint if record.data else ""
    if wanted and wanted != materials.data.fingerprint:
        raise DataError(
            f"The data set `{materials.data.name}` is not the one that the run was made with: "
            "its images or its split have changed since. Put the old data back, or repeat the "
            "experiment."
        )


def _row(truth: TrainedTruth, architecture: Architecture, index: int) -> BankRow | None:
    form = truth.space.canonical(architecture)
    return truth.bank.get(truth.space.name, form, truth.trainer.protocol, index)


def _known(truth: TrainedTruth, architecture: Architecture) -> list[bool]:
    """Tell for every replicate whether the bank has it already."""
    wanted = range(truth.trainer.spec.replicates)
    return [_row(truth, architecture, index) is not None for index in wanted]


def _poll(truth: TrainedTruth, known: Sequence[bool], report: Report) -> Callable[[], None]:
    """Return what is called after every training step."""
    spec, images = truth.trainer.spec, truth.trainer.parts["train"]
    each = spec.epochs * images.batches_per_epoch(spec.batch_size)
    missing = [index for index, there in enumerate(known, start=1) if not there]
    done = 0

    def poll() -> None:
        nonlocal done
        done += 1
        number = missing[min((done - 1) // each, len(missing) - 1)]
        report(f"Training replicate {number} of {len(known)}", done, each * len(missing))

    return poll


def _summary(
    run: RunFolder,
    rank: int,
    spec: ExperimentSpec,
    materials: Materials,
    rows: Sequence[BankRow | None],
    known: Sequence[bool],
) -> dict[str, Any]:
    """Return run, settings and device, every replicate, and mean and std over the replicates."""
    found = [row for row in rows if row is not None]
    assert len(found) == len(known), "the truth was just learned"
    told = [
        {key: asdict(row)[key] for key in ("replicate", "held_out", "test", "loss", "seconds")}
        | {"origin": "bank" if there else "trained"}
        for row, there in zip(found, known, strict=True)
    ]
    return {
        "run_id": run.run_id,
        "rank": rank,
        "epochs": spec.stand_alone.epochs,
        "part": spec.evaluation.ground_truth.part,
        "device": describe_device(materials.device),
        "data": materials.data.name,
        "stand_alone": spec.stand_alone.model_dump(mode="json"),
        "replicates": told,
        "held_out": _spread([row.held_out for row in found]),
        "test": _spread([row.test for row in found]),
    }


def _spread(values: Sequence[float]) -> dict[str, Any]:
    """Return mean and sample standard deviation (n - 1), which one value does not have."""
    std = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": std, "n": len(values)}


def _keep(
    folder: Path,
    record: ArchitectureRecord,
    spec: ExperimentSpec,
    materials: Materials,
    truth: TrainedTruth,
    accuracy: float,
) -> None:
    weights, trained_as = truth.weights(record.architecture) or (None, None)
    found = FoundArchitecture(
        architecture=record.architecture,
        network=truth.trainer.network,
        space_settings=spec.space_settings,
        super_net_accuracy=record.super_net_accuracy,
        stand_alone_accuracy=accuracy,
        run_id=record.run_id,
        data=materials.data.describe(),
        normalised=spec.data.augmentation.normalise,
        weights=weights,
        trained_as=trained_as,
        run_name=record.run_name,
        algorithm=record.algorithm,
        searcher=record.searcher,
        seed=record.seed,
    )
    write_architecture_folder(folder, found)
