"""The list of runs, read again only where a file has changed."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.events import Progress
from engine.runs import RunFolder, RunState
from engine.spec.errors import RunError
from engine.spec.files import read_written
from engine.states import State

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class RunSummary:
    """One line of the list of runs.

    Attributes:
        run_id: name of the run's folder.
        name: title given to the experiment.
        algorithm: search algorithm.
        space: search space.
        data: data set.
        seed: seed of the run.
        tags: words to filter by.
        state: state as a viewer should see it.
        message: sentence about the state; for a failed run what went wrong.
        progress: latest progress of a run that is going on, else None.
        metrics: figures of the result; empty while there is none.
        best_accuracy: best ground truth among the found architectures, in percent; None while
            there is none.
        seconds: cost of all stages; None while there is no result.
        created: Unix seconds when the run was made.
        changed: Unix seconds of the last change of state.
    """

    run_id: str
    name: str
    algorithm: str
    space: str
    data: str
    seed: int
    tags: tuple[str, ...]
    state: State
    message: str
    progress: Progress | None
    metrics: dict[str, Any]
    best_accuracy: float | None
    seconds: float | None
    created: float
    changed: float


@dataclass(frozen=True)
class _Result:
    """What the list shows of `result.json`; see `RunSummary`."""

    metrics: dict[str, Any]
    best_accuracy: float | None = None
    seconds: float | None = None


@dataclass
class _Known:
    """What is known of a run, with the stamps of the files it came from."""

    stamps: tuple[_Stamp, _Stamp, _Stamp]
    spec: dict[str, Any]
    state: RunState
    result: _Result


class Summaries:
    """Summaries of all runs in a folder; safe to use from several threads.

    Args:
        runs: folder of the run folders.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def all(self, deleted: bool = False) -> list[RunSummary]:
        """Return the runs, newest first.

        Args:
            deleted: return the deleted ones instead of the others.

        Raises:
            RunError: the folder of the runs cannot be read.
        """
        with self._lock:
            known = {name: self._look(name) for name in self._names()}
            self._known = {name: one for name, one in known.items() if one is not None}
            now = time.time()
            found = [self._summary(name, one, now) for name, one in self._known.items()]
        shown = [one for one in found if (one.state == "deleted") == deleted]
        return sorted(shown, key=lambda one: (one.created, one.run_id), reverse=True)

    def _names(self) -> list[str]:
        try:
            with os.scandir(self._runs) as entries:
                return [entry.name for entry in entries if entry.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(
                f"The runs in {self._runs} cannot be read: {error.strerror}."
            ) from error

    def _look(self, name: str) -> _Known | None:
        path = self._runs / name
        files = ("state.json", "spec.yaml", "result.json")
        state, spec, result = (_stamp(path / file) for file in files)
        if state is None:
            return None
        before = self._known.get(name)
        if before is not None and before.stamps == (state, spec, result):
            return before
        old: tuple[_Stamp, _Stamp, _Stamp] = before.stamps if before else (None, None, None)
        same_spec = before is not None and old[1] == spec
        same_result = before is not None and old[2] == result
        return _Known(
            (state, spec, result),
            before.spec if before and same_spec else _read_spec(path),
            _read_state(RunFolder(path)),
            before.result if before and same_result else _read_result(path, result),
        )

    def _summary(self, name: str, known: _Known, now: float) -> RunSummary:
        spec, state = known.spec, known.state
        shown = state.seen_at(now)
        data = spec.get("data")
        return RunSummary(
            run_id=name,
            name=str(spec.get("name", name)),
            algorithm=str(spec.get("algorithm", "")),
            space=str(spec.get("space", "")),
            data=str(data.get("name", "")) if isinstance(data, dict) else "",
            seed=seed if isinstance(seed := spec.get("seed"), int) else 0,
            tags=tuple(str(tag) for tag in spec.get("tags") or ()),
            state=shown,
            message=state.message,
            progress=_read_progress(self._runs / name) if shown == "running" else None,
            metrics=known.result.metrics,
            best_accuracy=known.result.best_accuracy,
            seconds=known.result.seconds,
            created=state.created,
            changed=state.changed,
        )


def _stamp(path: Path) -> _Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _read_state(folder: RunFolder) -> RunState:
    """Read the state; a damaged one shows as a failed run instead of hiding it."""
    try:
        return folder.state()
    except RunError as error:
        return RunState("failed", str(error), "", 0.0, 0.0, 0.0)


def _read_spec(path: Path) -> dict[str, Any]:
    try:
        value = read_written(path / "spec.yaml")
    except (OSError, ValueError):
        return {}  # the run then shows under its id
    return value if isinstance(value, dict) else {}


def _read_result(path: Path, stamp: _Stamp) -> _Result:
    """Read what is shown of a result; what is damaged shows as missing."""
    value = _read_json(path / "result.json") if stamp is not None else None
    if not isinstance(value, dict):
        return _Result({})
    metrics, cost = value.get("metrics"), value.get("cost")
    rows = value.get("architectures")
    found = [row.get("stand_alone_accuracy") for row in _dicts(rows)]
    seconds = cost.get("seconds") if isinstance(cost, dict) else None
    return _Result(
        metrics if isinstance(metrics, dict) else {},
        max(_numbers(found), default=None),
        sum(_numbers(seconds.values())) if isinstance(seconds, dict) else None,
    )


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _numbers(values: Iterable[Any]) -> list[float]:
    return [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]


def _read_progress(path: Path) -> Progress | None:
    value = _read_json(path / "progress.json")
    return value if isinstance(value, dict) else None


def _read_json(path: Path) -> Any:
    """Read a file for display only; None when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
