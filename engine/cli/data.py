"""`data list|show|preview|fetch|import|delete`."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engine.catalog import build_catalog
from engine.cli.reporting import reporting
from engine.datasets.fetch import fetch
from engine.datasets.file_problems import UnusableFilesError
from engine.datasets.hub import HubChoice
from engine.datasets.imported import Imported, delete_imported, imported_names, read_imported
from engine.datasets.importing import KINDS, ImportChoice, import_data
from engine.datasets.official import keep_archive
from engine.datasets.preview import forget_preview, make_preview, read_preview
from engine.lab_folders import data_folder
from engine.spec.errors import DataError

OFFICIAL = "official"
TERMINATED = 143  # what shells report after SIGTERM

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="A data set of `data list` that needs no path.")]

data = typer.Typer(
    help="Data sets: list, show, import your own, fetch the official archives.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the group of this file."""
    app.add_typer(data, name="data")


@data.command("list")
def list_(json_: Json = False) -> None:
    """List the data sets that experiments can use."""
    rows = build_catalog()["datasets"] + [_row(found) for found in _imported()]
    if json_:
        print(json.dumps(rows, indent=1))
        return
    table = Table("name", "path", "what it is")
    for row in rows:
        path = row.get("path", "needed" if row["needs_path"] else "")
        table.add_row(row["name"], path, row["description"])
    Console().print(table)


@data.command()
def show(name: Name, json_: Json = False) -> None:
    """Describe a data set: parts, classes, size, mean and deviation, origin, fingerprint."""
    with reporting() as report:
        report(f"Reading {name}", 0, None)
        found = read_preview(name, _folder()) or make_preview(name, _folder())
    fields = found.model_dump(mode="json", exclude={"version", "stamp"})
    if name in imported_names(_folder()):
        header = read_imported(_folder(), name)
        kept = {"title", "kind", "imported", "left_out"}
        fields |= header.model_dump(mode="json", include=kept)
    if json_:
        print(json.dumps(fields, indent=1))
        return
    for key, value in fields.items():
        print(f"{key}\t{value if isinstance(value, (str, int)) else json.dumps(value)}")


@data.command()
def preview(name: Name) -> None:
    """Make what the page shows of a data set: its facts and small pictures."""
    with reporting() as report:
        report(f"Looking through {name}", 0, None)
        made = make_preview(name, _folder())
    print(made.model_dump_json())


@data.command("fetch")
def fetch_(
    name: Annotated[str, typer.Argument(help="cifar10 or cifar100.")],
) -> None:
    """Download an official archive, check it, and keep it for all experiments."""
    with reporting() as report:
        path = fetch(
            name,
            _folder(),
            progress=lambda done, total: report(f"Fetching {name}", done, total),
        )
    print(path)


@data.command("import")
def import_(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join([*KINDS, OFFICIAL])}.")],
    source: Annotated[str, typer.Argument(help="File, folder, or id at Hugging Face.")],
    name: Annotated[
        str, typer.Option(help="How experiments name it: letters, digits, `-` and `_`.")
    ] = "",
    title: Annotated[str, typer.Option(help="Name for people; otherwise the name.")] = "",
    resolution: Annotated[
        int | None,
        typer.Option(min=4, max=512, help="Height and width to which all images are brought."),
    ] = None,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out files that cannot be used.")
    ] = False,
    config: Annotated[str, typer.Option(help="Configuration at Hugging Face.")] = "",
    train_split: Annotated[str, typer.Option(help="Split to train with; found if empty.")] = "",
    test_split: Annotated[
        str, typer.Option(help="Split to test with; found if empty, `none` for none.")
    ] = "",
    image_column: Annotated[str, typer.Option(help="Column of the pictures.")] = "",
    label_column: Annotated[str, typer.Option(help="Column of the class labels.")] = "",
    json_: Json = False,
) -> None:
    """Check a data set and keep it for all experiments; it is there completely or not at all.

    The kind `official` takes over a CIFAR archive that is on this machine already.
    """
    _tidy_up_when_terminated()
    if kind == OFFICIAL:
        registered, path = keep_archive(Path(source).expanduser(), _folder())
        print(json.dumps({"name": registered, "path": str(path)}) if json_ else path)
        return
    hub = HubChoice(config, train_split, test_split, image_column, label_column)
    choice = ImportChoice(resolution, skip_unreadable, title, hub)
    try:
        with reporting() as report:
            made = import_data(kind, source, name, _folder(), choice, report)
    except UnusableFilesError as error:
        if json_:  # for programs, which show them one below the other
            print(json.dumps({"problems": error.problems.to_json()}))
        raise
    if json_:
        print(made.model_dump_json(indent=1))
    else:
        print(f"{made.name}: {_summary(made)}")
        for file in made.left_out["files"]:
            print(f"left out {file['file']}: {file['reason']}")


@data.command()
def delete(
    name: Annotated[str, typer.Argument(help="An imported data set.")], json_: Json = False
) -> None:
    """Delete an imported data set for good."""
    delete_imported(_folder(), name)
    forget_preview(name, _folder())
    print(json.dumps({"deleted": name}) if json_ else f"{name} was deleted.")


def _folder() -> Path:
    return data_folder() / "datasets"


def _imported() -> list[Imported]:
    """Return what the imported data sets are; damaged ones are told when they are used."""
    found = []
    for name in imported_names(_folder()):
        with suppress(DataError):
            found.append(read_imported(_folder(), name))
    return found


def _row(found: Imported) -> dict[str, Any]:
    return {
        "name": "imported",
        "path": found.name,
        "title": found.title,
        "description": _summary(found),
        "needs_path": True,
    }


def _summary(found: Imported) -> str:
    train, test = sum(found.counts.train), sum(found.counts.test or ())
    parts = f"{train:,} + {test:,}" if test else f"{train:,}"
    colour = "grey" if found.channels == 1 else "colour"
    return (
        f"{parts} {colour} images of {found.height}x{found.width} pixels in "
        f"{len(found.classes)} classes, from {found.origin}"
    )


def _tidy_up_when_terminated() -> None:
    """Let SIGTERM unwind, so that half-written folders are removed."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, leave)
