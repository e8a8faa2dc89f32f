"""Plays a realistic run into a run folder; the same spec gives the same events but for times."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from played_script import Script, small_spec

from engine.events import Events
from engine.runs import FolderSink, RunFolder, create_run, write_json

__all__ = ["OWNER", "play", "played", "small_spec"]

OWNER = "player"
OUTCOMES = {"random": (89.4, 9)}
BETTER = (91.2, 2)


def play(
    folder: RunFolder, pause_between: float = 0.0, wish: Callable[[], str | None] = lambda: None
) -> None:
    """Write a whole run, or up to the moment that `wish` asks to pause or stop."""
    spec = folder.spec()
    script, events = Script(spec), Events([FolderSink(folder)], seq=len(folder.events()))
    skip = sum(event["type"] != "state" for event in folder.events())
    numbered = 0
    folder.change_state("running", owner=OWNER)
    events.emit("state", state="running", message="")
    for kind, fields in script.actions():
        if kind == "progress":
            events.progress(fields, force=True)
            continue
        numbered += 1
        if numbered <= skip:  # a resumed run: these are there already
            continue
        events.emit(kind, **fields)
        time.sleep(pause_between)
        asked = wish()
        if asked is not None:
            _end(folder, events, "paused" if asked == "pause" else "stopped", "as you asked")
            return
    _records(folder, script)
    _end(folder, events, "finished", "")


def _end(folder: RunFolder, events: Events, state: Any, message: str) -> None:
    events.emit("state", state=state, message=message)
    folder.change_state(state, message)


def _records(folder: RunFolder, script: Script) -> None:
    found = [_found(folder, script, rank) for rank in range(1, len(script.found) + 1)]
    lines = ["architecture,text,super_net_accuracy,ground_truth,is_landmark,params,flops"]
    for architecture, score in zip(script.sample, script.last_scores, strict=True):
        entry, truth = script.entry(architecture), script.truth[architecture]
        row = (architecture, entry["text"], score, truth, "false", entry["params"], entry["flops"])
        lines.append(",".join(map(str, row)))
    (folder.path / "ranking.csv").write_text("\n".join(lines) + "\n")
    write_json(folder.path / "result.json", _result(folder, script, found))


def _found(folder: RunFolder, script: Script, rank: int) -> dict[str, Any]:
    architecture = script.found[rank - 1]
    target = folder.path / "architectures" / str(rank)
    target.mkdir(parents=True)
    (target / "architecture.json").write_text(json.dumps(architecture.to_json()))
    (target / "model.py").write_text("print('a network would be built here')\n")
    entry = script.entry(architecture)
    return {
        "rank": rank,
        "architecture": entry["indices"],
        "text": entry["text"],
        "super_net_accuracy": 86.0 - rank,
        "stand_alone_accuracy": script.truth[architecture],
        "params": entry["params"],
        "flops": entry["flops"],
        "latency_ms": None,
    }


def _result(folder: RunFolder, script: Script, found: list[dict[str, Any]]) -> dict[str, Any]:
    spec = script.spec
    seconds = {"ground_truth": 12.0, "training": 96.0, "search": 20.0}
    return {
        "run_id": folder.run_id,
        "status": "finished",
        "space": spec.space,
        "task": spec.task,
        "algorithm": spec.algorithm,
        "seed": spec.seed,
        "metrics": script.last_metrics | {"best_rank": 1, "best_rank_of": len(script.sample)},
        "architectures": found,
        "cost": {"seconds": seconds, "device": "cpu", "images": 36000, "steps": 600},
        "search": {name: _outcome(*OUTCOMES.get(name, BETTER)) for name in script.searchers},
        "published": {},
    }


def _outcome(top: float, rank: int) -> dict[str, float]:
    return {
        "evaluated": 160,
        "top3_accuracy": top,
        "best_accuracy": top + 0.6,
        "best_rank": rank,
        "best_rank_of": 60,
        "surpass_random": 1 - rank / 60,
    }


def played(runs: Any, **changes: Any) -> RunFolder:
    """Make a finished run at once."""
    folder = create_run(runs, small_spec(**changes))
    play(folder)
    return folder
