"""What a page needs of a run, gathered from its events one by one. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.events import Event
from engine.runs import log_line

LOG_LINES = 20_000
KEPT_REPORTS = 120
_COMMON = frozenset({"seq", "time", "type", "epoch", "entropy", "probabilities", "measured"})


@dataclass
class Epochs:
    """Columns of the training curves, one entry an epoch; None where there was nothing."""

    epoch: list[int] = field(default_factory=list)
    loss: list[float | None] = field(default_factory=list)
    accuracy: list[float | None] = field(default_factory=list)
    landmark_loss: list[float | None] = field(default_factory=list)
    landmark_weight: list[float | None] = field(default_factory=list)
    learning_rate: list[float | None] = field(default_factory=list)
    images_per_second: list[float | None] = field(default_factory=list)
    memory_mb: list[float | None] = field(default_factory=list)
    forgetting: list[float | None] = field(default_factory=list)
    forgetting_top: list[float | None] = field(default_factory=list)
    forgetting_max: list[float | None] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Append one `epoch` event."""
        measured = event.get("measured") or {}
        lost = event.get("forgetting") or {}
        told = {**event, **measured}
        told["forgetting"] = lost.get("mean")
        told["forgetting_top"] = lost.get("top_mean")
        told["forgetting_max"] = lost.get("max")
        for name, column in vars(self).items():
            column.append(told.get(name))


@dataclass
class Learning:
    """What a learner reports, one entry an epoch.

    Attributes:
        epoch, entropy: of every report.
        extra: further numbers that some learners report, such as a temperature or the number of
            skip connections, by name.
        kept: epochs of the reports whose probabilities are kept, at most `KEPT_REPORTS`, evenly
            spread and always with the newest.
        history: their probabilities, per choice and option.
    """

    epoch: list[int] = field(default_factory=list)
    entropy: list[float | None] = field(default_factory=list)
    extra: dict[str, list[float | None]] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list)
    history: list[list[list[float]]] = field(default_factory=list)
    _stride: int = 1

    @property
    def probabilities(self) -> list[list[float]]:
        """Return the newest probabilities; empty before the first report."""
        return self.history[-1] if self.history else []

    def add(self, event: Event) -> None:
        """Take one `learner` event."""
        for name, value in event.items():
            if name not in _COMMON and isinstance(value, (int, float)):
                self.extra.setdefault(name, [None] * len(self.epoch)).append(value)
        self.epoch.append(event["epoch"])
        self.entropy.append(event.get("entropy"))
        for column in self.extra.values():
            column.extend([None] * (len(self.epoch) - len(column)))
        self._keep(event["epoch"], event["probabilities"])

    def _keep(self, epoch: int, probabilities: list[list[float]]) -> None:
        """Keep every `_stride`-th report and the newest; thin them out when there are many."""
        if len(self.kept) > 1 and (len(self.epoch) - 2) % self._stride:
            self.kept.pop()  # was there only as the newest
            self.history.pop()
        self.kept.append(epoch)
        self.history.append(probabilities)
        if len(self.kept) > KEPT_REPORTS:
            self._stride *= 2
            self.kept = [*self.kept[:-1:2], self.kept[-1]]
            self.history = [*self.history[:-1:2], self.history[-1]]


@dataclass
class Rankings:
    """Rank metrics over the epochs, and the scores behind them."""

    epoch: list[int] = field(default_factory=list)
    metrics: dict[str, list[float | None]] = field(default_factory=dict)
    scores: list[Any] = field(default_factory=list)
    truth: list[Any] = field(default_factory=list)
    landmark_scores: list[Any] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Append one `ranking` event."""
        for name, value in event["metrics"].items():
            column = self.metrics.setdefault(name, [None] * len(self.epoch))
            column.append(value)
        self.epoch.append(event["epoch"])
        for column in self.metrics.values():
            column.extend([None] * (len(self.epoch) - len(column)))
        self.scores.append(event.get("scores") or [])
        self.truth.append(event.get("truth") or [])
        self.landmark_scores.append(event.get("landmark_scores") or [])

    def last(self, name: str) -> float | None:
        """Return the newest value of a metric that is known."""
        known = [value for value in self.metrics.get(name, []) if value is not None]
        return known[-1] if known else None


@dataclass
class Generations:
    """One searcher's progress, one entry a generation.

    Attributes:
        population: what each generation evaluated, `{indices, scores, params, flops}` with one
            entry an architecture; None in runs that did not record it.
    """

    evaluated: list[int] = field(default_factory=list)
    best_score: list[float | None] = field(default_factory=list)
    mean_score: list[float | None] = field(default_factory=list)
    best_text: list[str] = field(default_factory=list)
    population: list[dict[str, list[Any]] | None] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Append one `generation` event."""
        for name, column in vars(self).items():
            column.append(event.get(name))


class RunDigest:
    """Everything that a run's events have told so far.

    Attributes:
        last_seq: number of the newest event taken; -1 before the first.
        counts: events taken by type, which serve as a stamp of what has changed.
    """

    def __init__(self) -> None:
        self.last_seq = -1
        self.counts: dict[str, int] = {}
        self.started: Event = {}
        self.sample: list[dict[str, Any]] = []
        self.landmarks: dict[str, dict[str, Any]] = {}
        self.truths: list[Event] = []
        self.epochs = Epochs()
        self.learning = Learning()
        self.rankings = Rankings()
        self.searches: dict[str, Generations] = {}
        self.architectures: dict[int, Event] = {}
        self.stages: list[Event] = []
        self.warnings: list[str] = []
        self.checkpoint: int | None = None
        self.log: list[str] = []

    def take_all(self, events: Iterable[Event]) -> None:
        """Take events in order; those that are known already are passed over."""
        for event in events:
            if event["seq"] > self.last_seq:
                self._take(event)

    def _take(self, event: Event) -> None:
        kind = event["type"]
        self.last_seq = event["seq"]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, event)
        line = log_line(event)
        if line:
            self.log.append(line)
            del self.log[:-LOG_LINES]

    def _started(self, event: Event) -> None:
        self.started = event

    def _sample(self, event: Event) -> None:
        self.sample = event["architectures"]

    def _truth(self, event: Event) -> None:
        self.truths.append(event)

    def _landmarks(self, event: Event) -> None:
        for entry in event["architectures"]:
            known = self.landmarks.get(entry["text"], {})
            self.landmarks[entry["text"]] = {"round": event["round"], **known, **entry}

    def _epoch(self, event: Event) -> None:
        self.epochs.add(event)

    def _learner(self, event: Event) -> None:
        self.learning.add(event)

    def _ranking(self, event: Event) -> None:
        self.rankings.add(event)

    def _generation(self, event: Event) -> None:
        self.searches.setdefault(event["searcher"], Generations()).add(event)

    def _architecture(self, event: Event) -> None:
        self.architectures[event["rank"]] = event

    def _stage(self, event: Event) -> None:
        self.stages.append(event)

    def _note(self, event: Event) -> None:
        if event["level"] == "warning":
            self.warnings.append(event["message"])

    def _checkpoint(self, event: Event) -> None:
        self.checkpoint = event["epoch"]


_HANDLERS = {
    "run_started": RunDigest._started,
    "sample": RunDigest._sample,
    "ground_truth": RunDigest._truth,
    "landmarks": RunDigest._landmarks,
    "epoch": RunDigest._epoch,
    "learner": RunDigest._learner,
    "ranking": RunDigest._ranking,
    "generation": RunDigest._generation,
    "architecture": RunDigest._architecture,
    "stage": RunDigest._stage,
    "note": RunDigest._note,
    "checkpoint": RunDigest._checkpoint,
}
