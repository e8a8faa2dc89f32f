"""A stand-in for `engine.experiment.execute` that is quick and needs no torch.

It claims, beats, resumes from a checkpoint and ends exactly as the engine does; its experiment
counts steps. What it should do is written in the experiment's `notes`, as JSON: `steps`,
`seconds` (per step), `hold` (the first process waits at this step until it is asked to pause or
stop, or killed), `deaf` (it never looks at wishes), `fail` and `crash` (at these steps).

Run as a program it is a worker with this engine: `python fake_engine.py`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.control import Control
from engine.events import Events, Sink
from engine.measured import Estimate, cost_key
from engine.runs import FolderSink, RunFolder, read_json, write_json
from engine.spec.errors import TrainingError
from engine.spec.experiment import ExperimentSpec
from engine.states import State
from workers.devices import CPU
from workers.settings import Settings
from workers.worker import serve

EVERY = 5  # steps between checkpoints


def execute(
    folder: RunFolder, *, owner: str, sinks: Sequence[Sink], control: Control | None
) -> State:
    """Count steps, with events, checkpoints, pauses and stops."""
    folder.change_state("running", owner=owner)
    plan = {"steps": 20, "seconds": 0.02} | json.loads(folder.spec().notes or "{}")
    events = Events([FolderSink(folder), *sinks])
    checkpoint = folder.path / "checkpoint.json"
    first = not checkpoint.is_file()
    step = _begin(folder, events)
    while step < plan["steps"]:
        wish = None if plan.get("deaf") or control is None else control.wish()
        if wish is not None:
            _save(events, checkpoint, step)
            return _end(folder, events, "paused" if wish == "pause" else "stopped", "")
        time.sleep(plan["seconds"])
        folder.beat(owner)
        if first and step == plan.get("hold"):
            continue
        step += 1
        events.emit("note", level="info", message=f"step {step}")
        events.progress({"done": step, "total": plan["steps"]}, force=True)
        if step == plan.get("fail"):
            error = TrainingError("The loss is not finite; use a smaller learning rate.")
            _end(folder, events, "failed", str(error))
            raise error
        if step == plan.get("crash"):
            raise ZeroDivisionError("a fault of the engine")
        if step % EVERY == 0:
            _save(events, checkpoint, step)
    write_json(folder.path / "result.json", {"metrics": {"steps": step}})
    return _end(folder, events, "finished", "")


def measure(
    spec: ExperimentSpec,
    *,
    report: Callable[[str, int, int | None], None],
    poll: Callable[[], None],
) -> Estimate:
    """Take as many seconds as `measure` in the notes says, then answer with some figures."""
    report("Timing steps", 1, 2)
    until = time.monotonic() + json.loads(spec.notes or "{}").get("measure", 0.0)
    while time.monotonic() < until:
        poll()
        time.sleep(0.02)
    stages = {"preparing": 1.0, "training": 2.0}
    figures = 0.1, 0.01, 0.1, 0.01, 100.0, 10**9, 10**10, 60, 0, 0.0, 0.0, 2, 1.0, time.time()
    return Estimate(cost_key(spec), "CPU", "cpu", stages, *figures)


def _begin(folder: RunFolder, events: Events) -> int:
    path = folder.path / "checkpoint.json"
    if path.is_file():
        saved = read_json(path)
        events.rewind(saved["seq"])
        return int(saved["step"])
    events.rewind(0)
    events.emit("run_started", name="fake", pid=os.getpid(), torch="torch" in sys.modules)
    return 0


def _save(events: Events, checkpoint: Path, step: int) -> None:
    events.emit("checkpoint", epoch=step)
    write_json(checkpoint, {"step": step, "seq": events.seq})


def _end(folder: RunFolder, events: Events, state: State, message: str) -> State:
    folder.change_state(state, message)
    events.emit("state", state=state, message=message)
    return state


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    serve(Settings.from_environment(), CPU, execute, measure)
