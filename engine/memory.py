"""What a run has decided and learned so far: the JSON part of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.addons.landmark import Landmark
from engine.core.architecture import Architecture


@dataclass
class Memory:
    """Everything but tensors, positions in the data and random streams.

    Attributes:
        sample: the correlation sample.
        truth: ground truth of the sample in percent, same order.
        landmarks: all landmarks so far.
        round: rounds of landmarks begun, from 1; 0 before the first.
        scores: latest super-net accuracy of the sample in percent.
        landmark_scores: latest super-net accuracy of the landmarks in percent, same order.
        metrics: latest ranking metrics.
        seconds: wall-clock time by stage, over all processes that worked on the run.
        images: training images passed through the super-net.
        steps: updates of the super-net.
        pending_rank: the run was stopped before the present weights were ranked.
    """

    sample: list[Architecture] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    landmarks: list[Landmark] = field(default_factory=list)
    round: int = 0
    scores: list[float] = field(default_factory=list)
    landmark_scores: list[float] = field(default_factory=list)
    metrics: dict[str, float | None] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    images: int = 0
    steps: int = 0
    pending_rank: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "sample": [architecture.to_json() for architecture in self.sample],
            "truth": self.truth,
            "landmarks": [landmark.to_json() for landmark in self.landmarks],
            "round": self.round,
            "scores": self.scores,
            "landmark_scores": self.landmark_scores,
            "metrics": self.metrics,
            "seconds": self.seconds,
            "images": self.images,
            "steps": self.steps,
            "pending_rank": self.pending_rank,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Memory:
        """Read what `to_json` wrote."""
        return cls(
            **value
            | {
                "sample": [Architecture.from_json(one) for one in value["sample"]],
                "landmarks": [Landmark.from_json(one) for one in value["landmarks"]],
            }
        )
