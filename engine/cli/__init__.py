"""The command line. A bad request exits with 2 and one line that names what and why."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from engine.cli import (
    catalogue,
    data,
    estimate,
    export,
    report,
    results,
    runs,
    space,
    study,
    system,
    table,
    train,
)
from engine.spec.errors import TrainingError, WorkbenchError

INTERRUPTED = 130  # what shells report after Ctrl-C

app = typer.Typer(
    name="engine",
    help="Neural architecture search experiments: run, resume, rank, compare, export.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_GROUPS = (
    runs,
    estimate,
    catalogue,
    data,
    table,
    space,
    results,
    study,
    export,
    report,
    train,
    system,
)
for _group in _GROUPS:
    _group.register(app)


def main() -> None:
    """Run the command line of this process."""
    try:
        code = app(standalone_mode=False)
    except WorkbenchError as error:
        _complain(str(error))
        code = 1 if isinstance(error, TrainingError) else 2
    except TyperException as error:  # a command, option or value that does not exist
        _complain(error.format_message())
        code = 2
    except typer.Abort:
        code = INTERRUPTED
    raise SystemExit(code)


def _complain(message: str) -> None:
    """Print one line; where the help was printed, there is nothing to add."""
    line = " ".join(message.replace("Value error, ", "").split())
    if line:
        print(f"error: {line}", file=sys.stderr)
