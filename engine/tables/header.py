"""What an imported table is and where it comes from: the JSON file beside its arrays."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.spec.errors import TableError
from engine.tables.columns import PERCENT, StoredColumn

FORMAT = 1
HEADER = "table.json"


@dataclass(frozen=True)
class Origin:
    """What was imported.

    Attributes:
        space: search space of the rows.
        space_settings: its settings, as in an experiment; empty: the defaults.
        kind: format of the file.
        source: name of the file or folder.
        sha256: digest of its content.
    """

    space: str
    space_settings: dict[str, Any]
    kind: str
    source: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Header(Origin):
    """What a table is.

    Attributes:
        name: name of its folder.
        rows: number of architectures.
        columns: what is known of them.
        probe: text and canonical form of the first row, see `BuiltTable`.
        arrays: SHA-256 of the file of arrays.
        format: version of the layout.
    """

    name: str
    rows: int
    columns: tuple[StoredColumn, ...]
    probe: tuple[str, str]
    arrays: str
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """Return the content of the header file."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Header:
        """Read the content of a header file.

        Raises:
            TypeError, ValueError, KeyError: it is something else.
        """
        columns = tuple(StoredColumn.from_json(column) for column in value["columns"])
        text, canonical = value["probe"]
        header = cls(**{**value, "columns": columns, "probe": (text, canonical)})
        for name in ("name", "space", "kind", "source", "sha256", "arrays"):
            if type(getattr(header, name)) is not str:
                raise TypeError(f"`{name}` is no text")
        if type(header.space_settings) is not dict:
            raise TypeError("`space_settings` is no mapping")
        if type(header.rows) is not int or header.rows < 1:
            raise ValueError("`rows` is no number of rows")
        return header

    def column(self, name: str) -> StoredColumn:
        """Return a column by name.

        Raises:
            TableError: there is none; the message names those that there are.
        """
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(column.name for column in self.columns)
        raise TableError(f"The table `{self.name}` has no column `{name}`; it has {known}.")


def read_header(folder: Path) -> Header:
    """Read what a table is, without its arrays.

    Raises:
        TableError: no such table, or its header is damaged or of another version.
    """
    path = folder / HEADER
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        version = value["format"]
        if version != FORMAT:
            raise TableError(
                f"The table {folder} was imported by another version of this program (format "
                f"{version}; this one reads {FORMAT}); delete it and import it again."
            )
        return Header.from_json(value)
    except OSError as error:
        raise TableError(f"There is no table in {folder} ({error.strerror}).") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(folder, str(error)) from None


def damaged(folder: Path, why: str) -> TableError:
    """Return the error for a table that is not as it was written."""
    return TableError(
        f"The table {folder} is damaged ({why}); delete the folder and import the table again."
    )


def accuracies(header: Header) -> list[str]:
    """Return the names of the columns that hold accuracies, which can rank architectures."""
    return [column.name for column in header.columns if column.unit == PERCENT]
