"""Every test has a results bank of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tiny_runs import finished

from engine.metrics import ranking_correlations
from engine.runs import RunFolder


@pytest.fixture(autouse=True, scope="session")
def few_resamples() -> Iterator[None]:
    """Bootstrap intervals take longer than all the rest of a tiny run."""
    with pytest.MonkeyPatch.context() as patch:
        quick = partial(ranking_correlations, resamples=20)
        patch.setattr("engine.report.ranking_correlations", quick)
        yield


@pytest.fixture(autouse=True)
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the empty folder of the results bank that runs of this test use."""
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "bank"


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, few_resamples: None) -> Iterator[RunFolder]:
    """Return the tiny run, never interrupted, with a bank of its own; only for reading."""
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASW_DATA", str(home / "data"))
        yield finished(home / "runs")
