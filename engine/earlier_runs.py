"""Landmarks from earlier runs: architectures whose stand-alone accuracy somebody paid for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.export.tables import read_landmarks
from engine.runs import RunFolder
from engine.spec.errors import ExportError, SpecError

FIELD = "addons.landmark.earlier_runs"


def earlier_landmarks(
    names: Sequence[str], runs: Path, space: Space, count: int, exclude: Collection[str]
) -> list[Architecture]:
    """Return landmarks and found architectures of earlier runs, the most accurate first.

    Only the architectures are taken. Their accuracy is asked of this run's own ground truth, where
    the results bank answers for what the same protocol has trained already; accuracies of other
    data or protocols could not be compared.

    Args:
        names: run folders, or ids of runs in `runs`.
        runs: where runs are looked for by id.
        space: of this run; the earlier ones must have the same.
        count: how many at most.
        exclude: canonical forms that must not become landmarks.

    Raises:
        SpecError: no such run, another space, or nothing in it; the message names the run.
    """
    known: dict[str, tuple[float, Architecture]] = {}
    for name in names:
        for value, architecture in _of_run(name, runs, space):
            form = space.canonical(architecture)
            if form not in exclude and value > known.get(form, (-1.0, None))[0]:
                known[form] = (value, architecture)
    ranked = sorted(known.values(), key=lambda pair: -pair[0])
    return [architecture for _, architecture in ranked[:count]]


def _of_run(name: str, runs: Path, space: Space) -> list[tuple[float, Architecture]]:
    path = Path(name) if Path(name).is_dir() else runs / name
    folder = RunFolder(path)
    if not folder.exists():
        raise SpecError(FIELD, f"there is no run `{name}`; give a run folder or a run's id.")
    theirs = folder.spec().space
    if theirs != space.name:
        raise SpecError(
            FIELD, f"run `{name}` searched the space `{theirs}`, this one searches `{space.name}`."
        )
    table, result = folder.path / "landmarks.csv", folder.result() or {}
    try:
        found = [(value, one) for _, one, value in read_landmarks(table, space)]
    except ExportError as fault:
        if table.is_file():
            raise SpecError(FIELD, f"run `{name}`: {fault}") from None
        found = []
    for row in result.get("architectures", ()):
        architecture = space.parse(row["text"])
        found.append((float(row["stand_alone_accuracy"]), architecture))
    if not found:
        raise SpecError(FIELD, f"run `{name}` has neither landmarks nor found architectures yet.")
    return found
