"""What a column of a ground-truth table holds: a quantity with its unit, data set and budget."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

PERCENT = "percent"
UNITS = (PERCENT, "seconds", "parameters", "multiply-adds", "number")
DECIMALS = 6  # of accuracies: far below one image, far above rounding errors


@dataclass(frozen=True, order=True)
class Column:
    """A quantity that is known of architectures.

    Attributes:
        name: how specs and the command line call it, such as `cifar10/x-valid@200`.
        unit: one of `UNITS`; accuracies are always `percent`, whatever the source had.
        dataset: data set as the source calls it; None where the source does not say.
        split: part of the data, or the quantity itself, as the source calls it.
        epochs: epochs of training; None where the source does not say, or where it has none.
    """

    name: str
    unit: str
    dataset: str | None = None
    split: str | None = None
    epochs: int | None = None

    @classmethod
    def of(
        cls, split: str, unit: str, dataset: str | None = None, epochs: int | None = None
    ) -> Column:
        """Build a column under its usual name, `DATASET/SPLIT@EPOCHS`."""
        name = (f"{dataset}/" if dataset else "") + split
        return cls(name + ("" if epochs is None else f"@{epochs}"), unit, dataset, split, epochs)

    def fault(self, value: float) -> str | None:
        """Say why a number cannot stand in this column, or return None."""
        if not math.isfinite(value):
            return f"`{self.name}` is {value}, which is no number"
        if self.unit == PERCENT and not 0 <= value <= 100:
            return f"`{self.name}` is {value:g}, which is no accuracy in percent"
        return None


@dataclass(frozen=True)
class StoredColumn(Column):
    """A column of an imported table.

    Attributes:
        filled: number of architectures that have a value.
        fewest: smallest number of results that a value is the mean of.
        most: the largest.
    """

    filled: int = 0
    fewest: int = 0
    most: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the form in a table's header."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> StoredColumn:
        """Read what `to_json` wrote.

        Raises:
            TypeError, ValueError: it is something else.
        """
        column = cls(**value)
        texts = [column.name, column.unit, column.dataset or "", column.split or ""]
        numbers = [column.epochs or 0, column.filled, column.fewest, column.most]
        if not all(type(text) is str for text in texts):
            raise TypeError("a column whose name or unit is no text")
        if not all(type(number) is int for number in numbers):
            raise TypeError("a column whose counts are no whole numbers")
        if column.unit not in UNITS:
            raise ValueError(f"a column with the unknown unit `{column.unit:.40}`")
        return column
