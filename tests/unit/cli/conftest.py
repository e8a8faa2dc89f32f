"""The command line in this process, and two small finished runs made by it."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from engine.cli import main
from engine.metrics import ranking_correlations

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "nb201_digits_landmarks.yaml"
# The laptop example, cut down to a second.
SMALL = [
    f"--set={assignment}"
    for assignment in (
        "data.train_images=100",
        "data.held_out_images=64",
        "data.test_images=80",
        "network.channels=2",
        "addons.landmark={per_round: 3, rounds: 2, min_distance: 2}",
        "super_net={epochs: 2, batch_size: 32}",
        "stand_alone={epochs: 1, batch_size: 32}",
        "evaluation.sample=6",
        "evaluation.every=1",
        "search={population: 6, generations: 1, parents: 3, keep: 3}",
    )
]


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refused(self) -> str:
        """Return the one line of a refused request."""
        assert (self.code, self.out) == (2, ""), self
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")


Command = Callable[..., Said]


def call(*words: object) -> Said:
    """Run `python -m engine WORDS` in this process."""
    before = signal.getsignal(signal.SIGINT)
    argv, sys.argv = sys.argv, ["engine", *map(str, words)]
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code
        assert code is None or isinstance(code, int)
        return Said(code or 0, out.getvalue(), err.getvalue())
    finally:
        sys.argv = argv
        signal.signal(signal.SIGINT, before)
    raise AssertionError("a command ends with an exit code")


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
        assert said.code == 0, said.err
        folders.append(Path(said.out.strip()))
    assert len(os.listdir(runs)) == 2
    return folders
