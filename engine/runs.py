"""The run folder: the lasting record of a run, and the one place that knows its state."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.environment import describe_environment
from engine.events import Event, Progress
from engine.spec.errors import RunError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import dump, load
from engine.states import RESUMABLE, TRANSITIONS, State

HEARTBEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class RunState:
    """Content of `state.json`.

    Attributes:
        state: see `engine.states`.
        message: a sentence about it; for a failed run what went wrong and what to do.
        owner: execution id of the process that runs it; empty when nobody does.
        heartbeat: Unix seconds of the owner's last sign of life.
        changed: Unix seconds of the last change of state.
        created: Unix seconds when the run was made.
    """

    state: State
    message: str
    owner: str
    heartbeat: float
    changed: float
    created: float

    def seen_at(self, now: float) -> State:
        """Return the state as a viewer should see it: a silent owner means interrupted."""
        if self.state == "running" and now - self.heartbeat > SILENT_SECONDS:
            return "interrupted"
        return self.state


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file so that readers see the old or the new content, never a part.

    Raises:
        RunError: the disk is full or not writable.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(
            f"Cannot write {path.name} in {path.parent}: {error.strerror}. "
            "Free some disk space or choose another folder, then resume the run."
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; see `write_atomically`."""
    write_atomically(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        RunError: missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} does not exist.") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from None


class RunFolder:
    """One run on disk.

    Args:
        path: the folder, whose name is the run id.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run_id(self) -> str:
        """Name of the folder."""
        return self.path.name

    def exists(self) -> bool:
        """Tell whether this is a run folder."""
        return (self.path / "state.json").is_file()

    def spec(self) -> ExperimentSpec:
        """Read the experiment file, every default written out."""
        return load(self.path / "spec.yaml")

    # -- state ---------------------------------------------------------------------------
    def state(self) -> RunState:
        """Read the state.

        Raises:
            RunError: there is none, or it is damaged.
        """
        value = read_json(self.path / "state.json")
        try:
            return RunState(**value)
        except TypeError:
            raise RunError(f"{self.path / 'state.json'} is damaged.") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            file = open(self.path / ".lock", "w")  # noqa: SIM115 - closed by the next line
        except OSError as error:
            raise RunError(f"Cannot lock run {self.run_id}: {error.strerror}.") from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def change_state(
        self, state: State, message: str = "", owner: str = "", by: str = ""
    ) -> RunState:
        """Move to another state.

        Args:
            state: the new one.
            message: a sentence about it.
            owner: execution id, for `running`.
            by: execution id of a process that ends its own run; it must still own it.

        Raises:
            RunError: the state machine does not allow it, or the run is another process's.
        """
        with self._locked():
            before, now = self.state(), time.time()
            if by:
                self._require(before, by)
            silent = not by and before.seen_at(now) != before.state
            allowed = TRANSITIONS["interrupted" if silent else before.state]
            if state not in allowed and not (silent and state == "interrupted"):
                raise RunError(
                    f"Run {self.run_id} is {before.state} and cannot become {state}; "
                    f"possible from here: {', '.join(sorted(allowed)) or 'nothing'}."
                )
            after = RunState(state, message, owner, now, now, before.created)
            write_json(self.path / "state.json", asdict(after))
            return after

    def beat(self, owner: str) -> None:
        """Give a sign of life.

        Raises:
            RunError: somebody else owns the run now, so this process must stop writing.
        """
        with self._locked():
            before = self.state()
            self._require(before, owner)
            write_json(self.path / "state.json", asdict(before) | {"heartbeat": time.time()})

    def require_owner(self, owner: str) -> None:
        """Raise `RunError` unless this process owns the run."""
        self._require(self.state(), owner)

    def _require(self, state: RunState, owner: str) -> None:
        if state.state != "running" or state.owner != owner:
            raise RunError(
                f"Run {self.run_id} was taken over by another process or stopped; "
                "this one writes nothing more."
            )

    @property
    def resumable(self) -> bool:
        """Tell whether the run can go on from its last checkpoint (or from the start)."""
        return self.state().seen_at(time.time()) in RESUMABLE

    # -- records -------------------------------------------------------------------------
    def events(self, after: int = -1) -> list[Event]:
        """Read events with a number above `after`; a half-written last line is left out."""
        path = self.path / "events.jsonl"
        if not path.is_file():
            return []
        found = []
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    event = json.loads(line)
                    if event["seq"] > after:
                        found.append(event)
        return found

    def latest_progress(self) -> Progress | None:
        """Read the last progress, or None."""
        path = self.path / "progress.json"
        return read_json(path) if path.is_file() else None

    def result(self) -> dict[str, Any] | None:
        """Read `result.json`, or None while there is none."""
        path = self.path / "result.json"
        return read_json(path) if path.is_file() else None

    def environment(self) -> dict[str, Any]:
        """Read `environment.json`."""
        value: dict[str, Any] = read_json(self.path / "environment.json")
        return value


class FolderSink:
    """Writes events and progress into a run folder, and notes into `log.txt`."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._path = folder.path / "events.jsonl"
        _drop_half_line(self._path)

    def write(self, event: Event) -> None:
        """Append one line."""
        try:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps(event, allow_nan=False) + "\n")
            self._log(event)
        except OSError as error:
            raise self._failed("events", error) from error

    def _failed(self, what: str, error: OSError) -> RunError:
        return RunError(
            f"Cannot write {what} of run {self.folder.run_id}: {error.strerror}. "
            "Free some disk space, then resume the run."
        )

    def _log(self, event: Event) -> None:
        line = log_line(event)
        if line:
            with open(self.folder.path / "log.txt", "a", encoding="utf-8") as file:
                file.write(line + "\n")

    def progress(self, progress: Progress) -> None:
        """Replace the progress file (not synchronised to disk: it is only of passing interest)."""
        path = self.folder.path / "progress.json"
        temporary = path.with_name(".progress.json.new")
        try:
            temporary.write_text(json.dumps(progress), encoding="utf-8")
            os.replace(temporary, path)
        except OSError as error:
            raise self._failed("progress", error) from error

    def rewind(self, seq: int) -> None:
        """Keep only the events before `seq`; readers notice by the new file."""
        kept = [e for e in self.folder.events() if e["seq"] < seq]
        text = "".join(json.dumps(event, allow_nan=False) + "\n" for event in kept)
        write_atomically(self._path, text.encode())


