"""What a CSV table looks like before it is imported: columns, first rows, likely units."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from engine.spaces import SPACES
from engine.spec.errors import ArchitectureError
from engine.tables.columns import PERCENT
from engine.tables.csv_import import architecture_text, is_accuracy
from engine.tables.csv_table import TEXT_COLUMNS, reading_csv

ROWS = 500
SHOWN = 5
# Units that a name gives away for anything but accuracies. `params_M` counts in another unit.
_NAMED = {
    "parameters": {"params", "parameters", "trainable_params"},
    "multiply-adds": {"flops", "macs"},
    "seconds": {"seconds"},
}
_ABOUT = (*TEXT_COLUMNS, "adjacency", "ops", "epochs", "dataset", "task")


@dataclass(frozen=True)
class PreviewColumn:
    """A column of numbers, as far as the first rows show it.

    Attributes:
        name: in the file.
        accuracy: it is called like an accuracy.
        unit: likely unit; None where both `percent` and `fraction` are possible.
        smallest, largest: of the rows that were read.
    """

    name: str
    accuracy: bool
    unit: str | None
    smallest: float
    largest: float


@dataclass(frozen=True)
class CsvPreview:
    """The first rows of a file.

    Attributes:
        header: names of all columns.
        rows: the first `SHOWN` rows.
        text: architecture of the first row; None where no column has one.
        columns: columns of numbers that can be imported.
        read: number of rows that were read.
        complete: the file has no more rows than that.
    """

    header: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    text: str | None
    columns: tuple[PreviewColumn, ...]
    read: int
    complete: bool


def preview(file: BinaryIO, source: str) -> CsvPreview:
    """Read the first rows of a file, optionally gzipped.

    Args:
        file: opened for reading bytes; it stays open.
        source: what messages call it.

    Raises:
        TableError: it is no CSV.
    """
    with reading_csv(file, Path(source)) as reader:
        rows = list(islice(reader, ROWS + 1))
        header = tuple(reader.fieldnames or ())
    complete = len(rows) <= ROWS
    rows = rows[:ROWS]
    found = [_column(name, [row[name] for row in rows]) for name in header if name not in _ABOUT]
    text = architecture_text(rows[0]) if rows else None
    columns = tuple(column for column in found if column is not None)
    return CsvPreview(header, tuple(rows[:SHOWN]), text, columns, len(rows), complete)


def fitting_spaces(text: str) -> list[str]:
    """Return the spaces with their usual settings in which a text is an architecture."""
    return [name for name, space in sorted(SPACES.items()) if fault(space.name, text) is None]


def fault(space: str, text: str) -> str | None:
    """Say why a text is no architecture of a space with its usual settings, or return None."""
    try:
        SPACES[space].parse(text)
    except ArchitectureError as error:
        return str(error)
    return None


def _column(name: str, texts: list[str]) -> PreviewColumn | None:
    numbers = []
    for text in texts:
        if text:
            try:
                numbers.append(float(text))
            except ValueError:
                return None
    if not numbers or not all(map(math.isfinite, numbers)):
        return None
    smallest, largest = min(numbers), max(numbers)
    accuracy = is_accuracy(name)
    return PreviewColumn(name, accuracy, _unit(name, accuracy, largest), smallest, largest)


def _unit(name: str, accuracy: bool, largest: float) -> str | None:
    if accuracy:
        return PERCENT if largest > 1 else None
    word = re.sub(r"[^a-z]+", "_", name.lower()).strip("_")
    return next((unit for unit, words in _NAMED.items() if word in words), "number")
