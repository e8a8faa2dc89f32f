"""A run in the terminal: one progress bar and a line for what matters."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from engine.events import Event
from engine.events import Progress as ProgressFields
from engine.runs import log_line


class TerminalSink:
    """Shows events on standard error; standard output stays for results.

    Args:
        quiet: show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[eta]}"),
            console=self.console,
            disable=quiet or not self.console.is_terminal,
        )
        self.task = self.bar.add_task("Starting", total=1.0, eta="")

    def __enter__(self) -> TerminalSink:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def write(self, event: Event) -> None:
        """Print notes, rankings, stages and the final state."""
        if event["type"] in ("note", "ranking", "stage", "state"):
            line = log_line(event)
            if line:
                clock = time.strftime("%H:%M:%S", time.localtime(event["time"]))
                self.console.print(f"{clock} {line.split(' ', 2)[2]}")

    def progress(self, progress: ProgressFields) -> None:
        """Move the bar."""
        left = progress["eta_seconds"]
        self.bar.update(
            self.task,
            completed=progress["fraction"],
            description=f"{progress['title']} ({progress['done']}/{progress['total']})",
            eta="" if left is None else f"about {duration(left)} left",
        )

    def rewind(self, seq: int) -> None:
        """Say that a run goes on from a checkpoint."""
        if seq:
            self.console.print("Continuing from the last checkpoint.")


def duration(seconds: float) -> str:
    """Write seconds in human units."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
