"""Events and progress of a running run in the store, for pages that watch it live.

The run folder is the record; what is here is a copy for speed, and may have gaps: the store was
away, was restarted without its data, or dropped the oldest entries. Entry `0-<seq + 1>` holds
event `seq`, so a reader sees at once whether the stream reaches back to what it has, and reads the
folder when it does not. Every execution of a run writes a stream of its own, named after its
owner.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from engine.events import Event, Progress
from workers.keys import Keys

LENGTH = 5000  # newest events kept in a stream
LIFETIME = 6 * 3600  # seconds that a stream outlives its last event
RETRY_SECONDS = 5.0

log = logging.getLogger("workers.stream")


class RedisSink:
    """Copies events and progress into the store; a `Sink` that never stops the run.

    While the store is away, events are counted and left out (one line in the log says so), and
    the store is asked again every `retry` seconds. When it is back, the stream begins anew with
    the next event, so that readers take what is missing from the run folder.

    Args:
        connection: the store.
        keys: names of the workbench's keys.
        run_id: the run.
        owner: the execution that writes.
        retry: seconds before a store that was away is asked again.
        length: newest events that are kept.
    """

    def __init__(
        self,
        connection: Redis,
        keys: Keys,
        run_id: str,
        owner: str,
        *,
        retry: float = RETRY_SECONDS,
        length: int = LENGTH,
    ) -> None:
        self._connection = connection
        self._events = keys.events(run_id, owner)
        self._progress = keys.progress(run_id, owner)
        self._run_id = run_id
        self._retry = retry
        self._length = length
        self._ask_again = 0.0
        self._gap = False
        self.left_out = 0

    def write(self, event: Event) -> None:
        """Append an event, or count it as left out."""
        entry = {"event": json.dumps(event, allow_nan=False)}

        def commands(pipeline: Any) -> None:
            if self._gap:
                pipeline.delete(self._events)
            pipeline.xadd(
                self._events,
                entry,
                id=f"0-{event['seq'] + 1}",
                maxlen=self._length,
                approximate=True,
            )
            pipeline.expire(self._events, LIFETIME)

        if self._send(commands):
            self._gap = False
        else:
            self.left_out += 1
            self._gap = True

    def progress(self, progress: Progress) -> None:
        """Replace the progress."""
        text = json.dumps(progress, allow_nan=False)
        self._send(lambda pipeline: pipeline.set(self._progress, text, ex=LIFETIME))

    def rewind(self, seq: int) -> None:
        """Begin the stream anew: the run goes on from event `seq`."""
        self._gap = not self._send(lambda pipeline: pipeline.delete(self._events))

    def _send(self, commands: Callable[[Any], object]) -> bool:
        if time.monotonic() < self._ask_again:
            return False
        try:
            with self._connection.pipeline(transaction=True) as pipeline:
                commands(pipeline)
                pipeline.execute()
        except RedisError as error:
            if not self._ask_again:
                log.warning(
                    "Run %s goes on without live events, which are in its folder: %s",
                    self._run_id,
                    error,
                )
            self._ask_again = time.monotonic() + self._retry
            return False
        if self._ask_again:
            log.warning(
                "Run %s: the store is back; %d events are only in the run folder",
                self._run_id,
                self.left_out,
            )
            self._ask_again = 0.0
        return True


def read_events(
    connection: Redis, keys: Keys, run_id: str, owner: str, after: int
) -> list[Event] | None:
    """Read the events from number `after` on, that one included.

    Returns:
        Events without a gap, beginning with `after` (with 0 for -1); None when the stream does
        not reach back so far, so that the run folder has to be read.

    Raises:
        RedisError: the store does not answer.
    """
    first = max(after, 0)
    found: Any = connection.xrange(keys.events(run_id, owner), min=f"0-{first + 1}")
    events: list[Event] = []
    for _, fields in found:
        event = json.loads(fields[b"event"])
        if event["seq"] != first + len(events):
            return None
        events.append(event)
    return events or None


def read_progress(connection: Redis, keys: Keys, run_id: str, owner: str) -> Progress | None:
    """Read the latest progress; None when there is none.

    Raises:
        RedisError: the store does not answer.
    """
    text: Any = connection.get(keys.progress(run_id, owner))
    if text is None:
        return None
    value: Progress = json.loads(text)
    return value
