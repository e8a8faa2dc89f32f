"""Ranking any architectures with the super-net of a run, after the fact."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from rich.progress import track

from engine.core.architecture import Architecture
from engine.events import Events
from engine.lab import Lab
from engine.runs import RunFolder
from engine.spec.errors import RunError
from engine.training.checkpoint import Checkpoints

AT_ONCE = 256


def rank_with_supernet(
    folder: RunFolder, sample: int | None, seed: int
) -> list[tuple[str, float]]:
    """Score architectures with the newest checkpoint.

    Args:
        folder: the run; it is only read.
        sample: how many different networks to draw, or None for every network of the space
            once (equal canonical forms count as one).
        seed: seed of the sample.

    Returns:
        (text, super-net accuracy in percent), best first.

    Raises:
        RunError: the run has no checkpoint.
    """
    lab = Lab.build(folder.spec(), Events([]))
    found = Checkpoints(folder.path / "checkpoints").latest()
    if found is None:
        raise RunError(f"Run {folder.run_id} has no checkpoint to rank with.")
    lab.trainer.load_tensors(found[1])
    architectures = _everything(lab) if sample is None else _some(lab, sample, seed)
    scores: list[float] = []
    chunks = range(0, len(architectures), AT_ONCE)
    for first in track(chunks, description="Ranking", transient=True, disable=len(chunks) < 2):
        scores += lab.scorer.scores(architectures[first : first + AT_ONCE])
    order = np.argsort(-np.asarray(scores), kind="stable")
    return [(lab.space.to_text(architectures[i]), scores[i]) for i in order]


def _everything(lab: Lab) -> list[Architecture]:
    seen: dict[str, Architecture] = {}
    for architecture in lab.space.enumerate():
        seen.setdefault(lab.space.canonical(architecture), architecture)
    return list(seen.values())


def _some(lab: Lab, count: int, seed: int) -> list[Architecture]:
    rng, seen = np.random.default_rng(seed), dict[str, Architecture]()
    for _ in range(200 * count):
        if len(seen) == count:
            break
        drawn = lab.space.sample(rng)
        seen.setdefault(lab.space.canonical(drawn), drawn)
    return list(seen.values())


def write_scores(path: Path, folder: RunFolder, scores: list[tuple[str, float]]) -> None:
    """Write a CSV with the columns rank, text, super_net_accuracy.

    Raises:
        RunError: the file cannot be written.
    """
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["rank", "text", "super_net_accuracy"])
            for position, (text, score) in enumerate(scores, start=1):
                writer.writerow([position, text, score])
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror}.") from error
