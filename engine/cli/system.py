"""`kernels` and `doctor`: is this machine in order?"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.reporting import reporting
from engine.doctor import examine

MARKS = {"ok": "[green]ok[/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(kernels)
    app.command()(doctor)


def kernels(
    check: Annotated[
        bool, typer.Option("--check", help="Compare with 64-bit arithmetic, gradients too.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    json_: Json = False,
) -> None:
    """Say which implementation of the fused operations runs here, and why."""
    with reporting() as report:
        report("Checking the kernels" if check else "Looking at the kernels", 0, None)
        from engine.kernel_check import kernel_report

        found = kernel_report(check, device)
    print(json.dumps(found, indent=1) if json_ else _kernel_words(found))
    if any(row["sound"] is False for row in found["operations"]) and not json_:
        raise typer.Exit(1)


def _kernel_words(found: dict[str, Any]) -> str:
    lines = [f"{found['device']}, torch {found['torch']}, CUDA {found['cuda'] or 'none'}"]
    for row in found["operations"]:
        said = f"{row['operation']}: {row['implementation']} ({row['reason']})"
        if row["sound"] is not None:
            verdict = "right" if row["sound"] else "WRONG; set NAS_KERNELS=reference"
            said += f"; {row['cases']} cases, largest error {row['worst']:.1e}: {verdict}"
        lines.append(said)
    return "\n".join(lines)


def doctor(
    store: Annotated[
        bool, typer.Option("--store", help="Ask the store at REDIS_URL, too.")
    ] = False,
    json_: Json = False,
) -> None:
    """Check Python, packages, GPU, folders, disk and data; one line each, with what to do.

    Ends with 1 where something fails, but for --json, where the answer says so.
    """
    with reporting() as report:
        findings = examine(store, report)
    if json_:
        print(json.dumps({"findings": [vars(one) for one in findings]}, indent=1))
        return
    table = Table("", "what", "found", "what to do")
    for one in findings:
        table.add_row(MARKS[one.verdict], one.name, one.found, one.remedy)
    Console().print(table)
    if any(one.verdict == "fail" for one in findings):
        raise typer.Exit(1)
