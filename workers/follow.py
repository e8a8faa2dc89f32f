"""Reading a run's events little by little, from its folder."""

from __future__ import annotations

import json
import os
import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from engine.events import Event, Progress
from engine.runs import RunFolder
from engine.spec.errors import RunError
from engine.states import State

_TAIL = 256  # bytes of the last line read, by which a replaced file is recognised


@dataclass(frozen=True)
class Follow:
    """What is new in a run since a viewer last looked.

    Attributes:
        events: new events, in order; after a restart all of them.
        progress: latest progress, None when there was none yet.
        state: state as a viewer should see it.
        message: sentence about the state.
        restarted: the run went back to a checkpoint before what the viewer has: forget
            everything and begin with `events`.
        after: number of the last event the viewer has now; pass it next time.
        seen: time of that event; pass it next time, so that a restart is always noticed.
        source: where the events were read.
    """

    events: list[Event]
    progress: Progress | None
    state: State
    message: str
    restarted: bool
    after: int
    seen: float | None
    source: Literal["store", "folder"]


class EventIndex:
    """Where each event of an `events.jsonl` begins, so that only new bytes are read.

    Safe to use from several threads.

    Args:
        path: the file; it need not exist yet, and may be replaced when the run goes back.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._forget()

    def read(self, after: int = -1, seen: float | None = None) -> tuple[list[Event], bool]:
        """Return the events with a number above `after`, and whether the run went back.

        Args:
            after: number of the last event that the reader has, -1 for none.
            seen: time of that event, if known.

        Returns:
            The events, and True when event `after` is not there (any more) or is another one;
            then the events are all there are.

        Raises:
            RunError: the file is damaged or cannot be read.
        """
        with self._lock:
            try:
                with open(self._path, "rb") as file:
                    fresh = self._refresh(file)
                    return self._select(file, after, seen, fresh)
            except FileNotFoundError:
                self._forget()
                return [], after >= 0
            except OSError as error:
                raise RunError(f"{self._path} cannot be read: {error.strerror}.") from error

    def _forget(self) -> None:
        self._seqs: list[int] = []
        self._times: list[float] = []
        self._offsets: list[int] = []
        self._end = 0
        self._inode = 0
        self._tail = b""

    def _refresh(self, file: BinaryIO) -> list[Event]:
        """Take in the new lines and return their events, so that none is parsed twice."""
        status = os.fstat(file.fileno())
        if status.st_ino != self._inode or not self._same_so_far(file):
            self._forget()
            self._inode = status.st_ino
        file.seek(self._end)
        fresh = []
        for line in file:
            if not line.endswith(b"\n"):
                break
            event = self._parse(line)
            fresh.append(event)
            self._seqs.append(event["seq"])
            self._times.append(event["time"])
            self._offsets.append(self._end)
            self._end += len(line)
            self._tail = line[-_TAIL:]
        return fresh

    def _same_so_far(self, file: BinaryIO) -> bool:
        file.seek(self._end - len(self._tail))
        return file.read(len(self._tail)) == self._tail

    def _select(
        self, file: BinaryIO, after: int, seen: float | None, fresh: list[Event]
    ) -> tuple[list[Event], bool]:
        position = bisect_right(self._seqs, after)
        restarted = False
        if after >= 0:
            there = position > 0 and self._seqs[position - 1] == after
            restarted = not there or (seen is not None and self._times[position - 1] != seen)
        if restarted:
            position = 0
        if position == len(self._seqs):
            return [], restarted
        old = len(self._seqs) - len(fresh)
        if position >= old:
            return fresh[position - old :], restarted
        file.seek(self._offsets[position])
        lines = file.read(self._end - self._offsets[position]).splitlines()
        return [self._parse(line) for line in lines], restarted

    def _parse(self, line: bytes) -> Event:
        try:
            event: Event = json.loads(line)
            if isinstance(event["seq"], int) and isinstance(event["time"], (int, float)):
                return event
        except (ValueError, KeyError, TypeError):
            pass
        raise RunError(
            f"{self._path} is damaged: {line[:60]!r} is not an event. "
            "Resuming the run repairs it from the last checkpoint."
        )


class Indexes:
    """The event indexes of the runs that were followed last.

    Args:
        most: number of indexes kept.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, EventIndex] = OrderedDict()

    def of(self, folder: RunFolder) -> EventIndex:
        """Return the index of a run's events."""
        with self._lock:
            index = self._kept.pop(folder.path, None)
            if index is None:
                index = EventIndex(folder.path / "events.jsonl")
            self._kept[folder.path] = index
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return index
