"""Accuracies of architectures from a CSV file or an imported table, for runs that ask one by one.

An architecture that a table does not list is looked up by its canonical form: the first row with
an equal network answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.spaces import SPACES
from engine.spec.errors import ArchitectureError, TableError
from engine.tables.csv_table import csv_columns, read_accuracies
from engine.tables.header import Header, accuracies, read_header
from engine.tables.store import Table, imported, is_name, open_table, tables_folder


class Lookup(Protocol):
    """Answers with the values of some accuracy columns, in percent."""

    def get(self, architecture: Architecture) -> tuple[float, ...] | None:
        """Return the values of an architecture, or None where one is missing."""
        ...

    def everything(self) -> list[float]:
        """Return the first column's values of all architectures of the space that have one."""
        ...

    def architectures(self) -> list[Architecture]:
        """Return all architectures of the space that are listed, in the order of the table."""
        ...


class CsvLookup:
    """Rows of a CSV file, see `read_accuracies`.

    Raises:
        TableError: the file cannot be used.
    """

    def __init__(self, path: Path, space: Space, columns: Sequence[str]) -> None:
        self._space = space
        self._values = read_accuracies(path, space, columns)

    def get(self, architecture: Architecture) -> tuple[float, ...] | None:
        values = self._values.get(architecture)
        if values is None:
            alike = self._by_network.get(self._space.canonical(architecture))
            values = None if alike is None else self._values[alike]
        return values

    def everything(self) -> list[float]:
        return [values[0] for values in self._values.values()]

    def architectures(self) -> list[Architecture]:
        return list(self._values)

    @cached_property
    def _by_network(self) -> dict[str, Architecture]:
        """Made only when it is needed: a complete table never needs it."""
        found: dict[str, Architecture] = {}
        for architecture in self._values:
            found.setdefault(self._space.canonical(architecture), architecture)
        return found


class TableLookup:
    """Rows of an imported table.

    Raises:
        TableError: another space, or a column that is missing or holds no accuracies.
    """

    def __init__(self, table: Table, space: Space, columns: Sequence[str]) -> None:
        table.require_space(space)
        for name in columns:
            require_accuracy(table.header, name)
        self._table = table
        self._space = space
        self._columns = [table.values(name) for name in columns]

    def get(self, architecture: Architecture) -> tuple[float, ...] | None:
        row = self._table.find(self._space, architecture)
        if row is None:
            return None
        values = tuple(float(column[row]) for column in self._columns)
        return None if np.isnan(values).any() else values

    def everything(self) -> list[float]:
        values = self._columns[0]
        known = ~np.isnan(values)
        if self._space is not SPACES[self._space.name]:  # a sub-space has a part of the rows
            known &= np.array([self._parsed(row) is not None for row in range(len(values))])
        return [float(value) for value in values[known]]

    def architectures(self) -> list[Architecture]:
        parsed = (self._parsed(row) for row in range(len(self._table)))
        return [architecture for architecture in parsed if architecture is not None]

    def _parsed(self, row: int) -> Architecture | None:
        try:
            return self._space.parse(self._table.texts[row])
        except ArchitectureError:
            return None


def open_lookup(source: str, space: Space, columns: Sequence[str], data_folder: Path) -> Lookup:
    """Open what an experiment calls its table.

    Args:
        source: name of an imported table, or else path of a CSV file.
        space: the experiment's space.
        columns: accuracy columns to look up.
        data_folder: the lab's data folder.

    Raises:
        TableError: there is no such table, or it cannot be used.
    """
    if source in imported(data_folder):
        return TableLookup(open_table(data_folder, source), space, columns)
    return CsvLookup(Path(source), space, columns)


def check_source(source: str, space: Space, columns: Sequence[str], data_folder: Path) -> None:
    """Check cheaply that `open_lookup` has what it needs: the table, its space, its columns.

    Raises:
        TableError: it does not.
    """
    names = imported(data_folder)
    if source in names:
        header = read_header(tables_folder(data_folder) / source)
        if header.space != space.name:
            raise TableError(
                f"the table `{source}` is about the space `{header.space}`, not about "
                f"`{space.name}`."
            )
        for name in columns:
            require_accuracy(header, name)
        return
    if not Path(source).is_file():
        if is_name(source):
            raise TableError(
                f"there is no imported table `{source}`, and no file of this name; imported are: "
                f"{', '.join(names) or 'none'}."
            )
        raise TableError(f"there is no file {source}.")
    known = csv_columns(Path(source))
    for name in columns:
        if name not in known:
            raise TableError(f"{source} has no column `{name}`; it has {', '.join(known)}.")


def require_accuracy(header: Header, name: str) -> None:
    """Check that a column can rank architectures.

    Raises:
        TableError: there is no such column, or it holds something else than accuracies.
    """
    unit = header.column(name).unit
    if name not in accuracies(header):
        known = ", ".join(accuracies(header))
        raise TableError(
            f"The column `{name}` of the table `{header.name}` is in {unit}; accuracies are: "
            f"{known or 'none'}."
        )
