"""`list`, `catalog`, `presets`, `data`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engine.catalog import CATALOG_PATH, build_catalog, example_files
from engine.cli.table import imported_headers
from engine.lab_folders import data_folder
from engine.spec.errors import SpecError
from engine.tables.bank import Bank
from engine.tables.header import accuracies

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Kind(StrEnum):
    """What can be listed."""

    spaces = "spaces"
    algorithms = "algorithms"
    datasets = "datasets"
    tables = "tables"
    addons = "addons"
    metrics = "metrics"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("list")(list_)
    app.command()(catalog)
    app.command()(presets)


def list_(kind: Kind, json_: Json = False) -> None:
    """List what there is of a kind."""
    rows = _table_rows() if kind is Kind.tables else build_catalog()[kind.value]
    if json_:
        print(json.dumps(rows, indent=1))
        return
    table = Table("name", "title", "what it is")
    for row in rows:
        text = row.get("help") or row.get("description") or row.get("definition") or ""
        table.add_row(row["name"], row.get("title", ""), text)
    Console().print(table)


def _table_rows() -> list[dict[str, Any]]:
    return [
        *(
            {
                "name": header.name,
                "title": "Imported table",
                "description": f"{header.rows} architectures of {header.space} from "
                f"{header.source}, {len(accuracies(header))} accuracies",
            }
            for header in imported_headers()
        ),
        *_bank_rows(),
    ]


def _bank_rows() -> list[dict[str, Any]]:
    bank = Bank(data_folder() / "bank")
    counts: dict[tuple[str, str], int] = {}
    for row in bank.rows():
        key = row.space, row.protocol
        counts[key] = counts.get(key, 0) + 1
    return [
        {
            "name": f"bank/{space}/{protocol}",
            "title": "Results bank",
            "description": f"{count} stand-alone trainings in {space}",
        }
        for (space, protocol), count in sorted(counts.items())
    ]


def catalog(
    write: Annotated[bool, typer.Option(help="Renew the checked-in copy.")] = False,
) -> None:
    """Print everything that pages know of the engine: names, schemas, help, sources."""
    text = json.dumps(build_catalog(), indent=1) + "\n"
    if write:
        CATALOG_PATH.write_text(text, encoding="utf-8")
        print(CATALOG_PATH)
    else:
        print(text, end="")


def presets(
    name: Annotated[str | None, typer.Argument(help="Print this one as YAML.")] = None,
    json_: Json = False,
) -> None:
    """List the experiment and sweep files that come along, or print one."""
    found = example_files()
    if name is not None:
        path: Path | None = found.get(name)
        if path is None:
            raise SpecError("presets", f"there is no `{name}`; there are {', '.join(found)}.")
        print(path.read_text(encoding="utf-8"), end="")
    elif json_:
        print(json.dumps({key: str(path) for key, path in found.items()}, indent=1))
    else:
        for key, path in found.items():
            print(f"{key}\t{path}")
