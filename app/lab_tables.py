"""The bridge from the pages to the lab's ground truth: imported tables and the results bank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.sheet import Sheet, best_rows, of_bank, of_table
from engine.lab_folders import data_folder
from engine.metrics import kendall_tau, spearman
from engine.spaces import SPACES, get_space
from engine.spec.errors import TableError, WorkbenchError
from engine.tables import store
from engine.tables.bank import BankRow
from engine.tables.bank_reading import BankReading, read_bank, read_protocol
from engine.tables.bank_reading import stamp as bank_stamp
from engine.tables.header import HEADER, Header, read_header

OPEN_SHEETS = 4
METHODS = {"spearman": spearman, "kendall_tau": kendall_tau}

Matrix = list[list[float | None]]


# -- imported tables ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Entry:
    """An imported table in the list.

    Attributes:
        header: None where it is damaged.
        problem: why it cannot be opened.
        moment: when it was imported, seconds since 1970.
        size: bytes on disk.
    """

    name: str
    header: Header | None
    problem: str
    moment: float
    size: int


def entries() -> list[Entry]:
    """Return all imported tables by name; headers are read again only when they have changed."""
    folder = store.tables_folder(data_folder())
    found = []
    for name in store.imported(data_folder()):
        try:
            changed = (folder / name / HEADER).stat().st_mtime_ns
        except OSError:  # deleted a moment ago
            continue
        found.append(_entry(str(folder.absolute()), name, changed))
    return found


@st.cache_data(show_spinner=False, max_entries=500)
def _entry(tables: str, name: str, changed: int) -> Entry:
    folder = Path(tables) / name
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    try:
        header, problem = read_header(folder), ""
    except TableError as error:
        header, problem = None, str(error)
    return Entry(name, header, problem, changed / 1e9, size)


def sheet(name: str) -> Sheet:
    """Open an imported table; the last few that were opened stay so.

    Raises:
        TableError: there is none of this name, or it is damaged.
        SpecError: its space is not known any more.
    """
    known = {entry.name: entry for entry in entries()}
    if name not in known:
        store.open_table(data_folder(), name)  # says what there is
    return _sheet(str(data_folder().absolute()), name, known[name].moment)


@st.cache_resource(show_spinner=False, max_entries=OPEN_SHEETS)
def _sheet(folder: str, name: str, moment: float) -> Sheet:
    table = store.open_table(Path(folder), name)
    space = get_space(table.header.space, table.header.space_settings)
    table.require_space(space)
    return of_table(table, space)


def delete(name: str) -> None:
    """Delete an imported table.

    Raises:
        TableError: there is none, or its folder is not writable.
    """
    store.delete_table(data_folder(), name)


# -- the results bank -----------------------------------------------------------------------------
@dataclass(frozen=True)
class BankGroup:
    """The trainings of one space and protocol.

    Attributes:
        content: sections `data`, `network` and `training`; None where nothing is on record.
    """

    space: str
    protocol: str
    networks: int
    trainings: int
    seconds: float
    content: dict[str, Any] | None

    @property
    def key(self) -> str:
        """How addresses name it."""
        return f"{self.space}/{self.protocol}"


@dataclass(frozen=True)
class BankView:
    """The whole bank, read once for all viewers until something is added."""

    reading: BankReading
    groups: tuple[BankGroup, ...]

    def rows(self, group: BankGroup) -> list[BankRow]:
        """Return the trainings of a group."""
        wanted = (group.space, group.protocol)
        return [row for row in self.reading.rows if (row.space, row.protocol) == wanted]


def bank() -> BankView:
    """Return what the lab has trained; damaged lines are told and left out."""
    folder = data_folder().absolute() / "bank"
    return _bank(str(folder), bank_stamp(folder))


@st.cache_resource(show_spinner=False, max_entries=1)
def _bank(folder: str, stamp: tuple[tuple[str, int, int], ...]) -> BankView:
    reading = read_bank(Path(folder))
    by_key: dict[tuple[str, str], list[BankRow]] = {}
    for row in reading.rows:
        by_key.setdefault((row.space, row.protocol), []).append(row)
    groups = [
        BankGroup(
            space,
            protocol,
            len({row.canonical for row in rows}),
            len(rows),
            sum(row.seconds for row in rows),
            read_protocol(Path(folder), protocol),
        )
        for (space, protocol), rows in sorted(by_key.items())
    ]
    return BankView(reading, tuple(groups))


def bank_sheet(group: BankGroup) -> tuple[Sheet, int]:
    """Return a group as a sheet, and how many of its networks cannot be read any more.

    Raises:
        TableError: the space is not known here.
    """
    folder = data_folder().absolute() / "bank"
    return _bank_sheet(str(folder), bank_stamp(folder), group.space, group.protocol)


@st.cache_resource(show_spinner=False, max_entries=OPEN_SHEETS)
def _bank_sheet(
    folder: str, stamp: tuple[tuple[str, int, int], ...], space: str, protocol: str
) -> tuple[Sheet, int]:
    view = _bank(folder, stamp)
    (group,) = [g for g in view.groups if (g.space, g.protocol) == (space, protocol)]
    if space not in SPACES:
        raise TableError(f"The search space `{space:.60}` of these trainings is not known here.")
    return of_bank(view.rows(group), SPACES[space], group.content)


# -- agreement --------------------------------------------------------------------------------
def agreement(found: Sheet, names: tuple[str, ...], method: str, by: str, share: float) -> Matrix:
    """Return the rank correlation of every pair of columns.

    Args:
        found: the sheet.
        names: columns.
        method: one of `METHODS`.
        by: accuracy column that says which rows are the best.
        share: of the best rows by it that are compared, 1 for all.

    Returns:
        A symmetric matrix in the order of `names`; None where a correlation is not defined.
    """
    return _agreement(found.stamp, found, names, method, by, share)


@st.cache_data(show_spinner=False, max_entries=64)
def _agreement(
    stamp: str, _found: Sheet, names: tuple[str, ...], method: str, by: str, share: float
) -> Matrix:
    kept = best_rows(_found.values(by), share)
    columns = [_found.values(name)[kept] for name in names]
    matrix: Matrix = [[None] * len(names) for _ in names]
    for first, second, value in _pairs(columns, method):
        matrix[first][second] = matrix[second][first] = value
    for position, values in enumerate(columns):
        matrix[position][position] = correlation(values, values, method)
    return matrix


def _pairs(columns: list[Any], method: str) -> Iterator[tuple[int, int, float | None]]:
    for first, second in combinations(range(len(columns)), 2):
        yield first, second, correlation(columns[first], columns[second], method)


def correlation(first: Any, second: Any, method: str) -> float | None:
    """Return the rank correlation over the rows that both columns know, None if undefined."""
    both = ~(np.isnan(first) | np.isnan(second))
    return METHODS[method](first[both], second[both])


SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
FEWEST = 10


def decline(found: Sheet, first: str, second: str, method: str) -> list[tuple[float, int, Any]]:
    """Return how two columns agree among ever smaller shares of the best by the first.

    Returns:
        Per share: it, the number of rows, the correlation; shares with fewer than `FEWEST` rows
        are left out.
    """
    return _decline(found.stamp, found, first, second, method)


@st.cache_data(show_spinner=False, max_entries=64)
def _decline(
    stamp: str, _found: Sheet, first: str, second: str, method: str
) -> list[tuple[float, int, Any]]:
    x, y = _found.values(first), _found.values(second)
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    rows = []
    for share in SHARES:
        kept = best_rows(x, share)
        if kept.sum() >= FEWEST:
            rows.append((share, int(kept.sum()), correlation(x[kept], y[kept], method)))
    return rows


def may_name(name: str) -> str:
    """Return why a new table cannot have a name; empty if it can."""
    try:
        store.require_free(data_folder(), name)
    except WorkbenchError as error:
        return str(error)
    return ""
