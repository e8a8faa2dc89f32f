"""Super-nets of runs that have a checkpoint: loaded, and asked about the same architectures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.events import Events
from engine.lab import Lab
from engine.runs import RunFolder
from engine.spec.errors import RunError
from engine.training.checkpoint import Checkpoints

TRIES = 200  # draws per wanted architecture, before a small space is taken to be exhausted


def load_supernet(folder: RunFolder) -> Lab:
    """Return the parts of a run with the weights of its newest checkpoint; it is only read.

    Raises:
        RunError: the run has no checkpoint.
    """
    lab = Lab.build(folder.spec(), Events([]))
    found = Checkpoints(folder.path / "checkpoints").latest()
    if found is None:
        raise RunError(f"Run {folder.run_id} has no checkpoint to load the super-net from.")
    lab.trainer.load_tensors(found[1])
    return lab


def common_scores(
    folders: Iterable[RunFolder], count: int, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Score the same architectures with every run's super-net.

    Args:
        folders: runs with checkpoints; those of one space get the same architectures.
        count: how many different networks to draw; fewer where the space has no more.
        seed: of the draw.

    Returns:
        Per run id the super-net accuracy in percent by canonical architecture.

    Raises:
        RunError: a run has no checkpoint.
    """
    found = {}
    for folder in folders:
        lab = load_supernet(folder)
        drawn = different_networks(lab.space, count, np.random.default_rng(seed))
        scores = lab.scorer.scores(list(drawn.values()))
        found[folder.run_id] = dict(zip(drawn, scores, strict=True))
    return found


def different_networks(
    space: Space, count: int, rng: np.random.Generator
) -> dict[str, Architecture]:
    """Return so many architectures by canonical form, uniformly drawn."""
    found: dict[str, Architecture] = {}
    for _ in range(TRIES * count):
        if len(found) == count:
            break
        drawn = space.sample(rng)
        found.setdefault(space.canonical(drawn), drawn)
    return found
