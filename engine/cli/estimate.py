"""`estimate`: time and memory of an experiment from a few real steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.batch import jobs_of
from engine.cli.reporting import reporting
from engine.cli.terminal import duration
from engine.measured import Estimate

GIGABYTE = 1e9


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(estimate)


def estimate(
    spec: Annotated[Path, typer.Argument(help="Experiment or sweep file (YAML).")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a field: section.field=value.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or auto.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Time for the steps.")] = 15.0,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a few real steps and say how long a run takes and what memory it needs.

    Of a sweep the first job is measured. Nothing is written.
    """
    from engine.probe import probe

    extra = [] if device is None else [f"device={device}"]
    jobs = jobs_of(spec, [*(set_ or []), *extra])
    with reporting() as report:
        found = probe(jobs[0].spec, limit=seconds, report=report)
    print(json.dumps(found.to_json(), indent=1) if json_ else words(found, len(jobs)))


def words(found: Estimate, jobs: int) -> str:
    """Write an estimate for the terminal."""
    lines = [f"{duration(found.seconds())} on {found.device}, give or take {found.spread:.0%}"]
    lines += [f"  {name:13} {duration(value)}" for name, value in found.stages.items()]
    if found.disturbed:
        lines.append(
            f"  other programs kept {found.others:.1f} of {found.cores} cores busy meanwhile; a "
            "quiet machine is quicker"
        )
    if found.known:
        lines.append(
            f"  the results bank has {found.known} of {found.sample} architectures of the sample: "
            f"{duration(found.saved_seconds)} less"
        )
    if jobs > 1:
        lines.append(f"{jobs} jobs: {duration(found.seconds(jobs))}, if all are like the first")
    need, free = found.memory_bytes / GIGABYTE, found.free_bytes / GIGABYTE
    verdict = "fits" if found.fits else "does not fit: lower batch size or channels"
    lines.append(f"memory {need:.2f} GB of {free:.2f} GB free: {verdict}")
    return "\n".join(lines)
