"""What somebody asks of a running run: to pause or to stop, read by it at every step."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from engine.control import Wish
from workers.keys import Keys

LIFETIME = 7 * 24 * 3600  # seconds that a wish is kept when nobody reads it
ASK_SECONDS = 0.5
RETRY_SECONDS = 5.0

log = logging.getLogger("workers.wishes")


@dataclass(frozen=True)
class Request:
    """A wish and when it was made.

    Attributes:
        wish: pause or stop.
        at: Unix seconds.
    """

    wish: Wish
    at: float


def ask(connection: Redis, keys: Keys, run_id: str, wish: Wish) -> None:
    """Ask a run to pause or stop; replaces an earlier wish.

    Raises:
        RedisError: the store does not answer.
    """
    value = json.dumps({"wish": wish, "at": time.time()})
    connection.set(keys.wish(run_id), value, ex=LIFETIME)


def forget(connection: Redis, keys: Keys, run_id: str) -> None:
    """Take a wish back.

    Raises:
        RedisError: the store does not answer.
    """
    connection.delete(keys.wish(run_id))


def read(connection: Redis, keys: Keys, run_ids: Iterable[str]) -> dict[str, Request]:
    """Read the wishes of several runs; those without one are left out.

    Raises:
        RedisError: the store does not answer.
    """
    names = list(run_ids)
    if not names:
        return {}
    found: Any = connection.mget([keys.wish(name) for name in names])
    requests = {name: _parse(text) for name, text in zip(names, found, strict=True)}
    return {name: request for name, request in requests.items() if request is not None}


def _parse(text: bytes | None) -> Request | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
        wish, at = value["wish"], float(value["at"])
    except (ValueError, KeyError, TypeError):
        log.warning("A damaged wish in the store is ignored: %.80r", text)
        return None
    return Request(wish, at) if wish in ("pause", "stop") else None


@dataclass
class Shutdown:
    """Whether the worker was told to end; a plain flag, as signal handlers set it."""

    asked: bool = False


class RedisControl:
    """The engine's `Control`: wishes from the store, and the end of the worker itself.

    It is asked at every step, so it asks the store at most every `ask` seconds, and answers
    None while the store is away. When the worker shuts down or has died, the wish is to pause;
    `leaving` then tells that nobody asked for it and the run is to go on elsewhere.

    Args:
        connection: the store.
        keys: names of the workbench's keys.
        run_id: the run.
        shutdown: raised when the worker is told to end.
        parent: process id of the worker; None: there is none to look after.
        ask: seconds between two questions to the store.
    """

    def __init__(
        self,
        connection: Redis,
        keys: Keys,
        run_id: str,
        *,
        shutdown: Shutdown,
        parent: int | None = None,
        ask: float = ASK_SECONDS,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._run_id = run_id
        self._shutdown = shutdown
        self._parent = parent
        self._ask = ask
        self._next = 0.0
        self._answer: Wish | None = None
        self._away = False
        self.leaving = False

    def wish(self) -> Wish | None:
        """Return what is wished, or None to go on."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._ask
            self._answer = self._question()
        if self._answer is None and self._worker_ends():
            self.leaving = True
            return "pause"
        return self._answer

    def _worker_ends(self) -> bool:
        orphaned = self._parent is not None and os.getppid() != self._parent
        return orphaned or self._shutdown.asked

    def _question(self) -> Wish | None:
        try:
            found = read(self._connection, self._keys, [self._run_id])
        except RedisError as error:
            if not self._away:
                log.warning("Run %s cannot be asked to stop for now: %s", self._run_id, error)
            self._away = True
            self._next = time.monotonic() + RETRY_SECONDS
            return None
        self._away = False
        request = found.get(self._run_id)
        return request.wish if request else None
