"""Imported tables: one folder each, with a JSON header and arrays without pickle.

    <data folder>/tables/<name>/table.json     what it is and where it comes from
    <data folder>/tables/<name>/arrays.npz     texts, lookups and columns

A folder appears under its name only when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.spaces import SPACES
from engine.spec.errors import ArchitectureError, TableError
from engine.tables.arrays import Finder, Texts
from engine.tables.builder import BuiltTable
from engine.tables.header import HEADER, Header, Origin, damaged, read_header

ARRAYS = "arrays.npz"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", re.ASCII)


class Table:
    """An imported table, opened for reading; columns are read when they are asked for.

    Args:
        folder: the table's folder.

    Raises:
        TableError: no such table, or it is damaged or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.header = read_header(folder)
        self._check_arrays()
        self._values: dict[str, npt.NDArray[np.float64]] = {}
        self.texts = Texts(self._array("texts"), self._array("ends"))
        self._by_text = Finder(self._array("text_keys"), self._array("text_rows"))
        self._by_network = Finder(self._array("network_keys"), self._array("network_rows"))

    def __len__(self) -> int:
        return self.header.rows

    def values(self, column: str) -> npt.NDArray[np.float64]:
        """Return a column, shape (n,), NaN where an architecture has no value.

        Raises:
            TableError: there is no such column, or the file is damaged.
        """
        if column not in self._values:
            place = self.header.columns.index(self.header.column(column))
            self._values[column] = self._array(f"column_{place}")
        return self._values[column]

    def find(self, space: Space, architecture: Architecture) -> int | None:
        """Return the row of an architecture, or else the first row with an equal network.

        Raises:
            TableError: the table is of another space or of another version of it.
        """
        self.require_space(space)
        text = space.to_text(architecture)
        row = self._by_text.first(text, lambda found: self.texts[found] == text)
        if row is not None:
            return row
        canonical = space.canonical(architecture)
        return self._by_network.first(
            canonical, lambda found: _canonical(space, self.texts[found]) == canonical
        )

    def require_space(self, space: Space) -> None:
        """Check that a space is that of the rows, and still writes them in the same way.

        Raises:
            TableError: it is not, or does not.
        """
        name, wanted = self.header.name, self.header.space
        if space.name != wanted:
            raise TableError(
                f"The table `{name}` is about the space `{wanted}`, not about `{space.name}`."
            )
        text, canonical = self.header.probe
        if _canonical(space, text) != canonical:
            raise TableError(
                f"The table `{name}` was imported when `{wanted}` wrote its architectures in "
                f"another way; delete the folder {self.folder} and import the table again."
            )

    def _check_arrays(self) -> None:
        try:
            found = file_sha256(self.folder / ARRAYS)
        except OSError as error:
            raise damaged(self.folder, str(error.strerror)) from None
        if found != self.header.arrays:
            raise damaged(self.folder, "its arrays are not those that were imported")

    def _array(self, name: str) -> Any:
        try:
            with np.load(self.folder / ARRAYS, allow_pickle=False) as arrays:
                return arrays[name]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise damaged(self.folder, str(error)) from None


def _canonical(space: Space, text: str) -> str | None:
    """Return the canonical form of a row; None where neither space nor whole space reads it.

    A sub-space does not have all rows of a table of the whole space.
    """
    for reader in (space, SPACES[space.name]):
        try:
            return reader.canonical(reader.parse(text))
        except ArchitectureError:
            continue
    return None


def is_name(text: str) -> bool:
    """Tell whether a table may have this name."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str) -> str:
    """Return a name that a table may have.

    Raises:
        TableError: it has other characters, or is empty or too long.
    """
    if not is_name(name):
        raise TableError(
            f"--name: a table's name has up to 80 letters, digits, `-` and `_`; given was "
            f"`{name:.100}`."
        )
    return name


def tables_folder(data_folder: Path) -> Path:
    """Return the folder of all imported tables."""
    return data_folder / "tables"


def imported(data_folder: Path) -> list[str]:
    """Return the names of all imported tables."""
    folder = tables_folder(data_folder)
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path.name for path in found if is_name(path.name) and (path / HEADER).is_file()]


def open_table(data_folder: Path, name: str) -> Table:
    """Open an imported table.

    Raises:
        TableError: there is none of this name, or it is damaged.
    """
    if name not in imported(data_folder):
        raise _unknown(data_folder, name)
    return Table(tables_folder(data_folder) / name)


def _unknown(data_folder: Path, name: str) -> TableError:
    known = ", ".join(imported(data_folder)) or "none"
    return TableError(f"There is no imported table `{name:.100}`; there are: {known}.")


def require_free(data_folder: Path, name: str) -> Path:
    """Return the folder of a table to be made.

    Raises:
        TableError: the name is impossible or taken.
    """
    folder = tables_folder(data_folder) / check_name(name)
    if folder.exists():
        raise TableError(
            f"There is a table `{name}` already; give another --name, or delete {folder} first."
        )
    return folder


def delete_table(data_folder: Path, name: str) -> None:
    """Delete an imported table; it vanishes from all lists at once, also where it is damaged.

    Raises:
        TableError: there is none of this name, or the folder is not writable.
    """
    if name not in imported(data_folder):
        raise _unknown(data_folder, name)
    folder = tables_folder(data_folder) / name
    doomed = folder.with_name(f".{name}.{secrets.token_hex(4)}")
    try:
        os.rename(folder, doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise TableError(f"Cannot delete the table {folder}: {error.strerror}.") from error


def save(data_folder: Path, name: str, built: BuiltTable, origin: Origin) -> Header:
    """Write a table; it is there completely or not at all.

    Args:
        data_folder: the lab's data folder.
        name: the table's name.
        built: its content.
        origin: where that comes from.

    Raises:
        TableError: the name is taken, or the disk is full or not writable.
    """
    final = require_free(data_folder, name)
    draft = final.with_name(f".{name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        np.savez_compressed(draft / ARRAYS, **_members(built))
        header = Header(
            **asdict(origin),
            name=name,
            rows=len(built.texts),
            columns=built.columns,
            probe=built.probe,
            arrays=file_sha256(draft / ARRAYS),
        )
        text = json.dumps(header.to_json(), indent=1, allow_nan=False)
        (draft / HEADER).write_text(text, encoding="utf-8")
        os.rename(draft, final)
    except OSError as error:
        raise TableError(
            f"Cannot write the table to {final}: {error.strerror}. Free some disk space or set "
            "NASW_DATA to another folder."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return header


def _members(built: BuiltTable) -> dict[str, Any]:
    members: dict[str, Any] = {
        "texts": built.texts.block,
        "ends": built.texts.ends,
        "text_keys": built.by_text.keys,
        "text_rows": built.by_text.rows,
        "network_keys": built.by_network.keys,
        "network_rows": built.by_network.rows,
    }
    for place, column in enumerate(built.columns):
        members[f"column_{place}"] = built.values[column.name]
    return members


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
