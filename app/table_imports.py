"""Importing a table from a page: what was asked for, the uploaded file, the task. No Streamlit."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from app.background import Task, Tasks
from engine.lab_folders import data_folder
from engine.spaces import get_space
from engine.spec.errors import ArchitectureError, TableError, WorkbenchError
from engine.tables.csv_import import FRACTION
from engine.tables.csv_preview import CsvPreview
from engine.tables.store import require_free

PREFIX = "table:"
UPLOADS = "uploads"
STALE_SECONDS = 24 * 3600
_LONGEST_NAME = 120
UNITS_TO_CHOOSE = ("percent", FRACTION, "seconds", "parameters", "multiply-adds", "number")


@dataclass(frozen=True)
class Request:
    """What is to be imported.

    Attributes:
        kind: one of `engine.tables.importing.KINDS`.
        name: of the new table.
        space: whose architectures a CSV file has; None for other kinds.
        settings: of the space.
        columns: name and unit of a CSV file's columns.
    """

    kind: str
    name: str
    space: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[tuple[str, str], ...] = ()

    def arguments(self, path: Path) -> list[str]:
        """Return the engine's command line for a file or folder."""
        found = ["table", "import", self.kind, str(path), f"--name={self.name}", "--json"]
        if self.space is not None:
            found.append(f"--space={self.space}")
            if self.settings:
                found.append(f"--space-settings={json.dumps(dict(self.settings))}")
            found += [f"--column={name}:{unit}" for name, unit in self.columns]
        return found


def problems(request: Request, seen: CsvPreview | None) -> list[str]:
    """Return everything that is known to be wrong before the file is read as a whole.

    Args:
        request: what is to be imported.
        seen: first rows of a CSV file; None for other kinds.
    """
    found = []
    try:
        require_free(data_folder(), request.name)
    except TableError as error:
        found.append(str(error).replace("--name: ", "").replace("another --name", "another name"))
    if seen is None:
        return found
    if not seen.rows:
        found.append("The file has no rows.")
    elif not seen.text:
        found.append(
            "No column has the architectures; name it `arch_str`, `architecture`, `text`, `arch` "
            "or `genotype`, or give `adjacency` and `ops`."
        )
    elif request.space is not None:
        found += _space_faults(request, seen.text)
    if seen.rows and not request.columns:
        found.append("Tick at least one column.")
    missing = [name for name, unit in request.columns if not unit]
    if missing:
        found.append(
            f"Choose the unit of {', '.join(missing)}: values up to 1 can be fractions or "
            "percents."
        )
    return found


def _space_faults(request: Request, text: str) -> list[str]:
    try:
        get_space(str(request.space), request.settings).parse(text)
    except ArchitectureError as error:
        return [f"The first row is no architecture of this space: {error}"]
    except WorkbenchError as error:
        return [str(error)]
    return []


def likely_units(seen: CsvPreview) -> dict[str, str]:
    """Return the likely unit of every column, empty where it has to be chosen."""
    return {column.name: column.unit or "" for column in seen.columns}


def free_name(wanted: str) -> str:
    """Return a name that no table has: the wanted one, or it with a number."""
    base = wanted.strip("-_")[:70] or "table"
    for number in range(1, 1000):
        name = base if number == 1 else f"{base}-{number}"
        with suppress(TableError):
            require_free(data_folder(), name)
            return name
    return base


# -- uploaded files -----------------------------------------------------------------------------
def stage(file: BinaryIO, name: str) -> Path:
    """Write an uploaded file to a folder of its own, which `tidy` removes.

    Raises:
        TableError: the disk is full or not writable; nothing is left.
    """
    home = data_folder().absolute() / UPLOADS
    sweep(home)
    place = home / f"{int(time.time())}-{secrets.token_hex(6)}"
    try:
        place.mkdir(parents=True)
        path = place / safe_name(name)
        file.seek(0)
        with path.open("xb") as sink:
            shutil.copyfileobj(file, sink, 1 << 20)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise TableError(
            f"The uploaded file cannot be kept in {home}: {error.strerror}. Free some disk space, "
            "or give the path of the file on the server."
        ) from error
    return path


def tidy(path: Path) -> None:
    """Remove a staged file with its folder."""
    shutil.rmtree(path.parent, ignore_errors=True)


def sweep(home: Path) -> None:
    """Remove uploads of servers that ended before their import did."""
    for place in home.iterdir() if home.is_dir() else []:
        with suppress(OSError):
            if time.time() - place.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(place, ignore_errors=True)


def safe_name(name: str) -> str:
    """Return a file name without folders or anything else that could lead elsewhere."""
    last = re.split(r"[\\/]", name)[-1]
    kept = re.sub(r"[^A-Za-z0-9._-]", "-", last).lstrip(".-")
    return kept[-_LONGEST_NAME:].lstrip(".-") or "upload"


# -- the task -------------------------------------------------------------------------------------
def start(tasks: Tasks, request: Request, path: Path, staged: bool) -> Task:
    """Import in a process of its own; a staged file is removed however that ends.

    Raises:
        TaskError: an import under this name is under way.
    """

    def after(task: Task) -> None:
        if staged:
            task.error = task.error.replace(f"{path.parent}/", "")  # the viewer knows the name
            tidy(path)

    key = f"{PREFIX}{request.name}"
    try:
        return tasks.start(key, f"Importing {request.name}", request.arguments(path), after)
    except BaseException:
        if staged:
            tidy(path)
        raise
