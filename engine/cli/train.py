"""`train`: one found architecture from scratch, after its run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.reporting import reporting
from engine.runs import RunFolder
from engine.spec.errors import RunError


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(train)


def train(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.")],
    rank: Annotated[int, typer.Option(help="Which found architecture; 1 is the best.", min=1)],
    epochs: Annotated[
        int | None, typer.Option(help="Epochs, instead of the run's stand_alone.epochs.")
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(help="Initialisations, instead of the run's stand_alone.replicates."),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or auto, instead of the run's.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a found architecture from scratch, here and now, and keep weights and accuracy.

    What the results bank has of the same protocol is not trained again.
    """
    from engine.retrain import train_found

    folder = RunFolder(run_dir)
    if not folder.exists():
        raise RunError(f"{run_dir} is not a run folder.")
    with reporting() as report:
        found = train_found(folder, rank, epochs, replicates, device, report)
    print(json.dumps(found, indent=1) if json_ else _sentence(found))


def _sentence(found: dict[str, Any]) -> str:
    new = sum(one["origin"] == "trained" for one in found["replicates"])
    return (
        f"test {_with_std(found['test'])}, held out {_with_std(found['held_out'])}: "
        f"{len(found['replicates'])} trainings of {found['epochs']} epochs, {new} of them now; "
        f"weights in {found['folder']}"
    )


def _with_std(spread: dict[str, Any]) -> str:
    std = "" if spread["std"] is None else f" ± {spread['std']:.2f}"
    return f"{spread['mean']:.2f} %{std}"
