"""What `run` and `validate` do with a file that may hold many jobs."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from engine.batch import Batch, BatchJob, read_batch, refuse_overridden
from engine.cli.terminal import TerminalSink
from engine.control import FlagControl
from engine.experiment import execute, new_owner
from engine.runs import RunFolder, create_run
from engine.spec.errors import WorkbenchError
from engine.spec.files import load_mapping, with_values
from engine.spec.lines import with_lines
from engine.spec.sweep import is_sweep, varied_fields


def read_file(path: Path, assignments: list[str]) -> dict[str, Any]:
    """Read an experiment or sweep file and apply `field=value` assignments.

    Raises:
        SpecError: no such file, no mapping, or a field is set that the sweep varies.
    """
    value = with_values(load_mapping(path), assignments)
    refuse_overridden(value, (text.partition("=")[0] for text in assignments))
    return value


def batch_of(value: dict[str, Any], path: Path, assignments: list[str]) -> Batch:
    """Return what a file holds, its faults with their lines.

    Args:
        value: what `read_file` returned.
        path: the file.
        assignments: as `read_file` applied them.
    """
    batch = read_batch(value)
    changed = [text.partition("=")[0] for text in assignments]
    changed += varied_fields(value) if is_sweep(value) else []
    return replace(batch, faults=tuple(with_lines(batch.faults, path, changed)))


def jobs_of(path: Path, assignments: list[str]) -> tuple[BatchJob, ...]:
    """Return the jobs of a file; see `read_file` and `Batch.require` for errors."""
    return batch_of(read_file(path, assignments), path, assignments).require()


def run_jobs(jobs: Sequence[BatchJob], runs: Path, quiet: bool) -> None:
    """Run jobs one after another and go on after one that fails.

    Raises:
        WorkbenchError: the only job failed.
        typer.Exit: 130 where Ctrl-C paused a run, which ends the sweep; 1 where a job failed.
    """
    if len(jobs) == 1:
        run_folder(create_run(runs, jobs[0].spec), quiet)
        return
    failed = 0
    for number, job in enumerate(jobs, start=1):
        if not quiet:
            typer.echo(f"Job {number} of {len(jobs)}: {job.label}", err=True)
        folder = create_run(runs, job.spec)
        try:
            run_folder(folder, quiet)
        except WorkbenchError as error:
            failed += 1
            typer.echo(f"error: {job.label} ({folder.run_id}): {error}", err=True)
        except typer.Exit:
            _tell_left(len(jobs) - number)
            raise
    if failed:
        typer.echo(f"{failed} of {len(jobs)} jobs failed.", err=True)
        raise typer.Exit(1)


def _tell_left(count: int) -> None:
    if count:
        what = "1 job was" if count == 1 else f"{count} jobs were"
        typer.echo(f"{what} not started.", err=True)


def run_folder(folder: RunFolder, quiet: bool) -> None:
    """Run or resume one run and print its folder; the first Ctrl-C pauses it.

    Raises:
        WorkbenchError: it failed.
        typer.Exit: 130 where it was paused.
    """
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
