"""Accuracy tables as CSV, optionally gzipped: one row per architecture."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Sequence
from pathlib import Path

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.spec.errors import ArchitectureError, TableError

TEXT_COLUMNS = ("arch_str", "architecture", "text", "arch")


def read_accuracies(
    path: Path, space: Space, columns: Sequence[str]
) -> dict[Architecture, tuple[float, ...]]:
    """Read some accuracy columns of a table.

    Args:
        path: the file; the architecture stands in a column named `arch_str`, `architecture`,
            `text` or `arch`, in the space's own notation.
        space: the search space of the rows.
        columns: names of accuracy columns, in percent.

    Returns:
        Per architecture its values in the order of `columns`. Rows with an empty value are left
        out; where a row repeats an architecture, the last one counts.

    Raises:
        TableError: unreadable, a column missing, or a value or architecture that is wrong.
    """
    reader = csv.DictReader(io.StringIO(_read_text(path)), restval="")
    try:
        return _read_rows(reader, path, space, columns)
    except csv.Error as error:
        raise TableError(f"Line {reader.line_num + 1} of {path} is no CSV: {error}.") from None


def _read_rows(
    reader: csv.DictReader[str], path: Path, space: Space, columns: Sequence[str]
) -> dict[Architecture, tuple[float, ...]]:
    header = reader.fieldnames or []
    text_column = next((name for name in TEXT_COLUMNS if name in header), None)
    if text_column is None:
        raise TableError(
            f"{path} has no architecture column; name it one of {', '.join(TEXT_COLUMNS)}."
        )
    for name in columns:
        if name not in header:
            raise TableError(f"{path} has no column `{name}`; it has {', '.join(header)}.")
    found: dict[Architecture, tuple[float, ...]] = {}
    for row in reader:
        number = reader.line_num
        if any(not row[name] for name in columns):
            continue
        try:
            architecture = space.parse(row[text_column])
            values = tuple(float(row[name]) for name in columns)
        except (ArchitectureError, ValueError) as error:
            raise TableError(f"Line {number} of {path}: {error}") from None
        if not all(math.isfinite(value) for value in values):
            raise TableError(f"Line {number} of {path} has a value that is not a number.")
        found[architecture] = values
    if not found:
        raise TableError(f"{path} has no complete row.")
    return found


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise TableError(f"{path} cannot be read as a CSV table: {error}.") from None
