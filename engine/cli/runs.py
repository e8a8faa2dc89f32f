"""`run`, `resume`, `validate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.batch import batch_of, jobs_of, read_file, run_folder, run_jobs
from engine.runs import RunFolder
from engine.spec.errors import RunError
from engine.spec.sweep import is_sweep

Spec = Annotated[Path, typer.Argument(help="Experiment or sweep file (YAML).")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="Change a field: section.field=value.")
]
Runs = Annotated[Path, typer.Option(help="Folder in which run folders are made.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(run)
    app.command()(resume)
    app.command()(validate)


def run(
    spec: Spec,
    set_: Set = None,
    runs: Runs = Path("runs"),
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the file's.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or auto.")] = None,
    quiet: Annotated[bool, typer.Option(help="Print the run folder only.")] = False,
    jobs: Annotated[bool, typer.Option("--jobs", help="List the jobs; run nothing.")] = False,
) -> None:
    """Run an experiment, or all jobs of a sweep, here and now, without a store or workers."""
    extra = [] if seed is None else [f"seed={seed}"]
    extra += [] if device is None else [f"device={device}"]
    found = jobs_of(spec, [*(set_ or []), *extra])
    if jobs:
        for number, job in enumerate(found, start=1):
            print(f"{number}\t{job.label or job.spec.name}")
        return
    run_jobs(found, runs, quiet)


def resume(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.")],
    quiet: Annotated[bool, typer.Option(help="Print the run folder only.")] = False,
) -> None:
    """Continue a run from its last checkpoint."""
    folder = RunFolder(run_dir)
    if not folder.exists():
        raise RunError(f"{run_dir} is not a run folder.")
    if folder.state().state == "finished":
        raise RunError(f"Run {folder.run_id} is finished; there is nothing to continue.")
    run_folder(folder, quiet)


def validate(
    spec: Spec,
    set_: Set = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell whether an experiment file can run, and name every fault at its field."""
    mapping = read_file(spec, set_ or [])
    batch = batch_of(mapping, spec, set_ or [])
    if json_:
        listed = [{"field": fault.field, "problem": fault.problem} for fault in batch.faults]
        answer = {"valid": not batch.faults, "problems": listed}
        print(json.dumps(answer | ({"jobs": batch.count} if is_sweep(mapping) else {}), indent=1))
    else:
        for fault in batch.faults:
            typer.echo(f"error: {fault}", err=True)
        if not batch.faults:
            many = f" is a sweep of {batch.count} jobs; all" if is_sweep(mapping) else ""
            print(f"{spec}{many} can run.")
    if batch.faults:
        raise typer.Exit(2)
