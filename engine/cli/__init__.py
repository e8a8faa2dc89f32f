"""The command line. A bad request exits with 2 and one line that names what and why."""

from __future__ import annotations

import sys

import typer

from engine.cli import catalogue, data, export, results, runs, space
from engine.spec.errors import TrainingError, WorkbenchError

app = typer.Typer(
    name="engine",
    help="Neural architecture search experiments: run, resume, rank, compare, export.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _group in (runs, catalogue, data, space, results, export):
    _group.register(app)


def main() -> None:
    """Run the command line of this process."""
    try:
        app()
    except WorkbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1 if isinstance(error, TrainingError) else 2) from None
