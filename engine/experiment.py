"""Executing a run: claim it, keep it alive, conduct it, and record how it ended."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from engine.control import Control, NoControl
from engine.environment import describe_environment
from engine.events import Event, Events, Progress, Sink
from engine.runs import HEARTBEAT_SECONDS, FolderSink, RunFolder, write_json
from engine.spec.errors import RunError, StopRequested, WorkbenchError
from engine.states import State

if TYPE_CHECKING:
    from gpu_kernels import Choice


def new_owner() -> str:
    """Return an execution id: who runs, unique for every attempt."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Heartbeat:
    """Gives signs of life from a thread while a run is executed.

    A run may be taken over once its owner was silent for long. An owner that wakes up after a
    standstill (a suspended machine, say) therefore asks before it writes anything: see `check`.

    Args:
        folder: the run.
        owner: execution id.
        seconds: time between two beats; 0 turns the thread off.
    """

    def __init__(self, folder: RunFolder, owner: str, seconds: float) -> None:
        self.folder = folder
        self.owner = owner
        self.seconds = seconds
        self.lost: RunError | None = None
        self._seen = time.time()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def _beat(self) -> None:
        while self.lost is None and not self._stop.wait(self.seconds):
            self._once()

    def _once(self) -> None:
        try:
            self.folder.beat(self.owner)
            self._seen = time.time()
        except (RunError, OSError) as error:
            # A disk that is full for a moment is no reason to give up; the next beat tries again.
            if not self._still_mine():
                self.lost = error if isinstance(error, RunError) else RunError(str(error))

    def _still_mine(self) -> bool:
        try:
            self.folder.require_owner(self.owner)
        except RunError:
            return False
        return True

    def check(self) -> None:
        """Raise if somebody else owns the run now; cheap unless the last beat is long ago.

        Raises:
            RunError: the run was taken over, or its folder is gone.
        """
        late = 0 < 2 * self.seconds < time.time() - self._seen
        if late and self.lost is None and not self._stop.is_set():
            self._once()
        if self.lost is not None:
            raise self.lost

    def __enter__(self) -> Heartbeat:
        if self.seconds > 0:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()


class Guard:
    """The first sink: nothing is written by a process that does not own the run any more."""

    def __init__(self, heart: Heartbeat) -> None:
        self.heart = heart

    def write(self, event: Event) -> None:
        """Let an event pass, or raise."""
        self.heart.check()

    def progress(self, progress: Progress) -> None:
        """Let progress pass, or raise."""
        self.heart.check()

    def rewind(self, seq: int) -> None:
        """Let the record be cut, or raise."""
        self.heart.check()


def execute(
    folder: RunFolder,
    *,
    owner: str,
    sinks: Sequence[Sink] = (),
    control: Control | None = None,
    beat: bool = True,
) -> State:
    """Run, or resume from the last checkpoint, until the run ends or somebody stops it.

    Args:
        folder: a run that is queued or resumable.
        owner: execution id, see `new_owner`.
        sinks: further places for events, besides the run folder.
        control: wishes to pause or stop.
        beat: give signs of life, so that the run is not taken for interrupted.

    Returns:
        `finished`, `paused` or `stopped`.

    Raises:
        WorkbenchError: the run failed; it is marked so with the same sentence.
    """
    folder.change_state("running", owner=owner)
    heart = Heartbeat(folder, owner, HEARTBEAT_SECONDS if beat else 0)
    events = Events([Guard(heart), FolderSink(folder), *sinks])
    try:
        with heart:
            events.seq = _next_seq(folder)
            _conduct(folder, events, control or NoControl(), heart)
        _end(folder, owner, events, "finished")
        return "finished"
    except StopRequested as request:
        state: State = "paused" if request.wish == "pause" else "stopped"
        _end(folder, owner, events, state)
        return state
    except WorkbenchError as error:
        _fail(folder, owner, events, str(error))
        raise
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")
        sentence = (
            f"An unexpected fault stopped the run ({type(error).__name__}: {first:.300}). "
            "Its traceback is in the run's log; the last checkpoint is kept."
        )
        _fail(folder, owner, events, sentence, traceback.format_exc())
        raise RunError(sentence) from error
    except KeyboardInterrupt:
        with suppress(RunError):
            _end(folder, owner, events, "interrupted", "Interrupted from the keyboard.")
        raise


def _conduct(folder: RunFolder, events: Events, control: Control, heart: Heartbeat) -> None:
    # Imported here so that opening and listing runs needs no torch.
    import gpu_kernels
    from engine.conductor import Conductor
    from engine.device import describe_device
    from engine.lab import Lab

    spec = folder.spec()
    notes: list[str] = []
    unsubscribe = gpu_kernels.subscribe(lambda choice: notes.append(_kernel_note(choice)))
    try:
        lab = Lab.build(spec, events)
        _record_environment(folder, describe_device(lab.device))
        Conductor(folder, lab, events, control, heart.check, _teller(events, notes)).run()
    finally:
        unsubscribe()


def _kernel_note(choice: Choice) -> str:
    return f"Kernel {choice.operation}: {choice.implementation} ({choice.reason})."


def _teller(events: Events, notes: list[str]) -> Callable[[], None]:
    def tell() -> None:
        while notes:
            events.note(notes.pop(0))

    return tell


def _record_environment(folder: RunFolder, device: str) -> None:
    """Describe the machine that computes; the command stays that by which the run was made."""
    asked = folder.environment().get("command")
    found = describe_environment() | {"device": device, "command": asked}
    write_json(folder.path / "environment.json", found)


def _next_seq(folder: RunFolder) -> int:
    found = folder.events()
    return found[-1]["seq"] + 1 if found else 0


def _end(folder: RunFolder, owner: str, events: Events, state: State, message: str = "") -> None:
    # A full disk must not hide why the run failed: the state file is small and comes first.
    folder.change_state(state, message, by=owner)
    with suppress(RunError):
        events.emit("state", state=state, message=message)


def _fail(folder: RunFolder, owner: str, events: Events, sentence: str, trace: str = "") -> None:
    """Mark the run failed, unless it is somebody else's by now; the error goes on its way."""
    with suppress(RunError):
        folder.require_owner(owner)
        if trace:
            _log(folder, trace)
        _end(folder, owner, events, "failed", sentence)


def _log(folder: RunFolder, trace: str) -> None:
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    with suppress(OSError), open(folder.path / "log.txt", "a", encoding="utf-8") as file:
        file.write(f"{clock}Z error:\n{trace}\n")
