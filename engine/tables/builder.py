"""Collecting results of architectures, many per architecture, into columns of means."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.spec.errors import ArchitectureError, TableError
from engine.tables.arrays import Finder, Texts, digest
from engine.tables.columns import DECIMALS, PERCENT, Column, StoredColumn

Progress = Callable[[str, int, int | None], None]
"""Called with what is done, how much of it, and how much there is (None: unknown)."""
EVERY = 500  # rows between two reports of progress


class _Sums:
    """Sum and number of the results of every row in one column."""

    def __init__(self) -> None:
        self.totals = array("d")
        self.counts = array("L")

    def add(self, row: int, value: float) -> None:
        missing = row + 1 - len(self.totals)
        if missing > 0:
            self.totals.extend([0.0] * missing)
            self.counts.extend([0] * missing)
        self.totals[row] += value
        self.counts[row] += 1


@dataclass(frozen=True)
class BuiltTable:
    """The content of a table before it has a name.

    Attributes:
        texts: architectures in their space's own notation.
        by_text: finds a row by its text.
        by_network: finds rows by their canonical form.
        columns: what is known of the architectures.
        values: per column name shape (n,), NaN where an architecture has no value.
        probe: text and canonical form of the first row, which show later whether the space still
            writes both in the same way.
    """

    texts: Texts
    by_text: Finder
    by_network: Finder
    columns: tuple[StoredColumn, ...]
    values: dict[str, npt.NDArray[np.float64]]
    probe: tuple[str, str]


class TableBuilder:
    """Takes results one by one, in any order; equal keys and columns are averaged.

    Args:
        source: what messages call the file.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._rows: dict[Hashable, int] = {}
        self._sums: dict[Column, _Sums] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, key: Hashable, values: Mapping[Column, float]) -> None:
        """Add one result of an architecture.

        Args:
            key: names the architecture; `finish` is told its text.
            values: numbers by column.

        Raises:
            TableError: a number that cannot stand in its column.
        """
        row = self._rows.setdefault(key, len(self._rows))
        for column, value in values.items():
            fault = column.fault(value)
            if fault:
                raise TableError(f"{self.source}: in the record of {key}, {fault}.")
            self._sums.setdefault(column, _Sums()).add(row, value)

    def finish(
        self,
        space: Space,
        text_of: Callable[[Hashable], str] = str,
        progress: Progress = lambda what, done, total: None,
    ) -> BuiltTable:
        """Return the table; the builder must not be used any more.

        Args:
            space: space of the architectures.
            text_of: gives the text of a key.
            progress: reports.

        Raises:
            TableError: no results, an architecture that the space does not have or that two keys
                name.
        """
        if not self._rows or not self._sums:
            raise TableError(f"{self.source} has no results; use a complete file.")
        count = len(self._rows)
        block, ends = bytearray(), np.empty(count, np.int64)
        own, networks = np.empty(count, np.uint64), np.empty(count, np.uint64)
        for row, key in enumerate(self._rows):
            architecture = self._parse(space, text_of(key))
            text = space.to_text(architecture)
            block += text.encode()
            ends[row] = len(block)
            own[row], networks[row] = digest(text), digest(space.canonical(architecture))
            if row % EVERY == 0:
                progress("Finding equal networks", row, count)
        texts, by_text = Texts(np.frombuffer(block, np.uint8), ends), Finder.of(own)
        self._require_different(texts, by_text)
        columns = {column: self._column(column) for column in sorted(self._sums, key=_order)}
        return BuiltTable(
            texts,
            by_text,
            Finder.of(networks),
            tuple(stored for stored, _ in columns.values()),
            {column.name: values for column, (_, values) in columns.items()},
            (texts[0], space.canonical(space.parse(texts[0]))),
        )

    def _require_different(self, texts: Texts, by_text: Finder) -> None:
        for place in np.flatnonzero(by_text.keys[1:] == by_text.keys[:-1]):
            first, second = by_text.rows[place], by_text.rows[place + 1]
            if texts[first] == texts[second]:
                raise TableError(
                    f"{self.source} has the architecture {texts[first]} twice under two names."
                )

    def _parse(self, space: Space, text: str) -> Architecture:
        try:
            return space.parse(text)
        except ArchitectureError as error:
            raise TableError(
                f"{self.source} has an architecture that is not of the space `{space.name}`: "
                f"{error} Import it as the kind of table that it is."
            ) from None

    def _column(self, column: Column) -> tuple[StoredColumn, npt.NDArray[np.float64]]:
        sums, count = self._sums[column], len(self._rows)
        totals, counts = np.zeros(count), np.zeros(count, np.int64)
        totals[: len(sums.totals)] = sums.totals
        counts[: len(sums.counts)] = sums.counts
        known = counts > 0
        means = np.full(count, np.nan)
        np.divide(totals, counts, out=means, where=known)
        if column.unit == PERCENT:  # equal accuracies stay equal, however they were added up
            means = np.round(means, DECIMALS)
        stored = StoredColumn(
            **asdict(column),
            filled=int(known.sum()),
            fewest=int(counts[known].min()),
            most=int(counts.max()),
        )
        return stored, means


def _order(column: Column) -> tuple[str, int]:
    """Sort by data set and budget; within these, columns stay in the order of the source."""
    return column.dataset or "", column.epochs or 0
