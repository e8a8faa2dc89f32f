"""What is done to several runs at once: taken away, deleted, brought back. Knows no Streamlit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from io import BufferedReader
from typing import NamedTuple

from engine.export.bundle import write_folders
from engine.runs import RunFolder
from engine.spec.errors import WorkbenchError


class Outcome(NamedTuple):
    """Which runs something was done to, and why not to the others."""

    done: list[str]
    refused: list[str]


def each(action: Callable[[str], object], run_ids: Sequence[str]) -> Outcome:
    """Do something to every run; one that refuses does not keep the others from it."""
    outcome = Outcome([], [])
    for run_id in run_ids:
        try:
            action(run_id)
        except WorkbenchError as error:
            outcome.refused.append(str(error))
        else:
            outcome.done.append(run_id)
    return outcome


def zipped(folders: Sequence[RunFolder]) -> BufferedReader:
    """Return the folders of all runs, without checkpoints, as one ZIP.

    It is written to a temporary file a megabyte at a time; the file is gone when it is closed.

    Raises:
        ExportError: a folder cannot be read, or the disk is full.
    """
    with tempfile.NamedTemporaryFile(suffix=".zip") as made:
        write_folders({one.run_id: one.path for one in folders}, {}, made.file)
        made.flush()
        return open(made.name, "rb")
