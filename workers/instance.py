"""One instance at a time: the lock, and the processes that a killed instance left behind."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import psutil

from engine.spec.errors import WorkbenchError
from workers.identity import process_alive, this_machine
from workers.settings import Settings

log = logging.getLogger("workers.instance")


class InstanceError(WorkbenchError):
    """The workbench cannot be started here."""


@dataclass(frozen=True)
class Started:
    """A process that belongs to an instance.

    Attributes:
        name: worker, page or store.
        pid: its process id.
        started: Unix seconds when it began; tells it from a later process with the same id.
    """

    name: str
    pid: int
    started: float


class Instance:
    """Holds the lock of a data folder; the kernel frees it when the process ends, however it ends.

    Args:
        settings: tell the data folder.
        name: instances with different names do not exclude each other.

    Raises:
        InstanceError: another instance runs there, or the folder cannot be written.
    """

    def __init__(self, settings: Settings, name: str = "up") -> None:
        self._settings = settings
        self._list = settings.data / f"{name}.processes.json"
        self._file = self._lock(settings.data / f"{name}.lock")

    def _lock(self, path: Path) -> TextIO:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - held while we live
        except OSError as error:
            raise InstanceError(_unwritable(path.parent, error, "NASW_DATA")) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = _parse(file.read())
            file.close()
            raise InstanceError(_running(holder, self._settings.data)) from None
        _rewrite(file, {"pid": os.getpid()})
        return file

    def announce(self, address: str) -> None:
        """Write down where the page is, for whoever starts a second instance."""
        _rewrite(self._file, {"pid": os.getpid(), "address": address})

    def record(self, processes: list[Started]) -> None:
        """Write down the processes of this instance, for when it is killed."""
        rows = [[one.name, one.pid, one.started] for one in processes]
        value = {"machine": this_machine(), "processes": rows}
        temporary = self._list.with_name(f".{self._list.name}.{secrets.token_hex(3)}")
        temporary.write_text(json.dumps(value), encoding="utf-8")
        os.replace(temporary, self._list)

    def end_leftovers(self) -> int:
        """End what a killed instance left running: workers first, so that runs can be saved.

        Returns:
            How many processes were ended.
        """
        try:
            value = json.loads(self._list.read_text(encoding="utf-8"))
            rows = value["processes"] if value["machine"] == this_machine() else []
            found = [Started(str(name), int(pid), float(began)) for name, pid, began in rows]
        except FileNotFoundError:
            return 0
        except (ValueError, TypeError, KeyError) as error:
            log.warning("%s is damaged and left out: %s", self._list, error)
            found = []
        left = [one for one in found if process_alive(one.pid, one.started)]
        store = [one for one in left if one.name == "store"]
        others = [one for one in left if one.name != "store"]
        _end(others, self._settings.shutdown_seconds)
        _end(store, 10.0)
        self.record([])
        return len(left)

    def release(self) -> None:
        """Free the lock."""
        self.record([])
        _rewrite(self._file, {})
        self._file.close()


def check_writable(settings: Settings) -> None:
    """Raise `InstanceError` unless runs and data can be written."""
    for folder, variable in ((settings.data, "NASW_DATA"), (settings.runs, "NASW_RUNS")):
        probe = folder / f".probe-{secrets.token_hex(4)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"x")
            probe.unlink()
        except OSError as error:
            raise InstanceError(_unwritable(folder, error, variable)) from error


def _unwritable(folder: Path, error: OSError, variable: str) -> str:
    return (
        f"{folder} cannot be written ({error.strerror}); "
        f"make it writable, or name another folder with {variable}."
    )


def _running(holder: dict[str, Any], data: Path) -> str:
    process = f" (process {holder['pid']})" if "pid" in holder else ""
    if "address" in holder:
        return (
            f"NAS Workbench already runs at {holder['address']}{process}; open that address, "
            "or end it with Ctrl-C where it was started."
        )
    return f"NAS Workbench is just being started or ended in {data}{process}; wait a moment."


def _parse(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _rewrite(file: TextIO, value: dict[str, Any]) -> None:
    file.seek(0)
    file.truncate()
    json.dump(value, file)
    file.flush()


def _end(processes: list[Started], seconds: float) -> None:
    """Ask processes to end, twice, then force them."""
    handles = [psutil.Process(one.pid) for one in processes if process_alive(one.pid, one.started)]
    for number, wait in ((signal.SIGTERM, seconds), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        for handle in handles:
            signal_tree(handle, number)
        _, handles = psutil.wait_procs(handles, timeout=wait)
        if not handles:
            return


def signal_tree(process: psutil.Process, number: signal.Signals) -> None:
    """Send a signal to a process; SIGKILL, which it cannot pass on, to its descendants too."""
    try:
        whole = process.children(recursive=True) if number == signal.SIGKILL else []
        for one in (process, *whole):
            one.send_signal(number)
    except psutil.NoSuchProcess:
        return
