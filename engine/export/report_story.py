"""What a report tells of a run, gathered from its folder; of an unfinished one what there is."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.events import Event
from engine.runs import RunFolder
from engine.spec.errors import RunError
from engine.spec.experiment import ExperimentSpec
from engine.states import State

RECORDS = ("spec.yaml", "events.jsonl", "ranking.csv", "result.json")


@dataclass
class Story:
    """A run as a report tells it.

    Attributes:
        run_id, spec, state, message, created, changed: of the run; times are Unix seconds.
        environment, result: as written; the result is empty while there is none.
        started: the event `run_started`, empty before it.
        sample: architectures of the correlation sample.
        epochs, rankings, landmarks, warnings: events of these kinds, in order.
        searches: events `generation` by searcher.
        found: found architectures by rank.
        checksums: hex SHA-256 of the record's files.
    """

    run_id: str
    spec: ExperimentSpec
    state: State
    message: str
    created: float
    changed: float
    environment: dict[str, Any]
    result: dict[str, Any]
    started: Event = field(default_factory=dict)
    sample: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[Event] = field(default_factory=list)
    rankings: list[Event] = field(default_factory=list)
    landmarks: dict[str, dict[str, Any]] = field(default_factory=dict)
    searches: dict[str, list[Event]] = field(default_factory=dict)
    found: dict[int, Event] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    checksums: dict[str, str] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, Any]:
        """Return the metrics of the result, or else of the newest evaluation."""
        if self.result:
            return dict(self.result.get("metrics") or {})
        return dict(self.rankings[-1]["metrics"]) if self.rankings else {}

    def column(self, name: str) -> list[float | None]:
        """Return a number of every epoch."""
        return [epoch.get(name) for epoch in self.epochs]

    def take(self, event: Event) -> None:
        """Take one event."""
        match event["type"]:
            case "run_started":
                self.started = event
            case "sample":
                self.sample = event["architectures"]
            case "epoch":
                self.epochs.append(event)
            case "ranking":
                self.rankings.append(event)
            case "landmarks":
                for entry in event["architectures"]:
                    known = self.landmarks.get(entry["text"], {"round": event["round"]})
                    self.landmarks[entry["text"]] = known | entry
            case "generation":
                self.searches.setdefault(event["searcher"], []).append(event)
            case "architecture":
                self.found[event["rank"]] = event
            case "note" if event["level"] == "warning":
                self.warnings.append(event["message"])


def read_story(folder: RunFolder) -> Story:
    """Read everything that a report tells.

    Raises:
        RunError: this is no run folder, or its record is damaged.
    """
    if not folder.exists():
        raise RunError(f"{folder.path} is not a run folder.")
    state = folder.state()
    story = Story(
        run_id=folder.run_id,
        spec=folder.spec(),
        state=state.seen_at(time.time()),
        message=state.message,
        created=state.created,
        changed=state.changed,
        environment=folder.environment() if (folder.path / "environment.json").is_file() else {},
        result=folder.result() or {},
        checksums={
            name: _sha256(folder.path / name) for name in RECORDS if (folder.path / name).is_file()
        },
    )
    try:
        for event in folder.events():
            story.take(event)
    except (KeyError, ValueError, TypeError) as error:
        raise RunError(f"{folder.path}: its events are damaged ({error}).") from None
    return story


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
