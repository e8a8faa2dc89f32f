"""Trainings from scratch that the engine has kept beside a found architecture."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.runs import RunFolder, read_json
from engine.spec.errors import RunError

_log = logging.getLogger("app.trained")


@dataclass(frozen=True)
class Trained:
    """One record `trained-<protocol>/training.json`; accuracies in percent.

    Attributes:
        folder: with weights and `model.py`.
        epochs: of each training.
        replicates: number of trainings with different initialisation.
        test, held_out: (mean, sample standard deviation or None).
        seconds: spent in all of them, whenever they were trained.
        device: that trained those which were not known before.
        written: Unix seconds.
    """

    folder: Path
    epochs: int
    replicates: int
    test: tuple[float, float | None]
    held_out: tuple[float, float | None]
    seconds: float
    device: str
    written: float


def trainings(run: RunFolder, rank: int) -> list[Trained]:
    """Return the trainings of an architecture, most epochs first; damaged records are left out."""
    found = []
    for path in (run.path / "architectures" / str(rank)).glob("trained-*/training.json"):
        try:
            found.append(_read(path))
        except (RunError, OSError, LookupError, TypeError, ValueError) as error:
            _log.warning("The training in %s is left out: %s", path.parent, error)
    return sorted(found, key=lambda one: (-one.epochs, one.folder.name))


def _read(path: Path) -> Trained:
    value = read_json(path)
    return Trained(
        path.parent,
        int(value["epochs"]),
        len(value["replicates"]),
        _spread(value["test"]),
        _spread(value["held_out"]),
        sum(float(one["seconds"]) for one in value["replicates"]),
        str(value["device"]),
        path.stat().st_mtime,
    )


def _spread(value: dict[str, Any]) -> tuple[float, float | None]:
    std = value["std"]
    return float(value["mean"]), None if std is None else float(std)
