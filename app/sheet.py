"""Ground truth as the pages look at it, whether it was imported or trained here. No Streamlit.

A sheet has one row an architecture and columns of numbers. Parameters and FLOPs that the source
does not have are counted by the search space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.core.architecture import Architecture
from engine.core.space import CellGraph, Cost, Space
from engine.spec.errors import ArchitectureError, SpecError
from engine.spec.network import NetworkSpec
from engine.tables.arrays import digest
from engine.tables.bank import BankRow
from engine.tables.columns import PERCENT, Column
from engine.tables.store import Table

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Rows whose parameters and FLOPs are counted at once, a few seconds of work: of spaces that can be
# listed, and of those whose architectures are long texts.
COUNTED_ROWS, COUNTED_ROWS_OF_LARGE = 20_000, 4_000
COUNTED_BEST = 500
LARGE = 50_000
COUNTED = {
    "parameters": Column("parameters, counted", "parameters"),
    "multiply-adds": Column("FLOPs, counted", "multiply-adds"),
}
"""Columns that the space fills, by unit."""
POINTS = "percentage points"
# The published skeletons; spaces without an entry are counted in that of NAS-Bench-201.
SKELETONS = {
    "nb101": NetworkSpec(channels=128, cells=3),
    "darts": NetworkSpec(channels=36, cells=20),
}


@dataclass(frozen=True)
class Network:
    """One architecture as it can be drawn.

    Attributes:
        text: in the notation of its space.
        graphs: its cells by name.
        cost: None where the space cannot count it in the sheet's skeleton.
    """

    text: str
    graphs: dict[str, CellGraph]
    cost: Cost | None


@dataclass(frozen=True)
class Found:
    """The answer to a look-up.

    Attributes:
        row: row of the architecture or of an equal network; None where there is neither.
        given: what was asked for, in the notation of the space.
        exact: the row is about that very text.
    """

    row: int | None
    given: str
    exact: bool


class Sheet:
    """Rows of numbers about architectures of one space.

    Args:
        stamp: changes whenever the content does.
        space: whose architectures they are.
        network: skeleton in which parameters and FLOPs are counted.
        rows: number of rows.
        columns: what the source knows.
        values: gives a column of the source, shape (rows,), NaN where nothing is known.
        text: gives the architecture of a row.
        find: gives the row of an architecture or of an equal network.
    """

    def __init__(
        self,
        stamp: str,
        space: Space,
        network: NetworkSpec,
        rows: int,
        columns: Sequence[Column],
        values: Callable[[str], Values],
        text: Callable[[int], str],
        find: Callable[[Architecture], int | None],
    ) -> None:
        self.stamp = stamp
        self.space = space
        self.network = network
        self.rows = rows
        self.text = text
        self._own = {column.name: column for column in columns}
        self._values = values
        self._find = find
        present = {column.unit for column in columns}
        extra = [column for unit, column in COUNTED.items() if unit not in present]
        self.columns: tuple[Column, ...] = (*columns, *extra)

    @property
    def source_columns(self) -> frozenset[str]:
        """Names of the columns that are not counted here."""
        return frozenset(self._own)

    @property
    def accuracies(self) -> list[Column]:
        """The columns that can rank architectures."""
        return [column for column in self.columns if column.unit == PERCENT]

    def column(self, name: str) -> Column:
        """Return a column by its name.

        Raises:
            KeyError: there is none.
        """
        return {column.name: column for column in self.columns}[name]

    def values(self, name: str) -> Values:
        """Return a column, shape (rows,), NaN where nothing is known.

        Raises:
            KeyError: there is no such column.
            TableError: the source is damaged.
        """
        if name in self._own:
            return self._values(name)
        place = [column.name for column in COUNTED.values()].index(self.column(name).name)
        return self._costs[place]

    @cached_property
    def counted(self) -> npt.NDArray[np.intp]:
        """The rows whose parameters and FLOPs are counted: evenly spread ones and the best."""
        most = COUNTED_ROWS if self.space.size <= LARGE else COUNTED_ROWS_OF_LARGE
        if self.rows <= most:
            return np.arange(self.rows)
        spread = np.linspace(0, self.rows - 1, most).round().astype(np.intp)
        best: npt.NDArray[np.intp] = np.empty(0, np.intp)
        if self.accuracies:
            best = np.argsort(-self.values(self.accuracies[0].name), kind="stable")[:COUNTED_BEST]
        return np.union1d(spread, best)

    @cached_property
    def _costs(self) -> tuple[Values, Values]:
        params, flops = np.full(self.rows, np.nan), np.full(self.rows, np.nan)
        for row in self.counted:
            cost = self._cost(self.space.parse(self.text(int(row))))
            if cost is not None:
                params[row], flops[row] = cost.params, cost.flops
        return params, flops

    def _cost(self, architecture: Architecture) -> Cost | None:
        try:
            return self.space.cost(architecture, self.network)
        except SpecError:
            return None

    def look_up(self, text: str) -> Found:
        """Find the row of an architecture, or of an equal network under another text.

        Raises:
            ArchitectureError: the text is none of the space; the message says what is wrong.
            TableError: the source was written by another version of the space.
        """
        architecture = self.space.parse(text)
        given, row = self.space.to_text(architecture), self._find(architecture)
        return Found(row, given, row is not None and self.text(row) == given)

    def network_of(self, row: int) -> Network:
        """Return the architecture of a row as it can be drawn.

        Raises:
            ArchitectureError: the row cannot be read any more.
        """
        architecture = self.space.parse(self.text(row))
        graphs = self.space.graphs(architecture)
        return Network(self.space.to_text(architecture), graphs, self._cost(architecture))


def of_table(table: Table, space: Space) -> Sheet:
    """Return an imported table as a sheet."""
    header = table.header
    return Sheet(
        f"{header.name}-{header.arrays[:16]}",
        space,
        SKELETONS.get(space.name, NetworkSpec()),
        header.rows,
        header.columns,
        table.values,
        lambda row: table.texts[row],
        lambda architecture: table.find(space, architecture),
    )


def of_bank(
    rows: Sequence[BankRow], space: Space, protocol: Mapping[str, Any] | None
) -> tuple[Sheet, int]:
    """Return the trainings of one space and protocol as a sheet, replicates averaged.

    Args:
        rows: of that space and protocol, at least one.
        space: the space that reads their texts.
        protocol: what is on record of the protocol.

    Returns:
        The sheet, and the number of networks that are left out because the space does not read
        them any more, or reads them as another network.
    """
    groups: dict[str, list[BankRow]] = {}
    for row in rows:
        groups.setdefault(row.canonical, []).append(row)
    kept = {form: own for form, own in groups.items() if _is_of(space, form, own[0].text)}
    columns = _bank_columns(list(kept.values()))
    place = {form: position for position, form in enumerate(kept)}
    texts = [own[0].text for own in kept.values()]
    network = NetworkSpec.model_validate(protocol["network"]) if protocol else None
    content = "".join(f"{row.key}{row.held_out}{row.test}" for row in rows)
    sheet = Sheet(
        f"bank-{rows[0].protocol}-{digest(content):016x}",
        space,
        network or SKELETONS.get(space.name, NetworkSpec()),
        len(kept),
        tuple(columns),
        {column.name: values for column, values in columns.items()}.__getitem__,
        texts.__getitem__,
        lambda architecture: place.get(space.canonical(architecture)),
    )
    return sheet, len(groups) - len(kept)


def _is_of(space: Space, form: str, text: str) -> bool:
    try:
        return space.canonical(space.parse(text)) == form
    except ArchitectureError:
        return False


def _bank_columns(groups: list[list[BankRow]]) -> dict[Column, Values]:
    def means(name: str) -> Values:
        return np.array([round(_mean([getattr(r, name) for r in own]), 6) for own in groups])

    found = {
        Column("test", PERCENT): means("test"),
        Column("held_out", PERCENT): means("held_out"),
        Column("loss", "number"): means("loss"),
        Column("seconds", "seconds"): means("seconds"),
    }
    if any(len(own) > 1 for own in groups):
        for name in ("test", "held_out"):
            spread = [_deviation([getattr(r, name) for r in own]) for own in groups]
            found[Column(f"{name}, standard deviation", POINTS)] = np.array(spread)
        found[Column("trainings", "number")] = np.array([float(len(own)) for own in groups])
    return found


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _deviation(values: list[float]) -> float:
    """Return the sample standard deviation; NaN for a single value."""
    if len(values) < 2:
        return math.nan
    middle = _mean(values)
    return math.sqrt(math.fsum((v - middle) ** 2 for v in values) / (len(values) - 1))


def best_rows(values: Values, share: float) -> Mask:
    """Return which rows belong to the best share of those with a value, ties included.

    Args:
        values: shape (n,), larger is better, NaN where nothing is known.
        share: above 0, up to 1.
    """
    known = np.sort(values[~np.isnan(values)])[::-1]
    if not len(known):
        return np.zeros(len(values), bool)
    found: Mask = values >= known[math.ceil(share * len(known)) - 1]
    return found
