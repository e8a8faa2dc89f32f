"""`report RUN_DIR`: a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.export.report_html import write_report


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(report)


def report(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write; otherwise `<run id>.html` here.")
    ] = None,
) -> None:
    """Write a report of a run, finished or not, as one HTML file that needs nothing else."""
    print(write_report(run_dir, out))