def _drop_half_line(path: Path) -> None:
    """Cut off what a killed process wrote of a last line, so that the next one is whole."""
    if path.is_file():
        with open(path, "rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def log_line(event: Event) -> str | None:
    """Return the line of `log.txt` for an event, None for those that are not logged."""
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(event["time"]))
    text = _log_text(event)
    return None if text is None else f"{clock}Z {text}"


def _log_text(event: Event) -> str | None:
    match event["type"]:
        case "note":
            return f"{event['level']}: {event['message']}"
        case "stage":
            return f"{event['title']}: {event['state']}"
        case "epoch":
            return f"epoch {event['epoch']}/{event['epochs']}: loss {event['loss']:.4f}"
        case "ranking":
            tau = event["metrics"].get("sparse_kendall_tau")
            shown = "undefined" if tau is None else f"{tau:.3f}"
            return f"epoch {event['epoch']}: sparse Kendall tau {shown}"
        case "state":
            return f"{event['state']}: {event['message']}".rstrip(": ")
        case _:
            return None


def new_run_id(spec: ExperimentSpec) -> str:
    """Make a unique, sortable, readable run id."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return f"{stamp}-{spec.algorithm}-{spec.space}-s{spec.seed}-{secrets.token_hex(2)}"


def create_run(runs: Path, spec: ExperimentSpec, run_id: str | None = None) -> RunFolder:
    """Make a run folder in state `queued`.

    Raises:
        RunError: the id is taken or not a plain name, or the folder cannot be written.
    """
    name = run_id or new_run_id(spec)
    path = find_path(runs, name)
    try:
        if path.is_dir():
            raise RunError(f"There is already a run {name} in {runs}.")
        runs.mkdir(parents=True, exist_ok=True)
        path.mkdir()
    except OSError as error:
        raise RunError(f"Cannot make the run folder {path}: {error.strerror}.") from error
    folder, now = RunFolder(path), time.time()
    write_atomically(path / "spec.yaml", dump(spec).encode())
    write_json(path / "environment.json", describe_environment())
    state = RunState("queued", "", "", now, now, now)
    write_json(path / "state.json", asdict(state))
    return folder


def find_path(runs: Path, run_id: str) -> Path:
    """Return the path of a run id, refusing anything that is not a plain folder name."""
    if not _ID.fullmatch(run_id):
        raise RunError(f"`{run_id:.100}` is not a run id.")
    return runs / run_id


def open_run(runs: Path, run_id: str) -> RunFolder:
    """Return an existing run.

    Raises:
        RunError: no such run.
    """
    folder = RunFolder(find_path(runs, run_id))
    if not folder.exists():
        raise RunError(f"There is no run {run_id} in {runs}.")
    return folder


def list_runs(runs: Path) -> list[RunFolder]:
    """Return all runs of a folder, newest first by id."""
    if not runs.is_dir():
        return []
    folders = [RunFolder(path) for path in runs.iterdir() if path.is_dir()]
    return sorted((f for f in folders if f.exists()), key=lambda f: f.run_id, reverse=True)
