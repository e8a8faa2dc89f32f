"""Official files of NAS-Bench-201 and NATS-Bench (Dong and Yang, ICLR 2020; Dong et al., 2021).

Known are `NAS-Bench-201-v1_*.pth`, `NATS-tss-*.pickle.pbz2` and `NATS-sss-*.pickle.pbz2`, and the
folders with one such file per architecture. All are pickles: `nats_child` reads them with limits
in a process of its own, and what it says is JSON, of which nothing is trusted here.

A table gets one column per data set, split and budget: the mean over seeds at the end of training.
The splits are those of the files: `x-valid` and `x-test` are halves of the official test images,
`ori-test` all of them (for `cifar10-valid`, `x-valid` is the half of the training images that was
not trained on).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.core.space import Space
from engine.spec.errors import TableError
from engine.tables.builder import BuiltTable, Progress, TableBuilder
from engine.tables.columns import PERCENT, Column

CHILD = Path(__file__).with_name("nats_child.py")
MILLION = 1e6  # the files count parameters and multiply-adds in millions
QUANTITIES = {
    "training_time": ("seconds", 1.0, True),
    "latency": ("seconds", 1.0, False),
    "params": ("parameters", MILLION, False),
    "flops": ("multiply-adds", MILLION, False),
}
"""Unit, factor to it, and whether it depends on the epochs; everything else is an accuracy."""
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


def read_nats(path: Path, space: Space, progress: Progress) -> BuiltTable:
    """Read an official file or folder.

    Args:
        path: the file, or the folder with `meta.pickle.pbz2`.
        space: `nb201` for NAS-Bench-201 and the topology benchmark, `nats_size` for the other.
        progress: reports.

    Raises:
        TableError: damaged, of another kind, or asking for anything but data.
    """
    reader = _Records(path, progress)
    with _lines(path) as lines:
        for line in lines:
            try:
                reader.take(line)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise refused(path, f"its reader said nonsense ({error})") from None
    if not reader.done:
        raise refused(path, "its reader stopped before the end")
    meta = reader.meta

    def text_of(index: object) -> str:
        if type(index) is not int or not 0 <= index < len(meta):
            raise refused(path, f"it has results of an architecture {index} that it does not list")
        return meta[index]

    return reader.builder.finish(space, text_of, progress)


class _Records:
    """Collects what the child says, line by line."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.path = path
        self.progress = progress
        self.builder = TableBuilder(str(path))
        self.meta: list[str] = []
        self.done = False

    def take(self, line: bytes) -> None:
        said = json.loads(line)
        if "error" in said:
            raise refused(self.path, str(said["error"]))
        if "index" in said:
            index = said["index"]
            if type(index) is not int:
                raise TypeError("an index that is no number")
            for dataset, epochs, _, numbers in said["runs"]:
                self.builder.add(index, _columns(dataset, epochs, numbers))
        elif "at" in said:
            self.progress("Reading", int(said["at"]), int(said["of"]))
        elif "meta" in said:
            if any(type(text) is not str for text in said["meta"]):
                raise TypeError("an architecture that is no text")
            self.meta = said["meta"]
        elif "restart" in said:
            self.builder = TableBuilder(str(self.path))
        else:
            self.done = said["done"] == len(self.builder)


def _columns(dataset: object, epochs: object, numbers: dict[str, Any]) -> dict[Column, float]:
    if type(dataset) is not str or type(epochs) is not int:
        raise TypeError("a training without data set or epochs")
    found = {}
    for name, value in numbers.items():
        if type(value) not in (int, float):
            raise TypeError(f"`{name}` is no number")
        unit, factor, budgeted = QUANTITIES.get(name, (PERCENT, 1.0, True))
        found[Column.of(name, unit, dataset, epochs if budgeted else None)] = value * factor
    return found


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[bytes]]:
    """Start the child and give what it says; it is stopped when the block is left."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", str(CHILD), str(path.resolve())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ},
    )
    assert child.stdout is not None
    try:
        yield iter(child.stdout)
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


def refused(path: Path, reason: str) -> TableError:
    """Return the error for a file that was not read."""
    return TableError(
        f"{path} was not read: {reason}. Use an official file of this kind, downloaded again."
    )
