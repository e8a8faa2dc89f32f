"""`export RUN_DIR --rank K --to ...`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Target(StrEnum):
    """What an architecture or a run can be exported to."""

    python = "python"
    onnx = "onnx"
    safetensors = "safetensors"
    json = "json"
    dot = "dot"
    svg = "svg"
    bundle = "bundle"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(export)


def export(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.")],
    to: Annotated[Target, typer.Option(help="Form to export to.")],
    rank: Annotated[int, typer.Option(help="Rank of the found architecture.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Export a found architecture, or the whole run as a bundle."""
    from engine.export.command import export as export_to

    print(export_to(run_dir, rank, to.value, out))
