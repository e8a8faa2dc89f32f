"""Accuracy tables as CSV, optionally gzipped: one row per architecture."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.spec.errors import ArchitectureError, TableError

TEXT_COLUMNS = ("arch_str", "architecture", "text", "arch", "genotype")


def read_accuracies(
    path: Path, space: Space, columns: Sequence[str]
) -> dict[Architecture, tuple[float, ...]]:
    """Read some accuracy columns of a table.

    Args:
        path: the file; the architecture stands in a column named as in `TEXT_COLUMNS`, in the
            space's own notation.
        space: the search space of the rows.
        columns: names of accuracy columns, in percent.

    Returns:
        Per architecture its values in the order of `columns`. Rows with an empty value are left
        out; where a row repeats an architecture, the last one counts.

    Raises:
        TableError: unreadable, a column missing, or a value or architecture that is wrong.
    """
    found: dict[Architecture, tuple[float, ...]] = {}
    with open_csv(path) as reader:
        text_column = _text_column(reader, path)
        for name in columns:
            require_column(reader, path, name)
        for row in reader:
            if any(not row[name] for name in columns):
                continue
            try:
                architecture = space.parse(row[text_column])
            except ArchitectureError as error:
                raise TableError(f"Line {reader.line_num} of {path}: {error}") from None
            found[architecture] = tuple(number(row[name], reader, path) for name in columns)
    if not found:
        raise TableError(f"{path} has no complete row.")
    return found


def csv_columns(path: Path) -> list[str]:
    """Return the names in the first line.

    Raises:
        TableError: the file cannot be read.
    """
    with open_csv(path) as reader:
        return list(reader.fieldnames or [])


@contextmanager
def open_csv(path: Path) -> Iterator[csv.DictReader[str]]:
    """Open a table and read it line by line.

    Raises:
        TableError: unreadable, damaged, or no CSV; also for what is found while reading.
    """
    try:
        with path.open("rb") as file, reading_csv(file, path) as reader:
            yield reader
    except OSError as error:
        raise _unreadable(path, error) from None


@contextmanager
def reading_csv(file: BinaryIO, path: Path) -> Iterator[csv.DictReader[str]]:
    """Read an open file line by line; the file stays open.

    Args:
        file: opened for reading bytes, at its start.
        path: what messages call it.

    Raises:
        TableError: as `open_csv`.
    """
    try:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        data = gzip.GzipFile(fileobj=file) if packed else file
        text = io.TextIOWrapper(data, encoding="utf-8-sig", newline="")
        try:
            reader = csv.DictReader(text, restval="")
            try:
                yield reader
            except csv.Error as error:
                line = reader.line_num + 1
                raise TableError(f"Line {line} of {path} is no CSV: {error}.") from None
        finally:
            text.detach()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> TableError:
    return TableError(f"{path} cannot be read as a CSV table: {error}.")


def number(text: str, reader: csv.DictReader[str], path: Path) -> float:
    """Return the number of a field.

    Raises:
        TableError: it is none.
    """
    try:
        value = float(text)
    except ValueError as error:
        raise TableError(f"Line {reader.line_num} of {path}: {error}") from None
    if not math.isfinite(value):
        raise TableError(f"Line {reader.line_num} of {path} has a value that is not a number.")
    return value


def require_column(reader: csv.DictReader[str], path: Path, name: str) -> None:
    """Check that a column is there.

    Raises:
        TableError: it is not; the message names those that are.
    """
    header = reader.fieldnames or []
    if name not in header:
        raise TableError(f"{path} has no column `{name}`; it has {', '.join(header)}.")


def _text_column(reader: csv.DictReader[str], path: Path) -> str:
    found = next((name for name in TEXT_COLUMNS if name in (reader.fieldnames or [])), None)
    if found is None:
        raise TableError(
            f"{path} has no architecture column; name it one of {', '.join(TEXT_COLUMNS)}."
        )
    return found
