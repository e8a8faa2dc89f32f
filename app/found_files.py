"""Found architectures as files: the table as CSV, everything of a selection as ZIP."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from app.found import Found
from app.widgets.chart import csv_bytes
from engine.export.bundle import bundle_files, write_folders

# Column of the CSV file, attribute.
_COLUMNS = {
    "run_id": "run_id",
    "run": "run_name",
    "algorithm": "algorithm",
    "space": "space",
    "data": "data",
    "seed": "seed",
    "rank": "rank",
    "text": "text",
    "super_net_accuracy": "super_net",
    "stand_alone_accuracy": "stand_alone",
    "params": "params",
    "flops": "flops",
    "latency_ms": "latency_ms",
    "latency_device": "latency_on",
    "found_by": "searcher",
    "canonical": "form",
}


def columns(found: Sequence[Found]) -> dict[str, list[Any]]:
    """Return the whole table, one row an architecture; accuracies are in percent."""
    return {
        name: [getattr(one, attribute) for one in found] for name, attribute in _COLUMNS.items()
    }


def table_csv(found: Sequence[Found]) -> bytes:
    """Return the table as CSV."""
    return csv_bytes(columns(found))


def _folders(found: Sequence[Found]) -> dict[str, Any]:
    """Return the folders that are there, by `<run id>/<rank>`."""
    places = {one.key: one.folder for one in found}
    return {key: place for key, place in places.items() if place.is_dir()}


def size_of(found: Sequence[Found]) -> tuple[int, int]:
    """Return the number of files and of bytes that `zipped` would read."""
    files = [folder / path for folder in _folders(found).values() for path in bundle_files(folder)]
    return len(files), sum(path.stat().st_size for path in files)


def zipped(found: Sequence[Found]) -> bytes:
    """Return every file of the architectures in folders `<run id>/<rank>/`, and the table.

    Raises:
        ExportError: a file cannot be read.
    """
    buffer = io.BytesIO()
    write_folders(_folders(found), {"architectures.csv": table_csv(found)}, buffer)
    return buffer.getvalue()
