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
from engine.events import Events, Sink
from engine.runs import HEARTBEAT_SECONDS, FolderSink, RunFolder
from engine.spec.errors import RunError, StopRequested, WorkbenchError
from engine.states import State

if TYPE_CHECKING:
    from gpu_kernels import Choice


def new_owner() -> str:
    """Return an execution id: who runs, unique for every attempt."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Heartbeat:
    """Gives signs of life from a thread while a run is executed.

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
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def _beat(self) -> None:
        while not self._stop.wait(self.seconds):
            try:
                self.folder.beat(self.owner)
            except RunError as error:
                self.lost = error
                return

    def check(self) -> None:
        """Raise if somebody else owns the run now, or the beat cannot be written."""
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
    events = Events([FolderSink(folder), *sinks], seq=_next_seq(folder))
    with Heartbeat(folder, owner, HEARTBEAT_SECONDS if beat else 0) as heart:
        try:
            _conduct(folder, events, control or NoControl(), heart)
        except StopRequested as request:
            state: State = "paused" if request.wish == "pause" else "stopped"
            return _end(folder, events, state, "")
        except WorkbenchError as error:
            if heart.lost is None:
                _end(folder, events, "failed", str(error))
            raise
        except Exception as error:
            _log_traceback(folder)
            sentence = (
                f"An unexpected fault stopped the run ({type(error).__name__}: {error}). "
                "Its traceback is in the run's log; the last checkpoint is kept."
            )
            _end(folder, events, "failed", sentence)
            raise RunError(sentence) from error
        return _end(folder, events, "finished", "")


def _conduct(folder: RunFolder, events: Events, control: Control, heart: Heartbeat) -> None:
    # Imported here so that opening and listing runs needs no torch.
    import gpu_kernels
    from engine.conductor import Conductor
    from engine.lab import Lab

    spec = folder.spec()
    notes: list[str] = []
    unsubscribe = gpu_kernels.subscribe(lambda choice: notes.append(_kernel_note(choice)))
    try:
        lab = Lab.build(spec, events)
        conductor = Conductor(folder, lab, events, control, _watch(events, notes, heart))
        conductor.run()
    finally:
        unsubscribe()


def _kernel_note(choice: Choice) -> str:
    return f"Kernel {choice.operation}: {choice.implementation} ({choice.reason})."


def _watch(events: Events, notes: list[str], heart: Heartbeat) -> Callable[[], None]:
    def watch() -> None:
        heart.check()
        while notes:
            events.note(notes.pop(0))

    return watch


def _next_seq(folder: RunFolder) -> int:
    found = folder.events()
    return found[-1]["seq"] + 1 if found else 0


def _end(folder: RunFolder, events: Events, state: State, message: str) -> State:
    # A full disk must not hide why the run failed: the state file is small and comes first.
    folder.change_state(state, message)
    with suppress(RunError):
        events.emit("state", state=state, message=message)
    return state


def _log_traceback(folder: RunFolder) -> None:
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    with suppress(OSError), open(folder.path / "log.txt", "a", encoding="utf-8") as file:
        file.write(f"{clock}Z error:\n{traceback.format_exc()}\n")
