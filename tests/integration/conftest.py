"""Fixtures with the real embedded store and real worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workers_lab import Lab

from workers.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path / "data",
        runs=tmp_path / "runs",
        sweep_seconds=1.0,
        stop_seconds=1.0,
        shutdown_seconds=10.0,
    )


@pytest.fixture
def lab(settings: Settings) -> Iterator[Lab]:
    lab = Lab(settings)
    yield lab
    lab.end()
