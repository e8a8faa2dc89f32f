"""CSV files of any lab as tables: which columns are accuracies, in which unit, of which training.

Nothing is guessed that would change a number. A column whose values all lie between 0 and 1 can be
fractions or percents, and is refused unless the unit is given. What a row is about is read from
columns with these names:

- the architecture from `arch_str`, `architecture`, `text`, `arch` or `genotype` in the space's own
  notation, or from `adjacency` and `ops` as NAS-Bench-101 writes them;
- `epochs`: rows of one architecture with different epochs become different columns, `val@108`;
- `dataset` or `task`: likewise, `cifar10/val`.

Other rows of one architecture are repeats, and their mean is taken.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.core.space import Space
from engine.spec.errors import ArchitectureError, TableError
from engine.tables.builder import EVERY, BuiltTable, Progress, TableBuilder
from engine.tables.columns import PERCENT, UNITS, Column
from engine.tables.csv_table import TEXT_COLUMNS, number, open_csv, require_column

FRACTION = "fraction"
ACCURACY_UNITS = (PERCENT, FRACTION)
GIVEN_UNITS = (*ACCURACY_UNITS, *UNITS[1:])
_ACCURACY = {"acc", "accuracy", "val", "valid", "validation", "test", "train"}
_NO_ACCURACY = {"loss", "time", "s", "ms", "seconds", "energy", "kwh", "latency", "std", "var"}
_PAIR = ("adjacency", "ops")
_DATASET = ("dataset", "task")


@dataclass(frozen=True)
class CsvOptions:
    """What a CSV file cannot say itself.

    Attributes:
        columns: `NAME` or `NAME:UNIT` of the columns to import; empty: all whose name says that
            they are accuracies.
        unit: `percent` or `fraction`, the unit of all accuracies; None: see the module.
    """

    columns: tuple[str, ...] = ()
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.unit is not None and self.unit not in ACCURACY_UNITS:
            raise TableError(
                f"--unit: accuracies are `percent` or `fraction`; given was `{self.unit}`."
            )


@dataclass
class _Wanted:
    """A column of the file, what it holds, and the range of its values."""

    name: str
    unit: str | None
    smallest: float = math.inf
    largest: float = -math.inf


def read_csv(path: Path, space: Space, options: CsvOptions, progress: Progress) -> BuiltTable:
    """Read a CSV file, optionally gzipped.

    Raises:
        TableError: unreadable; a column that is missing, no numbers, or of an unknown unit; an
            architecture of another space.
    """
    wanted = _wanted(path, options)
    with open_csv(path) as reader:
        for row in reader:
            for column in wanted:
                if row[column.name]:
                    value = number(row[column.name], reader, path)
                    column.smallest = min(column.smallest, value)
                    column.largest = max(column.largest, value)
    units = {column.name: _unit(column, path, options.unit) for column in wanted}
    builder = TableBuilder(str(path))
    with open_csv(path) as reader:
        for count, row in enumerate(reader):
            values = {
                _column(reader, path, row, name, unit): _value(row[name], unit)
                for name, unit in units.items()
                if row[name]
            }
            builder.add(_text(reader, path, row, space), values)
            if count % EVERY == 0:
                progress("Reading", count, None)
    return builder.finish(space, str, progress)


def _wanted(path: Path, options: CsvOptions) -> list[_Wanted]:
    with open_csv(path) as reader:
        if not options.columns:
            header = reader.fieldnames or []
            found = [_Wanted(name, None) for name in header if is_accuracy(name)]
            if not found:
                raise TableError(
                    f"No column of {path} is called like an accuracy (val, test, acc, ...); name "
                    f"those to import with --column; it has {', '.join(header)}."
                )
            return found
        return [_given(reader, path, text) for text in options.columns]


def is_accuracy(name: str) -> bool:
    """Tell whether a column is called like an accuracy."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    return bool(words & _ACCURACY) and not words & _NO_ACCURACY


def _given(reader: csv.DictReader[str], path: Path, text: str) -> _Wanted:
    name, colon, unit = text.rpartition(":") if ":" in text else (text, "", "")
    if colon and unit not in GIVEN_UNITS:
        raise TableError(
            f"--column: `{unit}` is no unit; write NAME:UNIT with one of {', '.join(GIVEN_UNITS)}."
        )
    require_column(reader, path, name)
    if not colon and not is_accuracy(name):
        raise TableError(
            f"--column: the name of `{name}` does not say what it is; write {name}:UNIT with one "
            f"of {', '.join(GIVEN_UNITS)}."
        )
    return _Wanted(name, unit or None)


def _unit(column: _Wanted, path: Path, given: str | None) -> str:
    """Return the unit of a column's values in the file."""
    if column.largest < column.smallest:
        raise TableError(f"The column `{column.name}` of {path} is empty.")
    unit = column.unit or given
    span = f"values from {column.smallest:g} to {column.largest:g}"
    if unit is None:
        if column.largest <= 1:
            raise TableError(
                f"The column `{column.name}` of {path} has {span}, which can be fractions or "
                "percents; say which with --unit fraction or --unit percent."
            )
        unit = PERCENT
    limit = {FRACTION: 1, PERCENT: 100}.get(unit, math.inf)
    if unit in ACCURACY_UNITS and not 0 <= column.smallest <= column.largest <= limit:
        raise TableError(
            f"The column `{column.name}` of {path} has {span}, which are no accuracies in "
            f"{unit}; give its unit with --column {column.name}:UNIT, or leave it out."
        )
    return unit


def _value(text: str, unit: str) -> float:
    return 100 * float(text) if unit == FRACTION else float(text)


def _column(
    reader: csv.DictReader[str], path: Path, row: dict[str, str], name: str, unit: str
) -> Column:
    dataset = next((row[key] for key in _DATASET if row.get(key)), None)
    epochs = None
    if row.get("epochs"):
        epochs = int(number(row["epochs"], reader, path))
    return Column.of(name, PERCENT if unit == FRACTION else unit, dataset, epochs)


def _text(reader: csv.DictReader[str], path: Path, row: dict[str, str], space: Space) -> str:
    """Return the architecture of a row in the space's own writing."""
    text = architecture_text(row)
    if text is None:
        raise TableError(
            f"{path} has no architecture column; name it one of {', '.join(TEXT_COLUMNS)}, or "
            f"give {' and '.join(_PAIR)}."
        )
    try:
        return space.to_text(space.parse(text))
    except ArchitectureError as error:
        raise TableError(f"Line {reader.line_num} of {path}: {error}") from None


def architecture_text(row: Mapping[str, str]) -> str | None:
    """Return what a row is about as the file writes it; None where no column says that."""
    text_column = next((name for name in TEXT_COLUMNS if name in row), None)
    if text_column is not None:
        return row[text_column]
    if all(name in row for name in _PAIR):
        return " ".join(row[name] for name in _PAIR)
    return None
