"""The command line called in this process, on the laptop example cut down to a second."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.cli import main

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
