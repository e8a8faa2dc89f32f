"""`rank` and `compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from engine.compare import FORMATS, compare_runs, render
from engine.runs import RunFolder
from engine.spec.errors import RunError, SpecError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(rank)
    app.command()(compare)


def rank(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.")],
    all_: Annotated[bool, typer.Option("--all", help="Every architecture of the space.")] = False,
    sample: Annotated[int, typer.Option(help="How many random architectures.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the sample.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="CSV file to write.")] = None,
) -> None:
    """Rank architectures by the accuracy that the run's super-net gives them."""
    from engine.rank import rank_with_supernet, write_scores

    folder = _open(run_dir)
    scores = rank_with_supernet(folder, None if all_ else sample, seed)
    if out is not None:
        write_scores(out, folder, scores)
        print(out)
        return
    for position, (text, score) in enumerate(scores, start=1):
        print(f"{position}\t{score:.2f}\t{text}")


def compare(
    run_dirs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    to: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")] = "text",
    baseline: Annotated[
        str | None, typer.Option(help="Group that the others are tested against.")
    ] = None,
    common: Annotated[
        int | None,
        typer.Option(
            help="Score so many random architectures with every run's super-net, the same for "
            "all, so that the rankings of different seeds can be compared. Takes time.",
            min=2,
        ),
    ] = None,
) -> None:
    """Compare finished runs with each other and with random, over seeds."""
    if to not in FORMATS:
        raise SpecError("--to", f"there is no format `{to}`; use one of {', '.join(FORMATS)}.")
    folders = [_open(path) for path in run_dirs]
    table = compare_runs(folders, baseline, None if common is None else _scores(folders, common))
    print(json.dumps(table.to_json(), indent=1) if json_ else render(table, to))


def _scores(folders: list[RunFolder], count: int) -> dict[str, dict[str, float]]:
    from engine.trained import common_scores

    return common_scores(track(folders, "Scoring", console=Console(stderr=True)), count)


def _open(path: Path) -> RunFolder:
    folder = RunFolder(path)
    if not folder.exists():
        raise RunError(f"{path} is not a run folder.")
    return folder
