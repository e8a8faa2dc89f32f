"""One shared, incremental reader a run: many browser tabs cost one read. Knows no Streamlit."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from app.digest import RunDigest
from engine.events import Event, Progress
from engine.states import State

FRESH_SECONDS = 0.4


class Followed(Protocol):
    """The part of `workers.follow.Follow` that a feed uses."""

    @property
    def events(self) -> list[Event]: ...
    @property
    def progress(self) -> Progress | None: ...
    @property
    def state(self) -> State: ...
    @property
    def message(self) -> str: ...
    @property
    def restarted(self) -> bool: ...
    @property
    def after(self) -> int: ...
    @property
    def seen(self) -> float | None: ...


class Follower(Protocol):
    """The part of `workers.client.Client` that a feed uses."""

    def follow(self, run_id: str, after: int = -1, seen: float | None = None) -> Followed:
        """Return what is new after an event."""
        ...


class RunFeed:
    """What is known of a run, kept up to date for every viewer.

    Attributes:
        digest: everything the events told; replaced when the run went back to a checkpoint.
    """

    def __init__(self, client: Follower, run_id: str) -> None:
        self.run_id = run_id
        self.digest = RunDigest()
        self.state: State = "queued"
        self.message = ""
        self.progress: Progress | None = None
        self._client = client
        self._after = -1
        self._seen: float | None = None
        self._lock = threading.Lock()
        self._read_at = float("-inf")

    def refresh(self, at_once: bool = False) -> None:
        """Read what is new, unless that was done a moment ago.

        Raises:
            RunError: there is no such run, or its record is damaged.
        """
        with self._lock:
            if not at_once and time.monotonic() - self._read_at < FRESH_SECONDS:
                return
            news = self._client.follow(self.run_id, self._after, self._seen)
            if news.restarted:
                self.digest = RunDigest()
            self.digest.take_all(news.events)
            self._after, self._seen = news.after, news.seen
            self.state, self.message, self.progress = news.state, news.message, news.progress
            self._read_at = time.monotonic()
