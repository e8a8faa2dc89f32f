"""Does more sharing make the ranking worse? (000 §5.3.4, Table 5.5)

The architectures of a toy space are scored with a run's super-net and compared with their ground
truth, within groups that share equally many weight matrices.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from engine.export.files import write_file
from engine.lab import Lab
from engine.metrics import GroupTau, kendall_tau, tau_by_group
from engine.runs import RunFolder
from engine.spec.errors import SpecError
from engine.study.toy_space import ToySpace, toy_space
from engine.trained import load_supernet

COLUMNS = ("text", "shared_matrices", "super_net_accuracy", "ground_truth")


@dataclass(frozen=True)
class SharingStudy:
    """The toy space of a run with its scores and truths.

    Attributes:
        run_id: of the run.
        node, free, base: what varies and what is fixed, see `ToySpace`.
        texts: the architectures, in the space's notation.
        shared: number of shared weight matrices of each.
        scores, truth: super-net and stand-alone accuracies in percent, same order.
        groups: per number of shared matrices Kendall tau, n, and means.
        kendall_tau: over all of them.
    """

    run_id: str
    node: str
    free: tuple[str, ...]
    base: str
    texts: list[str]
    shared: list[int]
    scores: list[float]
    truth: list[float]
    groups: list[GroupTau]
    kendall_tau: float | None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return asdict(self)


def study_sharing(
    folder: RunFolder, base: str | None = None, every_input: bool = False, most: int = 100
) -> SharingStudy:
    """Score a toy space and learn its ground truth; what is missing is trained stand-alone.

    Args:
        folder: a run with a checkpoint; it is only read.
        base: architecture that fixes the other nodes, in the space's notation; None: one with
            many amounts of sharing.
        every_input: see `toy_space`.
        most: of a larger toy space so many are drawn at random.

    Raises:
        RunError: the run has no checkpoint.
        SpecError: its space has no last node that varies alone.
        ArchitectureError: `base` is not of its space.
        TableError: the ground-truth table lacks an architecture.
    """
    lab = load_supernet(folder)
    fixed = None if base is None else lab.space.parse(base)
    toy = _thinned(toy_space(lab.space, lab.network, fixed, every_input), most)
    scores = lab.scorer.scores(toy.members)
    truth = _truth(lab, toy)
    return SharingStudy(
        run_id=folder.run_id,
        node=toy.node,
        free=toy.free,
        base=lab.space.to_text(toy.base),
        texts=[lab.space.to_text(one) for one in toy.members],
        shared=list(toy.shared),
        scores=scores,
        truth=truth,
        groups=tau_by_group(toy.shared, truth, scores),
        kendall_tau=kendall_tau(truth, scores),
    )


def _thinned(toy: ToySpace, most: int) -> ToySpace:
    if most < 2:
        raise SpecError("--most", f"give at least 2 architectures; given was {most}.")
    if len(toy.members) <= most:
        return toy
    kept = sorted(np.random.default_rng(0).choice(len(toy.members), most, replace=False))
    members, shared = [toy.members[i] for i in kept], [toy.shared[i] for i in kept]
    return ToySpace(toy.node, toy.free, toy.base, tuple(members), tuple(shared))


def _truth(lab: Lab, toy: ToySpace) -> list[float]:
    shown = track(toy.members, "Ground truth", console=Console(stderr=True), transient=True)
    return [lab.truth.get(member, lambda: None).value for member in shown]


def write_sharing(path: Path, study: SharingStudy) -> Path:
    """Write one line per architecture, with the columns `COLUMNS`.

    Raises:
        ExportError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(zip(study.texts, study.shared, study.scores, study.truth, strict=True))
    return write_file(path, text.getvalue())
