"""Separate random streams, so that one part of a run cannot disturb another's draws.

Evaluating more often, or adding landmarks, must not change which paths are sampled or how the
data are shuffled. Every stream is a numpy generator; its state is JSON and goes into checkpoints.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

NAMES = (
    "data",
    "held_out",
    "paths",
    "initialisation",
    "architectures",
    "landmarks",
    "search",
    "learner",
    "learner_data",
    "plasticity",
)


class Streams:
    """One numpy generator per purpose, all derived from a single seed.

    Attributes are the names in `NAMES`: `data` (order and augmentation of training batches),
    `held_out` (batches of the held-out part), `paths` (sampled sub-nets), `initialisation`
    (weights), `architectures` (the correlation sample), `landmarks` (landmark choice and pairs),
    `search` (searchers), `learner` (what a learner draws), `learner_data` (its held-out batches),
    `plasticity` (batches of the weight plasticity loss).
    """

    data: np.random.Generator
    held_out: np.random.Generator
    paths: np.random.Generator
    initialisation: np.random.Generator
    architectures: np.random.Generator
    landmarks: np.random.Generator
    search: np.random.Generator
    learner: np.random.Generator
    learner_data: np.random.Generator
    plasticity: np.random.Generator

    def __init__(self, seed: int) -> None:
        for name in NAMES:
            setattr(self, name, np.random.Generator(np.random.PCG64(derive_seed(seed, name))))

    def state(self) -> dict[str, Any]:
        """Return a JSON-able snapshot of every stream."""
        return {name: getattr(self, name).bit_generator.state for name in NAMES}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue exactly from a snapshot made by `state`."""
        for name in NAMES:
            getattr(self, name).bit_generator.state = state[name]


def derive_seed(*parts: object) -> int:
    """Hash any printable parts to a 63-bit seed, the same on every machine and run."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
