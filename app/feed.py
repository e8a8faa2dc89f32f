"""One shared, incremental reader a run: many browser tabs cost one read. Knows no Streamlit."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from app.digest import RunDigest
from engine.events import Event, Progress
from engine.spec.errors import StoreError
from engine.states import State

FRESH_SECONDS = 0.4


class Followed(Protocol):
    """Answer of `workers.client.Client.follow`."""

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


class Follower(Protocol):
    """The part of the client that a feed uses."""

    def follow(self, run_id: str, after: int) -> Followed:
        """Return what is new after an event number."""
        ...


class RunFeed:
    """What is known of a run, kept up to date for every viewer.

    Attributes:
        digest: everything the events told; replaced when the run went back to a checkpoint.
        problem: why nothing new can be read at the moment; empty when all is well.
    """

    def __init__(self, client: Follower, run_id: str) -> None:
        self.run_id = run_id
        self.digest = RunDigest()
        self.state: State = "queued"
        self.message = ""
        self.progress: Progress | None = None
        self.problem = ""
        self._client = client
        self._lock = threading.Lock()
        self._read_at = float("-inf")

    def refresh(self, at_once: bool = False) -> None:
        """Read what is new, unless that was done a moment ago.

        A store that does not answer is no error here: what is known stays, `problem` says why.

        Raises:
            RunError: there is no such run.
        """
        with self._lock:
            if not at_once and time.monotonic() - self._read_at < FRESH_SECONDS:
                return
            try:
                self._read()
                self.problem = ""
            except StoreError as error:
                self.problem = str(error)
            self._read_at = time.monotonic()

    def _read(self) -> None:
        news = self._client.follow(self.run_id, self.digest.last_seq)
        if news.restarted:
            self.digest = RunDigest()
            if not news.events or news.events[0]["seq"] > 0:
                news = self._client.follow(self.run_id, -1)
        self.digest.take_all(news.events)
        self.state, self.message, self.progress = news.state, news.message, news.progress
