"""`data list|fetch`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.catalog import build_catalog
from engine.cli.reporting import reporting
from engine.datasets.fetch import fetch
from engine.lab_folders import data_folder

data = typer.Typer(help="Data sets: list them, fetch the official archives.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    app.add_typer(data, name="data")


@data.command("list")
def list_(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the data sets that experiments can use."""
    rows = build_catalog()["datasets"]
    if json_:
        print(json.dumps(rows, indent=1))
        return
    table = Table("name", "what it is", "needs a path")
    for row in rows:
        table.add_row(row["name"], row["description"], "yes" if row["needs_path"] else "no")
    Console().print(table)


@data.command("fetch")
def fetch_(
    name: Annotated[str, typer.Argument(help="cifar10 or cifar100.")],
) -> None:
    """Download an official archive, check it, and keep it for all experiments."""
    with reporting() as report:
        path = fetch(
            name,
            data_folder() / "datasets",
            progress=lambda done, total: report(f"Fetching {name}", done, total),
        )
    print(path)
