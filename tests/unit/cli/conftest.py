"""The command line in this process, and two small finished runs made by it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from cli_cases import EXAMPLE, SMALL, Command, call

from engine.metrics import ranking_correlations


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of bank and downloads that all these tests share."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASW_DATA", str(folder))
        patch.setenv("COLUMNS", "200")
        quick = partial(ranking_correlations, resamples=20)
        patch.setattr("engine.report.ranking_correlations", quick)
        yield folder


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command line, called in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return call


@pytest.fixture(scope="session")
def run_dirs(home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two finished runs of one setting; only for reading."""
    runs = tmp_path_factory.mktemp("runs")
    folders = []
    for seed in (0, 1):
        said = call("run", EXAMPLE, *SMALL, "--runs", runs, "--seed", seed, "--quiet")
        assert (said.code, said.err) == (0, ""), "quiet prints the folder only"
        folders.append(Path(said.out.strip()))
    assert len(os.listdir(runs)) == 2
    return folders
