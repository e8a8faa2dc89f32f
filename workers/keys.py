"""Names in the store: keys of a run or measurement, and job ids that tell which it is for."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

# RQ allows letters, digits, `_` and `-` in job ids; run ids may also have dots.
_ESCAPES = {"_": "__", ".": "_-"}
_PLAIN = {escaped: plain for plain, escaped in _ESCAPES.items()}
_SUFFIX = re.compile(r"_x[0-9a-f]{8}")
# No run id begins like this, so that a measurement can never be taken for a run.
_MEASUREMENT = re.compile(r"-measure-[0-9a-f]{16}")
_ESCAPED = re.compile(r"(?:[A-Za-z0-9-]|__|_-){1,200}")


def new_job_id(run_id: str) -> str:
    """Return a job id for one execution of a run; every call gives another."""
    escaped = re.sub(r"[_.]", lambda match: _ESCAPES[match.group()], run_id)
    return f"{escaped}_x{secrets.token_hex(4)}"


def run_of(job_id: str) -> str | None:
    """Return the run that a job id stands for; None when it is none of ours."""
    escaped, suffix = job_id[:-10], job_id[-10:]
    if not _SUFFIX.fullmatch(suffix) or not _ESCAPED.fullmatch(escaped):
        return None
    return re.sub(r"__|_-", lambda match: _PLAIN[match.group()], escaped)


def new_measurement_id() -> str:
    """Return an id for a measurement of time and memory."""
    return f"-measure-{secrets.token_hex(8)}"


def is_measurement(name: str) -> bool:
    """Tell whether a name is that of a measurement, which no run has."""
    return _MEASUREMENT.fullmatch(name) is not None


@dataclass(frozen=True)
class Keys:
    """Keys of one workbench.

    Args:
        prefix: start of every key, see `Settings.prefix`.
    """

    prefix: str

    @property
    def queue(self) -> str:
        """Name of the queue."""
        return f"{self.prefix}-runs"

    @property
    def sweep_lock(self) -> str:
        """Held by the process that looks for orphaned runs."""
        return f"{self.prefix}:sweep"

    def events(self, run_id: str, owner: str) -> str:
        """Stream of the events that one execution of a run has sent."""
        return f"{self.prefix}:run:{run_id}:events:{owner}"

    def progress(self, run_id: str, owner: str) -> str:
        """Latest progress of one execution of a run."""
        return f"{self.prefix}:run:{run_id}:progress:{owner}"

    def wish(self, run_id: str) -> str:
        """What somebody asked a running run to do: pause or stop."""
        return f"{self.prefix}:run:{run_id}:wish"

    def measure_request(self, measurement_id: str) -> str:
        """Experiment whose time and memory are to be measured."""
        return f"{self.prefix}:measure:{measurement_id}:request"

    def measure_answer(self, measurement_id: str) -> str:
        """How far that measurement is."""
        return f"{self.prefix}:measure:{measurement_id}:answer"

    def gauge(self, worker: str) -> str:
        """Memory and load of what a worker computes on."""
        return f"{self.prefix}:gauge:{worker}"
