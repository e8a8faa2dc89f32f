"""What a few real steps told of an experiment's time and memory. Knows no torch."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from engine.spec.errors import StoreError
from engine.spec.experiment import ExperimentSpec

# Words about an experiment, and the draws of its random numbers: neither costs anything.
FREE_FIELDS = frozenset({"name", "notes", "tags", "published", "seed"})
STAGES = ("preparing", "ground_truth", "training", "search", "final")
# Below this share of the free memory a run fits also when others need a little more.
COMFORTABLE_SHARE = 0.9
DISTURBED_SHARE = 0.3


def cost_key(spec: ExperimentSpec) -> str:
    """Hash everything that an experiment's time and memory depend on."""
    value = spec.model_dump(mode="json", exclude=set(FREE_FIELDS))
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Estimate:
    """Time and memory of one run, from real steps on one device.

    Attributes:
        key: what was measured, see `cost_key`.
        device: its name.
        kind: `cpu` or `cuda`.
        stages: expected seconds by stage, as if the results bank were empty.
        spread: standard error of their sum as a share of it; what was measured varies.
        step_seconds: one update of the super-net.
        training_seconds: one stand-alone training with one initialisation; 0 from a table.
        score_seconds: one architecture scored with the super-net.
        images_per_second: training images of the super-net.
        memory_bytes: the most memory it needs: allocated on a GPU, of the process on a CPU.
        free_bytes: memory that is free for it, what the measurement took included.
        sample: architectures of the correlation sample.
        known: those of them, for the seed that was measured, that the results bank holds.
        saved_seconds: time that they save.
        others: cores that other programs kept busy meanwhile, on average; 0 where a GPU computes.
        cores: of the machine.
        took_seconds: of the measurement.
        at: Unix seconds of the measurement.
    """

    key: str
    device: str
    kind: str
    stages: dict[str, float]
    spread: float
    step_seconds: float
    training_seconds: float
    score_seconds: float
    images_per_second: float
    memory_bytes: int
    free_bytes: int
    sample: int
    known: int
    saved_seconds: float
    others: float
    cores: int
    took_seconds: float
    at: float

    def seconds(self, jobs: int = 1) -> float:
        """Return the expected seconds of jobs that run one after another.

        What the bank holds is known for one seed only, so that it is taken off once.
        """
        return jobs * sum(self.stages.values()) - self.saved_seconds

    @property
    def disturbed(self) -> bool:
        """Tell whether others computed so much that a quiet machine would be quicker."""
        return self.others > DISTURBED_SHARE * self.cores

    @property
    def fits(self) -> bool:
        """Tell whether the memory suffices, with a little to spare."""
        return self.memory_bytes <= COMFORTABLE_SHARE * self.free_bytes

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Estimate:
        """Read what `to_json` wrote.

        Raises:
            StoreError: it is something else.
        """
        try:
            found = cls(**value)
            _require_sound(found)
        except (TypeError, ValueError):
            raise StoreError("The answer of a measurement is damaged; measure again.") from None
        return found


def _require_sound(found: Estimate) -> None:
    for field in fields(found):
        given = getattr(found, field.name)
        if field.type == "str" and not isinstance(given, str):
            raise TypeError(field.name)
        if field.type in ("int", "float"):
            _require_number(given)
    if not isinstance(found.stages, dict) or not set(found.stages) <= set(STAGES):
        raise ValueError("stages")
    for seconds in found.stages.values():
        _require_number(seconds)


def _require_number(given: Any) -> None:
    if type(given) not in (int, float) or not math.isfinite(given) or given < 0:
        raise ValueError("not a number")
