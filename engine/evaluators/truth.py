"""Ground truth: one question, answered by a table, by the bank, or by training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.lab_folders import data_folder
from engine.spec.errors import TableError
from engine.tables.bank import Bank, BankRow
from engine.tables.bank_reading import keep_protocol
from engine.tables.lookup import open_lookup
from engine.training.stand_alone import StandAloneTrainer, pack_weights


@dataclass(frozen=True)
class Truth:
    """Stand-alone accuracy of an architecture in percent.

    Attributes:
        value: the number that ranks the correlation sample and the result.
        landmark_value: the number that ranks landmarks: held-out data, so that the ranking that
            the super-net is taught knows nothing of the test part.
        held_out: accuracy on the held-out part; None from a table.
        test: accuracy on the test part; None from a table.
        origin: where it comes from.
        seconds: training time spent now; 0 when nothing was trained.
    """

    value: float
    landmark_value: float
    held_out: float | None
    test: float | None
    origin: Literal["trained", "bank", "table"]
    seconds: float


class TruthSource(Protocol):
    """Answers for any architecture of its space."""

    def get(self, architecture: Architecture, poll: Callable[[], None]) -> Truth:
        """Return the ground truth."""
        ...

    def known(self, architecture: Architecture) -> float | None:
        """Return the accuracy that ranks, or None where it would have to be trained."""
        ...

    def weights(self, architecture: Architecture) -> tuple[Path, Architecture] | None:
        """Return the file of trained weights and the architecture whose weights they are.

        The latter can have other indices with an equal canonical form. None where nothing was
        trained.
        """
        ...


class TrainedTruth:
    """Trains what the bank does not have yet, and averages over replicates.

    Args:
        space: the search space.
        trainer: one protocol.
        bank: where results are kept.
        part: part of the data that ranks the sample and the result.
        protocol: what the trainer's protocol stands for; kept beside the first row of it.
    """

    def __init__(
        self,
        space: Space,
        trainer: StandAloneTrainer,
        bank: Bank,
        part: Literal["test", "held_out"],
        protocol: Mapping[str, Any] | None = None,
    ) -> None:
        self.space = space
        self.trainer = trainer
        self.bank = bank
        self.part = part
        self.protocol = protocol

    def get(self, architecture: Architecture, poll: Callable[[], None]) -> Truth:
        """Return the mean over replicates, training those that are missing."""
        count = self.trainer.spec.replicates
        found = [self._replicate(architecture, index, poll) for index in range(count)]
        rows = [row for row, _ in found]
        held_out, test = _mean([r.held_out for r in rows]), _mean([r.test for r in rows])
        value = held_out if self.part == "held_out" else test
        seconds = sum(row.seconds for row, trained in found if trained)
        trained = any(new for _, new in found)
        return Truth(value, held_out, held_out, test, "trained" if trained else "bank", seconds)

    def _replicate(
        self, architecture: Architecture, index: int, poll: Callable[[], None]
    ) -> tuple[BankRow, bool]:
        canonical = self.space.canonical(architecture)
        protocol = self.trainer.protocol
        key = self.space.name, canonical, protocol, index
        row = self.bank.get(*key)
        if row is None:  # another run may have trained it meanwhile
            self.bank.refresh()
            row = self.bank.get(*key)
        if row is not None:
            return row, False
        net, result = self.trainer.train(architecture, canonical, index, poll)
        text = self.space.to_text(architecture)
        row = BankRow(
            self.space.name,
            canonical,
            text,
            protocol,
            index,
            result.held_out,
            result.test,
            result.loss,
            round(result.seconds, 3),
        )
        if index == 0:  # before the row, so that a row of the bank always has its weights
            self.bank.keep_weights(row, pack_weights(net))
        if self.protocol is not None:
            keep_protocol(self.bank.folder, protocol, self.protocol)
        self.bank.add(row)
        return row, True

    def known(self, architecture: Architecture) -> float | None:
        """Return the mean over replicates, or None where the bank lacks one."""
        canonical, protocol = self.space.canonical(architecture), self.trainer.protocol
        rows = [
            self.bank.get(self.space.name, canonical, protocol, index)
            for index in range(self.trainer.spec.replicates)
        ]
        accuracies = [getattr(row, self.part) for row in rows if row is not None]
        return _mean(accuracies) if len(accuracies) == len(rows) else None

    def weights(self, architecture: Architecture) -> tuple[Path, Architecture] | None:
        """Return the weights of the first replicate."""
        canonical = self.space.canonical(architecture)
        row = self.bank.get(self.space.name, canonical, self.trainer.protocol, 0)
        path = None if row is None else self.bank.weights_path(row)
        if row is None or path is None:
            return None
        return path, self.space.parse(row.text)


def _mean(accuracies: Sequence[float]) -> float:
    """Average so that equal accuracies stay equal: ranks must not hang on rounding errors."""
    return round(sum(accuracies) / len(accuracies), 6)


class TableTruth:
    """Looks architectures up in a table with one row each.

    Args:
        space: the search space.
        source: name of an imported table, or else path of a CSV file.
        column: accuracy column in percent that ranks the sample and the result.
        landmark_column: accuracy column that ranks landmarks; None: the same.
        folder: where imported tables are; None: `data_folder()`.

    Raises:
        TableError: the table cannot be used.
    """

    def __init__(
        self,
        space: Space,
        source: Path | str,
        column: str,
        landmark_column: str | None,
        folder: Path | None = None,
    ) -> None:
        columns = [column, landmark_column or column]
        self.space = space
        self.source = str(source)
        self.rows = open_lookup(self.source, space, columns, folder or data_folder())

    def get(self, architecture: Architecture, poll: Callable[[], None]) -> Truth:
        """Return the accuracy in the architecture's row, or in that of an equal network.

        Raises:
            TableError: the table has no row for the architecture.
        """
        poll()
        row = self.rows.get(architecture)
        if row is None:
            raise TableError(
                f"The table {self.source} has no accuracy for "
                f"{self.space.to_text(architecture)}; use a complete table, or train instead."
            )
        return Truth(row[0], row[1], None, None, "table", 0.0)

    def known(self, architecture: Architecture) -> float | None:
        """Return the accuracy, or None where the table has none."""
        row = self.rows.get(architecture)
        return None if row is None else row[0]

    def weights(self, architecture: Architecture) -> tuple[Path, Architecture] | None:
        """A table has no weights."""
        return None

    def all_values(self) -> list[float]:
        """Return the ranking column of every row, for ranks within the whole space."""
        return self.rows.everything()
