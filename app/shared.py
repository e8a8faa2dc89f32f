"""An answer that all viewers share for a moment, so that many tabs cost one question."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Calls a function at most once per `seconds`; errors are passed on and not kept.

    Args:
        fetch: asks for the answer.
        seconds: how long an answer is good.
    """

    def __init__(self, fetch: Callable[[], T], seconds: float) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._value: T

    def get(self) -> T:
        """Return the answer, a fresh one if the last is too old."""
        with self._lock:
            if time.monotonic() - self._at > self._seconds:
                self._value = self._fetch()
                self._at = time.monotonic()
            return self._value

    def forget(self) -> None:
        """Ask anew next time, because something was changed."""
        with self._lock:
            self._at = float("-inf")
