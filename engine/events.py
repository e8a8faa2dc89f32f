"""Typed events: everything that a page or a terminal shows of a run.

An event is a JSON object with `seq` (0, 1, 2, ...), `time` (Unix seconds), `type`, and the fields
listed in `EVENT_FIELDS`. What depends on the machine's speed stands under `measured`; all the
rest is the same for the same spec, seed, device and software. Progress is not an event: only its
latest value matters, and it is replaced, not appended.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from typing import Any, Protocol

Event = dict[str, Any]
Progress = dict[str, Any]

EVENT_FIELDS: dict[str, str] = {
    "run_started": "name, seed, device, task, space, algorithm, addons, data, network, "
    "stand_alone_network, size",
    "note": "level (info | warning), message",
    "stage": "stage, title, round, state (started | finished), measured.seconds",
    "sample": "architectures [{text, indices, params, flops}] of the correlation sample",
    "ground_truth": "purpose (sample | landmark | found), text, indices, value, held_out, test, "
    "origin (trained | bank | table), position, total, measured.seconds",
    "landmarks": "round, architectures [{text, indices, params, flops, value (ranks landmarks), "
    "truth (comparable with the sample)}]",
    "epoch": "epoch, epochs, round, loss, accuracy, landmark_loss, landmark_weight, "
    "learning_rate, forgetting {mean, top_mean, max, n} or null, "
    "measured.{seconds, images_per_second, memory_mb}",
    "learner": "epoch, probabilities [per choice of the space's mixture, per option], entropy "
    "(mean over choices, nats), and what the learner adds, such as a temperature",
    "ranking": "epoch, metrics {kendall_tau, sparse_kendall_tau, ...}, scores and truth of the "
    "sample, landmark_scores of all landmarks so far",
    "generation": "searcher, generation, generations, evaluated, best_score, mean_score, "
    "best_text, population {indices, scores (super-net accuracy, %), params, flops} with one "
    "entry per architecture that the generation evaluated",
    "architecture": "rank, text, indices, super_net_accuracy, stand_alone_accuracy, params, "
    "flops, searcher, measured.{latency_ms, repetitions}",
    "checkpoint": "epoch",
    "state": "state, message",
}


class Sink(Protocol):
    """Somewhere that events go to: the run folder, a Redis stream, the terminal."""

    def write(self, event: Event) -> None:
        """Take one event; called in the order of `seq`."""
        ...

    def progress(self, progress: Progress) -> None:
        """Take the latest progress, replacing the one before."""
        ...

    def rewind(self, seq: int) -> None:
        """Forget events with a number of `seq` or more: the run goes back to a checkpoint."""
        ...


class Events:
    """Numbers events and hands them to every sink.

    Args:
        sinks: where events go.
        seq: number of the next event, for a run that continues.
    """

    def __init__(self, sinks: Iterable[Sink], seq: int = 0) -> None:
        self.sinks = list(sinks)
        self.seq = seq
        self._last_progress = 0.0

    def emit(self, type_: str, **fields: Any) -> None:
        """Send an event.

        Raises:
            KeyError: an unknown type.
            ValueError: a field is not finite or not JSON.
        """
        EVENT_FIELDS[type_]
        event: Event = {"seq": self.seq, "time": round(time.time(), 3), "type": type_, **fields}
        json.dumps(event, allow_nan=False)
        self.seq += 1
        for sink in self.sinks:
            sink.write(event)

    def note(self, message: str, level: str = "info") -> None:
        """Send a sentence for the log."""
        self.emit("note", level=level, message=message)

    def progress(self, progress: Progress, force: bool = False) -> None:
        """Send progress, at most about three times a second unless forced."""
        now = time.monotonic()
        if force or now - self._last_progress >= 0.3:
            self._last_progress = now
            for sink in self.sinks:
                sink.progress({"time": round(time.time(), 3), **progress})

    def rewind(self, seq: int) -> None:
        """Go back to before event `seq`."""
        self.seq = seq
        for sink in self.sinks:
            sink.rewind(seq)


def comparable(event: Event) -> Event:
    """Return an event without what may differ between equal runs."""
    return {key: value for key, value in event.items() if key not in ("time", "measured")}


def finite(value: float) -> float | None:
    """Return the value for JSON, None where it is not finite."""
    return value if math.isfinite(value) else None
