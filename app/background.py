"""Long work that a page asks for: commands of the engine in processes of their own.

A task belongs to the server, not to a browser tab: it goes on while the viewer walks between pages
or reloads, and every tab sees the same. The engine reports its progress as JSON lines on standard
error when `NASW_PROGRESS=json` is set (`engine.cli.reporting`), its result as JSON on standard
output, and a fault as the last line of standard error. Knows no Streamlit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engine.spec.errors import WorkbenchError

ROOT = Path(__file__).resolve().parent.parent
KEPT_LINES = 50

TaskState = Literal["running", "done", "failed", "cancelled"]


class TaskError(WorkbenchError):
    """A task cannot be started."""


@dataclass
class Task:
    """One command and how far it is.

    Attributes:
        key: what it is about; only one task of a key runs at a time.
        title: what it does, for people.
        state: running, done, failed or cancelled.
        words: what it is doing now.
        done, total: how far that is; `total` is None where nobody knows.
        output: the JSON object that it printed, of a failed one too; empty until it has ended.
        error: why it failed, a sentence.
    """

    key: str
    title: str
    state: TaskState = "running"
    words: str = "Starting"
    done: float = 0.0
    total: float | None = None
    output: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def share(self) -> float | None:
        """Return how much of the present step is done, of 1; None where nobody knows."""
        return min(self.done / self.total, 1.0) if self.total else None


class Tasks:
    """The tasks of this server; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def start(
        self,
        key: str,
        title: str,
        arguments: Sequence[str],
        after: Callable[[Task], None] = lambda task: None,
    ) -> Task:
        """Run `python -m engine ARGUMENTS` and return at once.

        Args:
            key: see `Task`.
            title: see `Task`.
            arguments: of the engine's command line; it should print a JSON object.
            after: called once when the task has ended in whatever way, in a thread of its own;
                for what has to be tidied up.

        Raises:
            TaskError: a task of this key is running already.
        """
        with self._lock:
            known = self._tasks.get(key)
            if known is not None and known.state == "running":
                raise TaskError(f"{known.title} is under way already; wait for it or cancel it.")
            task = self._tasks[key] = Task(key, title)
            process = subprocess.Popen(
                [sys.executable, "-m", "engine", *arguments],
                cwd=ROOT,
                env=os.environ | {"NASW_PROGRESS": "json"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            self._processes[key] = process
        threading.Thread(target=self._watch, args=(task, process, after), daemon=True).start()
        return task

    def get(self, key: str) -> Task | None:
        """Return the latest task of a key, whatever its state."""
        return self._tasks.get(key)

    def all(self, prefix: str = "") -> list[Task]:
        """Return the tasks whose keys begin so, in the order they were started."""
        with self._lock:
            return [task for key, task in self._tasks.items() if key.startswith(prefix)]

    def cancel(self, key: str) -> None:
        """End a running task; what it was writing is left out or tidied up by its command."""
        with self._lock:
            task, process = self._tasks.get(key), self._processes.get(key)
            if task is None or process is None or task.state != "running":
                return
            task.state = "cancelled"
        process.terminate()

    def forget(self, key: str) -> None:
        """Take an ended task out of the list."""
        with self._lock:
            task = self._tasks.get(key)
            if task is not None and task.state != "running":
                del self._tasks[key]

    def _watch(
        self, task: Task, process: subprocess.Popen[str], after: Callable[[Task], None]
    ) -> None:
        lines: list[str] = []
        reader = threading.Thread(target=self._listen, args=(task, process, lines), daemon=True)
        reader.start()
        assert process.stdout is not None, "it was asked for as a pipe"
        printed = process.stdout.read()
        process.wait()
        reader.join()
        self._settle(task, process.returncode, printed, lines)
        with self._lock:
            if self._processes.get(task.key) is process:
                del self._processes[task.key]
        after(task)

    @staticmethod
    def _listen(task: Task, process: subprocess.Popen[str], lines: list[str]) -> None:
        assert process.stderr is not None, "it was asked for as a pipe"
        for line in process.stderr:
            progress = _progress(line)
            if progress is None:
                lines.append(line.strip())
                del lines[:-KEPT_LINES]
            else:
                task.words = str(progress["what"])
                task.done, task.total = float(progress["done"]), progress["total"]

    @staticmethod
    def _settle(task: Task, code: int, printed: str, lines: list[str]) -> None:
        if task.state == "cancelled":
            return
        said = [line for line in lines if line]
        task.output = _object(printed)
        if code != 0:
            task.error = said[-1] if said else f"It ended without a message (code {code})."
            task.state = "failed"
            return
        task.state = "done"


def _progress(line: str) -> dict[str, Any] | None:
    found = _object(line) if line.startswith('{"progress"') else {}
    progress = found.get("progress")
    return progress if isinstance(progress, dict) else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
