"""Progress of long commands: a bar in a terminal, JSON lines for a program that asks for them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int | None], None]
BETWEEN_SECONDS = 0.2


@contextmanager
def reporting() -> Iterator[Report]:
    """Yield what a command calls with (what it does, done, total or None).

    Everything goes to standard error. With `NASW_PROGRESS=json` in the environment every report is
    a line `{"progress": {"what", "done", "total"}}`, at most five a second of one kind.
    """
    if os.environ.get("NASW_PROGRESS") == "json":
        yield _json_lines()
        return
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("Starting", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )


def _json_lines() -> Report:
    last = ("", float("-inf"))

    def report(what: str, done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if what == last[0] and now - last[1] < BETWEEN_SECONDS and done != total:
            return
        last = (what, now)
        line = json.dumps({"progress": {"what": what, "done": done, "total": total}})
        print(line, file=sys.stderr, flush=True)

    return report
