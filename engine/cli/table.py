"""`table import|list|query|stats|delete`: ground truth that others have published or measured."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from engine.cli.ending import tidy_ending
from engine.cli.reporting import reporting
from engine.lab_folders import data_folder
from engine.spaces import get_space
from engine.spec.errors import TableError
from engine.spec.files import load, read_mapping
from engine.tables.csv_import import CsvOptions
from engine.tables.header import Header, accuracies, read_header
from engine.tables.importing import KINDS, SpaceChoice, import_table
from engine.tables.store import delete_table, imported, open_table, tables_folder
from engine.tables.table_stats import table_stats

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="Imported table, see `table list`.")]

MOST_PAIRS = 15

table = typer.Typer(
    help="Ground truth tables: import, list, query, describe, delete.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    app.add_typer(table, name="table")


@table.command("import")
def import_(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")],
    path: Annotated[Path, typer.Argument(help="File or folder to read.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the table; otherwise that of the file.")
    ] = None,
    space: Annotated[str | None, typer.Option(help="Search space of a CSV file.")] = None,
    spec: Annotated[
        Path | None,
        typer.Option(help="Experiment file whose space, with its settings, a CSV file is about."),
    ] = None,
    space_settings: Annotated[
        str | None,
        typer.Option(help="Settings of --space, as the section of an experiment (YAML or JSON)."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME or NAME:UNIT of a column of a CSV file; otherwise all that are called "
            "like accuracies."
        ),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit of a CSV file's accuracies: percent or fraction.")
    ] = None,
    json_: Json = False,
) -> None:
    """Convert ground truth into a compact table that experiments can name."""
    settings = read_mapping(space_settings) if space_settings else None
    choice = SpaceChoice(space, settings)
    if spec is not None:
        experiment = load(spec)
        choice = SpaceChoice(experiment.space, experiment.space_settings)
    options = CsvOptions(tuple(column or ()), unit)
    with tidy_ending(), reporting() as report:
        header = import_table(kind, path, data_folder(), name, choice, options, report)
    if json_:
        print(json.dumps(header.to_json(), indent=1))
    else:
        print(f"{header.name}: {_summary(header)}")


@table.command("list")
def list_(json_: Json = False) -> None:
    """List the imported tables."""
    headers = imported_headers()
    if json_:
        print(json.dumps([header.to_json() for header in headers], indent=1))
        return
    grid = Grid("name", "what it is", "accuracies")
    for header in headers:
        grid.add_row(header.name, _summary(header), ", ".join(accuracies(header)))
    Console().print(grid)


@table.command()
def query(
    name: Name,
    text: Annotated[str, typer.Argument(help="Architecture in the notation of its space.")],
    json_: Json = False,
) -> None:
    """Print the row of an architecture, or that of an equal network under another encoding."""
    found = open_table(data_folder(), name)
    space = get_space(found.header.space, found.header.space_settings)
    architecture = space.parse(text)
    row = found.find(space, architecture)
    if row is None:
        raise TableError(
            f"The table `{name}` has no row for {space.to_text(architecture)}, nor for an equal "
            "network."
        )
    values = {c.name: float(found.values(c.name)[row]) for c in found.header.columns}
    given, exact = space.to_text(architecture), found.texts[row]
    if json_:
        numbers = {key: None if math.isnan(value) else value for key, value in values.items()}
        print(
            json.dumps({"table": name, "text": given, "row": exact, "values": numbers}, indent=1)
        )
        return
    print(exact if exact == given else f"{exact}  (the same network as {given})")
    for column in found.header.columns:
        value = values[column.name]
        shown = "-" if math.isnan(value) else f"{value:.10g} {column.unit}"
        print(f"{column.name}\t{shown}")


@table.command()
def stats(
    name: Name,
    column: Annotated[
        list[str] | None, typer.Option(help="A column to describe; otherwise all.")
    ] = None,
    json_: Json = False,
) -> None:
    """Print the range and the best of columns, and how alike accuracies rank."""
    described = table_stats(open_table(data_folder(), name), column or ())
    if json_:
        print(json.dumps(described, indent=1))
        return
    grid = Grid("column", "unit", "n", "min", "mean", "max")
    for key, values in described["columns"].items():
        numbers = [f"{values[part]:.6g}" for part in ("min", "mean", "max")]
        grid.add_row(key, values["unit"], f"{values['n']:,}", *numbers)
    Console().print(grid)
    for key, values in described["columns"].items():
        if "best" in values:
            print(f"best {key}\t{values['best']}")
    for pair in described["spearman"][:MOST_PAIRS]:
        print(_pair(pair))
    if len(described["spearman"]) > MOST_PAIRS:
        print(
            f"{MOST_PAIRS} of {len(described['spearman'])} pairs; choose columns with --column, "
            "or see all with --json."
        )


@table.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete an imported table; experiments that name it can no longer be run."""
    if not yes:
        typer.confirm(f"Delete the table {name} for good?", abort=True)
    delete_table(data_folder(), name)
    print(f"{name} was deleted.")


def _pair(row: dict[str, Any]) -> str:
    rho = "undefined" if row["spearman"] is None else f"{row['spearman']:.4f}"
    return f"Spearman {rho}  {' ~ '.join(row['columns'])}  (n = {row['n']:,})"


def imported_headers() -> list[Header]:
    """Return what all imported tables are.

    Raises:
        TableError: one of them is damaged.
    """
    folder = tables_folder(data_folder())
    return [read_header(folder / name) for name in imported(data_folder())]


def _summary(header: Header) -> str:
    """Return one line: rows, space, origin."""
    return f"{header.rows:,} architectures of {header.space} from {header.source} ({header.kind})"
