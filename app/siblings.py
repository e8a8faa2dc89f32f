"""Other seeds of a run's setting, and how well their super-nets ranked. Knows no Streamlit.

Which runs belong together is decided as `engine.compare.group_runs` does it, so that a band on a
run's page and a row of the comparison are about the same runs. Only rank metrics are read of them:
a page of one run must not hold the whole record of ten others.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from engine.compare.groups import setting
from engine.spec.errors import SpecError
from engine.spec.files import build, read_written

_log = logging.getLogger("app.siblings")

MOST = 10  # seeds beside a run's own
FRESH_SECONDS = 5.0
_MARK = b'"type": "ranking"'
_HEAD = 200  # bytes of a line within which its type stands

Curve = dict[int, float]
"""Values of one metric by epoch."""


class Listed(Protocol):
    """The part of `workers.client.RunSummary` that is used."""

    @property
    def run_id(self) -> str: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def space(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def seed(self) -> int: ...


class Record:
    """The rank metrics of a run, read from its `events.jsonl` as that grows."""

    def __init__(self, path: Path) -> None:
        self.curves: dict[str, Curve] = {}
        self._path = path
        self._end = 0
        self._inode = 0

    def refresh(self) -> None:
        """Read what is new; what cannot be read is left out."""
        try:
            with open(self._path, "rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._end:  # went back
                    self.curves, self._end, self._inode = {}, 0, status.st_ino
                file.seek(self._end)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._end += len(line)
                    if _MARK in line[:_HEAD]:
                        self._take(line)
        except FileNotFoundError:
            return  # a run that has told nothing yet
        except OSError as error:
            _log.warning("%s is left out of the band: %s", self._path, error.strerror)

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            for name, value in event["metrics"].items():
                if value is not None:
                    self.curves.setdefault(name, {})[int(event["epoch"])] = float(value)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("%s: a ranking is left out of the band: %s", self._path, error)


class Siblings:
    """Finds and reads the other seeds of a run; safe to use from several threads.

    Args:
        runs: folder of the run folders.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._lock = threading.Lock()
        self._settings: dict[str, str] = {}
        self._found: dict[str, tuple[tuple[str, ...], list[tuple[str, int]]]] = {}
        self._records: dict[str, Record] = {}
        self._answers: dict[str, tuple[float, dict[int, dict[str, Curve]]]] = {}

    def of(self, run_id: str, runs: Callable[[], Sequence[Listed]]) -> dict[int, dict[str, Curve]]:
        """Return the rank metrics of the other seeds of a run's setting, by seed.

        Of several runs with one seed the newest that has a ranking counts: a repeat is no further
        sample. At most `MOST` seeds are read. Experiments are compared only when the list of runs
        has changed.

        Args:
            run_id: the run that is looked at.
            runs: returns all runs, newest first; asked at most once in `FRESH_SECONDS`.
        """
        with self._lock:
            asked, found = self._answers.get(run_id, (float("-inf"), {}))
            if time.monotonic() - asked >= FRESH_SECONDS:
                found = self._look(run_id, runs())
                self._answers[run_id] = (time.monotonic(), found)
            return found

    def _look(self, run_id: str, listed: Sequence[Listed]) -> dict[int, dict[str, Curve]]:
        stamp = tuple(one.run_id for one in listed)
        known = self._found.get(run_id)
        if known is None or known[0] != stamp:
            known = self._found[run_id] = (stamp, self._members(run_id, listed))
        found: dict[int, dict[str, Curve]] = {}
        for name, seed in known[1]:
            if seed not in found and len(found) < MOST:
                record = self._record(name)
                record.refresh()
                if record.curves:
                    # A copy: pages go through it while another one's look reads on.
                    found[seed] = {metric: dict(c) for metric, c in record.curves.items()}
        return found

    def _record(self, name: str) -> Record:
        return self._records.setdefault(name, Record(self._runs / name / "events.jsonl"))

    def _members(self, run_id: str, listed: Sequence[Listed]) -> list[tuple[str, int]]:
        """Return id and seed of the runs of a run's setting that have another seed."""
        own = next((one for one in listed if one.run_id == run_id), None)
        wanted = self._setting(run_id)
        if own is None or not wanted:
            return []
        alike = (own.algorithm, own.space, own.data)
        return [
            (one.run_id, one.seed)
            for one in listed
            if one.seed != own.seed
            and (one.algorithm, one.space, one.data) == alike
            and self._setting(one.run_id) == wanted
        ]

    def _setting(self, run_id: str) -> str:
        """Return what seeds have in common; empty where the experiment cannot be read."""
        if run_id not in self._settings:
            try:
                value = read_written(self._runs / run_id / "spec.yaml")
                self._settings[run_id] = setting(build(value)) if isinstance(value, dict) else ""
            except (OSError, ValueError, SpecError):
                self._settings[run_id] = ""
        return self._settings[run_id]
