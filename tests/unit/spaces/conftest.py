"""The published table of NAS-Bench-201, where it is present; tests that need it skip without."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def published() -> list[dict[str, str]]:
    """The 15,625 rows in the benchmark's order."""
    given = os.environ.get("NASW_SHARED_DATA")
    path = (Path(given) if given else ROOT.parent / "shared" / "data") / "nasbench201.csv.gz"
    if not path.is_file():
        pytest.skip(f"no published table: {path} is absent (set NASW_SHARED_DATA)")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15_625
    return rows
