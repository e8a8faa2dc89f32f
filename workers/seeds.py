"""One experiment, several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build


def with_seeds(spec: ExperimentSpec, seeds: Sequence[int]) -> list[ExperimentSpec]:
    """Return a valid copy of the spec for each seed.

    Raises:
        SpecError: no seed, one that is not allowed, or one given twice.
    """
    if not seeds:
        raise SpecError("seed", "give at least one seed.")
    twice = sorted({seed for seed in seeds if list(seeds).count(seed) > 1})
    if twice:
        raise SpecError("seed", f"{twice[0]} is given twice; each run needs a seed of its own.")
    plain: dict[str, Any] = spec.model_dump(mode="json")
    return [build(plain | {"seed": seed}) for seed in seeds]
