"""`run`, `resume`, `validate`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import TerminalSink
from engine.compose import check
from engine.control import FlagControl
from engine.experiment import execute, new_owner
from engine.runs import RunFolder, create_run
from engine.spec.errors import RunError, SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, load_mapping, problems, with_values

Spec = Annotated[Path, typer.Argument(help="Experiment file (YAML).")]
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
) -> None:
    """Run an experiment here and now, without a store or workers."""
    extra = [] if seed is None else [f"seed={seed}"]
    extra += [] if device is None else [f"device={device}"]
    experiment = _load(spec, [*(set_ or []), *extra])
    folder = create_run(runs, experiment)
    _execute(folder, quiet)


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
    _execute(folder, quiet)


def validate(
    spec: Spec,
    set_: Set = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell whether an experiment file can run, and name every fault at its field."""
    mapping = with_values(load_mapping(spec), set_ or [])
    faults = problems(mapping)
    if not faults:
        faults = check(build(mapping))
    if json_:
        listed = [{"field": fault.field, "problem": fault.problem} for fault in faults]
        print(json.dumps({"valid": not faults, "problems": listed}, indent=1))
    else:
        for fault in faults:
            typer.echo(f"error: {fault}", err=True)
        if not faults:
            print(f"{spec} can run.")
    if faults:
        raise typer.Exit(2)


def _load(path: Path, assignments: list[str]) -> ExperimentSpec:
    experiment = build(with_values(load_mapping(path), assignments))
    faults: list[SpecError] = check(experiment)
    if faults:
        raise faults[0]
    return experiment


def _execute(folder: RunFolder, quiet: bool) -> None:
    control = FlagControl()

    def on_interrupt(number: int, frame: object) -> None:
        # A second Ctrl-C is an ordinary one.
        control.flag = "pause"
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, on_interrupt)
    with TerminalSink(quiet) as sink:
        state = execute(folder, owner=new_owner(), sinks=[sink], control=control)
    print(folder.path)
    if state != "finished":
        typer.echo(f"{state}: continue with `python -m engine resume {folder.path}`", err=True)
        raise typer.Exit(130)
