"""Keeps the processes of an instance alive, and ends them in the right order."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from engine.spec.errors import WorkbenchError
from workers.instance import Started, signal_tree

QUICK_SECONDS = 20.0  # a process that lives shorter than this has not really started
MOST_SECONDS = 30.0  # longest wait before another start
LOG_BYTES = 5_000_000  # of a log that is put aside at the next start

log = logging.getLogger("workers.supervisor")


class Child:
    """A process that is started again whenever it dies, sooner the longer it had lived.

    Args:
        name: for logs and messages, such as `worker-cpu`.
        command: program and arguments.
        environment: all its environment variables.
        log_path: where its output goes.
        folder: its working folder.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log_path: Path,
        folder: Path,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self.quick_deaths = 0
        self.command = list(command)
        self._environment = dict(environment)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._since = 0.0
        self._not_before = 0.0

    @property
    def running(self) -> bool:
        """Tell whether it lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, in a session of its own, so that Ctrl-C reaches it through us only."""
        put_aside(self.log_path)
        with open(self.log_path, "ab") as output:
            self._process = subprocess.Popen(
                self.command,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._since = time.monotonic()

    def keep(self) -> bool:
        """Start it again when it has died and its wait is over; True when it was started."""
        if self.running or self._process is None:
            return False
        now = time.monotonic()
        if self._not_before < self._since:  # its death is news
            lived = now - self._since
            self.quick_deaths = self.quick_deaths + 1 if lived < QUICK_SECONDS else 1
            wait = min(MOST_SECONDS, 0.5 * 2 ** (self.quick_deaths - 1))
            self._not_before = now + wait
            code = self._process.returncode
            log.warning("%s ended (%s); starting it again in %.1f s.", self.name, code, wait)
        if now < self._not_before:
            return False
        self.start()
        return True

    def identity(self) -> Started | None:
        """Return its process, None when it does not run."""
        if self._process is None or not self.running:
            return None
        try:
            began = psutil.Process(self._process.pid).create_time()
        except psutil.NoSuchProcess:
            return None
        return Started(self.name, self._process.pid, began)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        if self._process is None or not self.running:
            return
        try:
            signal_tree(psutil.Process(self._process.pid), number)
        except psutil.NoSuchProcess:
            return


def put_aside(path: Path) -> None:
    """Rename a log that has grown long, replacing the one put aside before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size > LOG_BYTES:
        os.replace(path, path.with_name(path.name + ".1"))


def end(
    children: Sequence[Child], seconds: float, hurried: Callable[[], bool] = lambda: False
) -> None:
    """End processes together: ask once, wait, ask again, then force.

    Args:
        children: the processes.
        seconds: time they have after the first signal.
        hurried: tells that nobody wants to wait any longer.
    """
    for number, patience in (
        (signal.SIGTERM, seconds),
        (signal.SIGTERM, 10.0),
        (signal.SIGKILL, 10.0),
    ):
        for child in children:
            child.send(number)
        until = time.monotonic() + patience
        while any(child.running for child in children) and time.monotonic() < until:
            if hurried() and number == signal.SIGTERM and patience == seconds:
                break
            time.sleep(0.05)
        if not any(child.running for child in children):
            return
    raise WorkbenchError(
        f"These processes do not end: {', '.join(c.name for c in children if c.running)}."
    )
