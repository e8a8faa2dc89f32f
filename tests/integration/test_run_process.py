"""The command line as a process: killed, interrupted, resumed, and two at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from engine.experiment import execute, new_owner
from engine.runs import RunFolder, create_run, write_json
from engine.spec.files import build, dump, load

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 24
SPEC: dict[str, Any] = {
    "data": {"train_images": 100, "held_out_images": 64, "test_images": 80},
    "network": {"channels": 2, "cells": 1},
    "addons": {"landmark": {"per_round": 2, "rounds": 2, "min_distance": 2, "weight": 1.0}},
    "super_net": {"epochs": EPOCHS, "batch_size": 32, "checkpoint_every": 4},
    "stand_alone": {"epochs": 1, "batch_size": 32},
    "evaluation": {"sample": 4, "every": 6, "threshold": 0.5},
    "search": {"population": 4, "generations": 1, "parents": 2, "keep": 2},
    "device": "cpu",
}
PATIENCE = 120.0


class Place:
    """A folder of runs with a bank of its own, and the processes started there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.spec = path / "spec.yaml"
        self.spec.write_text(dump(build(SPEC)))
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Start `python -m engine WORDS`."""
        environment = os.environ | {"NASW_DATA": str(self.path / "data"), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", *map(str, words)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self) -> subprocess.Popen[str]:
        """Start the experiment."""
        return self.start("run", self.spec, "--runs", self.path / "runs")

    def folder(self) -> RunFolder:
        """Return the only run."""
        (path,) = (self.path / "runs").iterdir()
        return RunFolder(path)

    def epochs(self) -> list[int]:
        """Return the epochs that the run has told so far."""
        found = list((self.path / "runs").glob("*/events.jsonl"))
        if not found:
            return []
        events = RunFolder(found[0].parent).events()
        return [event["epoch"] for event in events if event["type"] == "epoch"]

    def reach(self, epoch: int, process: subprocess.Popen[str]) -> None:
        """Wait until the run has told an epoch."""
        wait_for(lambda: bool((told := self.epochs()) and told[-1] >= epoch), process)


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def forget_the_owner(folder: RunFolder) -> None:
    """Let more time pass since the last sign of life than anybody wants to wait for here."""
    state = asdict(folder.state())
    assert state["state"] == "running"
    write_json(folder.path / "state.json", state | {"heartbeat": state["heartbeat"] - 3600})


def left(folder: RunFolder) -> dict[str, Any]:
    """Return what a run leaves, apart from times and its own name."""
    found = json.loads((folder.path / "result.json").read_text())
    assert found.pop("run_id") == folder.run_id
    found["cost"].pop("seconds")
    for row in found["architectures"]:
        row.pop("latency_ms")
    weights = sorted((folder.path / "architectures").glob("*/weights.safetensors"))
    newest = load_file(max((folder.path / "checkpoints").glob("*.safetensors")))
    return {
        "result": found,
        "ranking": (folder.path / "ranking.csv").read_text(),
        "landmarks": (folder.path / "landmarks.csv").read_text(),
        "weights": [len(path.read_bytes()) for path in weights],
        # Torch's own random state differs between processes, and nothing here draws from it.
        "super-net": {k: v.tolist() for k, v in newest.items() if not k.startswith("random/")},
    }


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "place")
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the experiment leaves when nobody interferes."""
    place = Place(tmp_path_factory.mktemp("whole") / "place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASW_DATA", str(place.path / "data"))
        folder = create_run(place.path / "runs", load(place.spec))
        assert execute(folder, owner=new_owner()) == "finished"
    return left(folder)


def test_killed_resumed_interrupted_and_resumed_twice_at_once(
    whole: dict[str, Any], place: Place
) -> None:
    process = place.run()
    place.reach(6, process)
    process.send_signal(signal.SIGKILL)
    assert ended(process)[0] == -signal.SIGKILL
    folder = place.folder()
    assert folder.state().state == "running"
    assert max(place.epochs()) < EPOCHS, "killed too late to show anything"
    assert not (folder.path / "result.json").exists()

    # Ctrl-C pauses.
    forget_the_owner(folder)
    process = place.start("resume", folder.path)
    place.reach(13, process)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert code == 130, err
    assert out == f"{folder.path}\n"
    assert err.splitlines()[-1] == f"paused: continue with `python -m engine resume {folder.path}`"
    assert "Continuing from the last checkpoint." in err
    assert "Traceback" not in err
    assert folder.state().state == "paused"
    assert max(place.epochs()) < EPOCHS, "paused too late to show anything"

    # Two at once: one runs it, the other is told.
    both = [ended(p) for p in [place.start("resume", folder.path) for _ in range(2)]]
    assert sorted(code for code, *_ in both) == [0, 2], both
    loser = next(err for code, _, err in both if code == 2)
    assert loser.startswith(f"error: Run {folder.run_id} is ")
    assert len(loser.splitlines()) == 1
    assert folder.state().state == "finished"
    assert left(folder) == whole
    assert place.epochs() == list(range(1, EPOCHS + 1))
