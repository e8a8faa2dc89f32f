"""The real engine in a real worker: a small experiment, killed in the middle and resumed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from workers_lab import Lab, wait_for

from engine.spec.experiment import ExperimentSpec

TINY = {
    "name": "Tiny",
    "data": {"name": "digits", "train_images": 100, "held_out_images": 50, "test_images": 50},
    "network": {"channels": 2, "cells": 1},
    "super_net": {"epochs": 40, "batch_size": 50, "checkpoint_every": 2},
    "stand_alone": {"epochs": 1, "batch_size": 50},
    "evaluation": {"sample": 3, "every": 10},
    "search": {"population": 3, "generations": 1, "parents": 2, "keep": 1},
    "device": "cpu",
}


def test_a_real_experiment_survives_kill_9(lab: Lab) -> None:
    worker = lab.start_worker(sys.executable, "-m", "workers.worker", "--device", "cpu")
    [run_id] = lab.client.submit(ExperimentSpec.model_validate(TINY))
    folder = lab.client.folder(run_id)
    wait_for(lambda: sum(e["type"] == "checkpoint" for e in folder.events()) >= 3, 90)
    os.kill(lab.process(run_id), signal.SIGKILL)
    lab.reach(run_id, "interrupted")
    assert "torch" not in Path(f"/proc/{worker.pid}/maps").read_text(), "only runs load it"
    before = lab.client.follow(run_id)
    trained = [e["epoch"] for e in before.events if e["type"] == "epoch"]
    assert 4 <= trained[-1] < 40

    lab.client.resume(run_id)
    fractions, sources, view = [], set(), before

    def look() -> str:
        nonlocal view
        view = lab.client.follow(run_id, view.after, view.seen)
        if view.state == "running" and view.progress:
            fractions.append(view.progress["fraction"])
            sources.add(view.source)
        return view.state if view.state in ("finished", "failed") else ""

    assert wait_for(look, 90) == "finished", lab.client.list()[0].message
    events = folder.events()
    epochs = [e["epoch"] for e in events if e["type"] == "epoch"]
    assert epochs == list(range(epochs[0], epochs[0] + 40)), "no epoch is lost or told twice"
    assert [e["seq"] for e in events] == list(range(len(events)))
    assert fractions[-1] > 0.5
    assert "store" in sources
    [row] = lab.client.list()
    # tau can be undefined here: networks this small may all score alike.
    assert row.metrics["super_net_accuracy"] is not None
    assert folder.result()["status"] == "finished"
