"""The official files of NAS-Bench-101, `nasbench_only108.tfrecord` and `nasbench_full.tfrecord`.

Every record is one training: a JSON list of the cell's fingerprint, the epochs, the adjacency
matrix as digits, the operations joined by commas, and its metrics as protobuf in base64 (Ying et
al., NAS-Bench-101, ICML 2019; three trainings per cell and budget). A table gets the means at the
end of training, in percent; evaluations half way are left out.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from engine.core.space import Space
from engine.spec.errors import TableError
from engine.tables.builder import BuiltTable, Progress, TableBuilder
from engine.tables.columns import PERCENT, Column
from engine.tables.protobuf import read_metrics
from engine.tables.tfrecord import BadRecord, read_records

DATASET = "cifar10"
EVALUATIONS = 3  # at the start, half way, at the end
SPLITS = ("train", "valid", "test")


def read_nb101(path: Path, space: Space, progress: Progress) -> BuiltTable:
    """Read an official file.

    Args:
        path: the file.
        space: `nb101`, whose canonical form is the benchmark's fingerprint.
        progress: reports.

    Raises:
        TableError: damaged or another kind of file.
    """
    builder = TableBuilder(str(path))
    fingerprints: dict[str, str] = {}
    try:
        total = path.stat().st_size
        with path.open("rb") as file:
            for records in read_records(file):
                for record in records:
                    _take(builder, fingerprints, record)
                progress("Reading", file.tell(), total)
    except OSError as error:
        raise refused(path, f"it cannot be read ({error.strerror})") from None
    except BadRecord as error:
        raise refused(path, str(error)) from None
    except (ValueError, TypeError, KeyError) as error:
        raise refused(path, f"a record is none of this benchmark ({error})") from None
    table = builder.finish(space, str, progress)
    _check_fingerprint(path, space, table, fingerprints)
    return table


def _take(builder: TableBuilder, fingerprints: dict[str, str], record: bytes) -> None:
    fingerprint, epochs, adjacency, operations, coded = json.loads(record)
    if type(epochs) is not int or type(adjacency) is not str or type(operations) is not str:
        raise TypeError("its cell or epochs are missing")
    text = f"{adjacency} {operations}"  # a form that the space reads
    if not fingerprints:
        fingerprints[text] = fingerprint
    metrics = read_metrics(base64.b64decode(coded, validate=True))
    if len(metrics.evaluations) != EVALUATIONS:
        raise ValueError(f"{len(metrics.evaluations)} evaluations instead of {EVALUATIONS}")
    last = metrics.evaluations[-1]
    values = {
        Column.of(split, PERCENT, DATASET, epochs): 100 * getattr(last, split) for split in SPLITS
    }
    values[Column.of("training_time", "seconds", DATASET, epochs)] = last.training_time
    values[Column.of("params", "parameters", DATASET)] = metrics.parameters
    builder.add(text, values)


def _check_fingerprint(
    path: Path, space: Space, table: BuiltTable, fingerprints: dict[str, str]
) -> None:
    """Compare the first cell's fingerprint with ours: if they differ, cells would be mixed up."""
    found, (expected,) = table.probe[1], fingerprints.values()
    if found != expected:
        raise refused(
            path, f"its first cell has the fingerprint {expected}, but should have {found}"
        )


def refused(path: Path, reason: str) -> TableError:
    """Return the error for a file that was not read."""
    return TableError(
        f"{path} was not read: {reason}. Use an official file of NAS-Bench-101, downloaded again."
    )
