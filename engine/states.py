"""The state machine of a run; nothing else may change a run's state."""

from __future__ import annotations

from typing import Literal, get_args

State = Literal[
    "queued", "running", "paused", "finished", "failed", "stopped", "interrupted", "deleted"
]
STATES: tuple[State, ...] = get_args(State)

# Resuming goes through `queued` when a worker is to take it, or straight to `running` in the
# terminal. A finished run is a record and never changes.
TRANSITIONS: dict[State, frozenset[State]] = {
    "queued": frozenset({"running", "stopped", "failed", "deleted"}),
    "running": frozenset({"paused", "finished", "failed", "stopped", "interrupted"}),
    "paused": frozenset({"queued", "running", "stopped", "deleted"}),
    "interrupted": frozenset({"queued", "running", "stopped", "deleted"}),
    "stopped": frozenset({"queued", "running", "deleted"}),
    "failed": frozenset({"queued", "running", "deleted"}),
    "finished": frozenset({"deleted"}),
    "deleted": frozenset({"stopped", "failed", "finished", "paused", "interrupted", "queued"}),
}
RESUMABLE: frozenset[State] = frozenset({"paused", "interrupted", "stopped", "failed"})
TERMINAL: frozenset[State] = frozenset({"finished", "failed", "stopped", "deleted"})
