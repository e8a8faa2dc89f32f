"""Runs that take a second: 8x8 digits, two channels, one cell a stage, a few epochs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.control import Wish
from engine.events import Event, Progress, Sink
from engine.experiment import execute, new_owner
from engine.runs import RunFolder, create_run, write_json
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build

EPOCHS, STEPS = 5, 3  # 100 images in batches of 32

BASE: dict[str, Any] = {
    "name": "tiny",
    "data": {"train_images": 100, "held_out_images": 64, "test_images": 80},
    # So few steps leave moving averages where they began, unless they move fast.
    "network": {"channels": 2, "cells": 1, "norm": {"momentum": 0.5}},
    "addons": {"landmark": {"per_round": 3, "rounds": 2, "min_distance": 2, "weight": 1.0}},
    "super_net": {"epochs": EPOCHS, "batch_size": 32, "checkpoint_every": 3},
    "stand_alone": {"epochs": 2, "batch_size": 32},
    "evaluation": {"sample": 6, "every": 2, "threshold": 0.5},
    "search": {"population": 6, "generations": 2, "parents": 3, "keep": 3},
    "device": "cpu",
}
WITHOUT_LANDMARKS: dict[str, Any] = {"addons": {"landmark": None}}


def tiny(**sections: Any) -> ExperimentSpec:
    """Return the tiny experiment with some fields changed; mappings are merged."""
    return build(_merged(BASE, sections))


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result


def new_run(place: Path, spec: ExperimentSpec | None = None) -> RunFolder:
    """Make the run folder `place/run`: one id for all, so that whole files can be compared."""
    return create_run(place, spec or tiny(), "run")


class Watcher:
    """A sink that remembers, and a control that asks once for a pause.

    Args:
        when: told all events so far; the wish comes at the first poll for which it is true.
        polls: or so many polls later.
        wish: what is asked for.
    """

    def __init__(
        self,
        when: Callable[[list[Event]], bool] = lambda events: False,
        polls: int = 0,
        wish: Wish = "pause",
    ) -> None:
        self.when, self.left, self.asked_for = when, polls, wish
        self.events: list[Event] = []
        self.shown: list[Progress] = []
        self.asked = False

    def write(self, event: Event) -> None:
        self.events.append(event)

    def progress(self, progress: Progress) -> None:
        self.shown.append(progress)

    def rewind(self, seq: int) -> None:
        self.events = [event for event in self.events if event["seq"] < seq]

    def wish(self) -> Wish | None:
        if self.asked or not self.events or not self.when(self.events):
            return None
        self.left -= 1
        self.asked = self.left < 0
        return self.asked_for if self.asked else None


class PollLimit:
    """A control that asks for a pause at its n-th poll."""

    def __init__(self, polls: int) -> None:
        self.left = polls

    def wish(self) -> Wish | None:
        self.left -= 1
        return "pause" if self.left < 0 else None


def run(folder: RunFolder, control: Any = None, sinks: Sequence[Sink] = ()) -> str:
    """Run or resume without a heartbeat thread; a `Watcher` serves as sink too."""
    both = [*sinks, control] if isinstance(control, Watcher) else sinks
    return execute(folder, owner=new_owner(), sinks=both, control=control, beat=False)


def finished(place: Path, spec: ExperimentSpec | None = None) -> RunFolder:
    """Run an experiment from start to end."""
    folder = new_run(place, spec)
    assert run(folder) == "finished"
    return folder


def abandon(folder: RunFolder) -> None:
    """Make a run look as if its process had died an hour ago."""
    state = asdict(folder.state())
    write_json(folder.path / "state.json", state | {"state": "running", "heartbeat": 0.0})


def outcome(folder: RunFolder) -> dict[str, Any]:
    """Return everything that a run leaves, apart from times."""
    result = folder.result()
    assert result is not None
    result["cost"].pop("seconds")
    for row in result["architectures"]:
        row.pop("latency_ms")
    found: dict[str, Any] = {"result": result}
    paths = [folder.path / "ranking.csv", folder.path / "landmarks.csv"]
    paths += sorted(p for p in (folder.path / "architectures").rglob("*") if p.is_file())
    return found | {str(p.relative_to(folder.path)): p.read_bytes() for p in paths}


def weights(folder: RunFolder) -> bytes:
    """Return weights, momentum and random state of the newest checkpoint."""
    return max((folder.path / "checkpoints").glob("*.safetensors")).read_bytes()


def told(folder: RunFolder) -> list[Event]:
    """Return what the events say of the science, apart from times."""
    left_out = ("stage", "checkpoint", "state", "note")
    hidden = ("seq", "time", "measured")
    return [
        {key: value for key, value in event.items() if key not in hidden}
        for event in folder.events()
        if event["type"] not in left_out
    ]


def read_state(folder: RunFolder) -> dict[str, Any]:
    """Read `state.json` by hand."""
    value: dict[str, Any] = json.loads((folder.path / "state.json").read_text())
    return value
