"""The architectures that all runs have found, read again only where a file has changed."""

from __future__ import annotations

import math
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import client
from engine.core.architecture import Architecture
from engine.runs import RunFolder
from engine.spaces import get_space
from engine.spec.errors import WorkbenchError
from engine.spec.files import load_mapping

if TYPE_CHECKING:
    from workers.client import RunSummary

_Stamp = tuple[int, int, int]
_NO_SETTINGS = "\nspace_settings: {}\n"  # as `engine.spec.files.dump` writes it


@dataclass(frozen=True)
class Found:
    """One architecture that a run has found; accuracies in percent, None where unknown.

    Attributes:
        run_id, run_name, algorithm, space, data, seed, created: of its run.
        rank: within the run, 1 is the best by super-net accuracy.
        text, indices: the architecture.
        form: canonical form; equal networks of a space have the same one.
        super_net, stand_alone: accuracies.
        params, flops: counted.
        latency_ms: of one image, measured at the end of the run.
        latency_on: the device that measured it; empty where none did.
        searcher: the search that found it.
    """

    run_id: str
    run_name: str
    algorithm: str
    space: str
    data: str
    seed: int
    created: float
    rank: int
    text: str
    indices: tuple[int, ...]
    form: str
    super_net: float | None
    stand_alone: float | None
    params: float | None
    flops: float | None
    latency_ms: float | None
    latency_on: str
    searcher: str

    @property
    def key(self) -> str:
        """Return what names it in addresses."""
        return f"{self.run_id}/{self.rank}"

    @property
    def network(self) -> tuple[str, str]:
        """Return what equal networks share."""
        return self.space, self.form

    @property
    def folder(self) -> Path:
        """Return the folder with its files."""
        return client.folder(self.run_id).path / "architectures" / str(self.rank)


class FoundIndex:
    """Found architectures by run; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[_Stamp, tuple[Found, ...]]] = {}

    def of(self, runs: Iterable[RunSummary], folder: Path) -> tuple[Found, ...]:
        """Return what runs have found, the most accurate first.

        Args:
            runs: whose architectures to return, also those that have none yet.
            folder: of the run folders.
        """
        with self._lock:
            known = {run.run_id: self._look(run, folder / run.run_id) for run in runs}
            self._known = {name: one for name, one in known.items() if one is not None}
            found = [row for _, rows in self._known.values() for row in rows]
        return tuple(sorted(found, key=_order))

    def _look(self, run: RunSummary, path: Path) -> tuple[_Stamp, tuple[Found, ...]] | None:
        stamp = _stamp(path / "result.json")
        if stamp is None:
            return None
        before = self._known.get(run.run_id)
        if before is not None and before[0] == stamp:
            return before
        return stamp, _read(run, path)


def _order(found: Found) -> tuple[float, float, float, int]:
    """Order by stand-alone accuracy, then super-net accuracy; unknown ones and old runs last."""
    numbers = (found.stand_alone, found.super_net)
    first, second = (math.inf if value is None else -value for value in numbers)
    return first, second, -found.created, found.rank


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _read(run: RunSummary, path: Path) -> tuple[Found, ...]:
    """Read one run; what is damaged is left out, its run's own page says why."""
    try:
        result = RunFolder(path).result() or {}
        settings = _space_settings(path / "spec.yaml")
        return tuple(_found(run, row, result, settings) for row in result["architectures"])
    except (WorkbenchError, OSError, LookupError, TypeError, ValueError, AttributeError):
        return ()


def _space_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a run's space; most have none, and reading YAML takes long."""
    if _NO_SETTINGS in path.read_text(encoding="utf-8"):
        return {}
    found: dict[str, Any] = load_mapping(path).get("space_settings") or {}
    return found


def _found(
    run: RunSummary, row: Mapping[str, Any], result: Mapping[str, Any], settings: dict[str, Any]
) -> Found:
    indices = tuple(int(index) for index in row["architecture"])
    architecture = Architecture.of(run.space, indices)
    return Found(
        run.run_id,
        run.name,
        run.algorithm,
        run.space,
        run.data,
        run.seed,
        run.created,
        int(row["rank"]),
        str(row["text"]),
        indices,
        get_space(run.space, settings).canonical(architecture),
        _number(row["super_net_accuracy"]),
        _number(row["stand_alone_accuracy"]),
        _number(row["params"]),
        _number(row["flops"]),
        _number(row.get("latency_ms")),
        str((result.get("latency") or {}).get("device") or ""),
        next(iter(result.get("search") or {}), ""),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


@st.cache_resource(show_spinner=False)
def _index() -> FoundIndex:
    return FoundIndex()


def everything() -> tuple[Found, ...]:
    """Return what all runs but the deleted ones have found, the most accurate first."""
    return _index().of(client.runs(), client.client().settings.runs)


def equal_networks(found: Iterable[Found]) -> dict[tuple[str, str], list[Found]]:
    """Return the architectures by network, so that those found more than once stand together."""
    together: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one in found:
        together[one.network].append(one)
    return together


@dataclass(frozen=True)
class Filter:
    """Which architectures are wanted; what is empty or None does not matter.

    Attributes:
        words: all must occur in run, algorithm, space, data or text.
        spaces, data, algorithms: one of each.
        accuracy, params: (lowest, highest); unknown numbers are kept only where this is None.
        value: which accuracy is meant, `stand_alone` or `super_net`.
    """

    words: str = ""
    spaces: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    accuracy: tuple[float, float] | None = None
    params: tuple[float, float] | None = None
    value: str = "stand_alone"

    def keeps(self, found: Found) -> bool:
        """Tell whether an architecture is wanted."""
        return (
            (not self.spaces or found.space in self.spaces)
            and (not self.data or found.data in self.data)
            and (not self.algorithms or found.algorithm in self.algorithms)
            and _within(getattr(found, self.value), self.accuracy)
            and _within(found.params, self.params)
            and self._says(found)
        )

    def _says(self, found: Found) -> bool:
        words = self.words.lower().split()
        if not words:
            return True
        about = (found.run_name, found.run_id, found.algorithm, found.space, found.data)
        hay = " ".join((*about, found.text, f"seed {found.seed}")).lower()
        return all(word in hay for word in words)


def _within(value: float | None, limits: tuple[float, float] | None) -> bool:
    return limits is None or (value is not None and limits[0] <= value <= limits[1])
