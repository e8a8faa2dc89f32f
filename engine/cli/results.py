"""`rank` and `compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, track

from engine.compare import FORMATS, compare_runs, render, render_landmark
from engine.runs import RunFolder
from engine.spec.errors import RunError, SpecError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(rank)
    app.command()(compare)


def rank(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.")],
    all_: Annotated[
        bool,
        typer.Option(
            "--all", help="Every network of the space, or of the run's table if it is too large."
        ),
    ] = False,
    encodings: Annotated[
        bool,
        typer.Option(help="With --all: every architecture, also those that build equal networks."),
    ] = False,
    sample: Annotated[int, typer.Option(help="How many random architectures.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the sample.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="CSV file to write.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank architectures by the accuracy that the run's super-net gives them.

    Where the stand-alone accuracy of all of them is known, from the run's table or the results
    bank, also tell how well the two rankings agree.
    """
    from engine.rank import rank_with_supernet, ranking_rows, write_ranking
    from engine.rank_figures import figures_text, ranking_figures

    folder = _open(run_dir)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Ranking", total=None)
        ranking = rank_with_supernet(
            folder,
            None if all_ else sample,
            seed,
            encodings,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
        bar.update(task, description="Comparing with the ground truth", total=None)
        figures = ranking_figures(ranking)
    if out is not None:
        write_ranking(out, ranking)
    if json_:
        rows = {} if out is not None else {"ranking": list(ranking_rows(ranking))}
        print(json.dumps(figures | rows, indent=1))
        return
    if out is not None:
        print(out)
    else:
        for position, (text, score) in enumerate(
            zip(ranking.texts, ranking.scores, strict=True), start=1
        ):
            print(f"{position}\t{score:.2f}\t{text}")
    typer.echo(figures_text(figures), err=True)


def compare(
    run_dirs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    to: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")] = "text",
    paper: Annotated[
        bool,
        typer.Option("--paper", help="One table, laid out as Table 1 of the landmark paper."),
    ] = False,
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
    written = render_landmark if paper else render
    print(json.dumps(table.to_json(), indent=1) if json_ else written(table, to))


def _scores(folders: list[RunFolder], count: int) -> dict[str, dict[str, float]]:
    from engine.trained import common_scores

    return common_scores(track(folders, "Scoring", console=Console(stderr=True)), count)


def _open(path: Path) -> RunFolder:
    folder = RunFolder(path)
    if not folder.exists():
        raise RunError(f"{path} is not a run folder.")
    return folder
