"""Tables that can say how good the architectures of a space are, for the form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.lab_folders import data_folder
from engine.spec.errors import TableError
from engine.tables.csv_table import csv_columns
from engine.tables.header import accuracies, read_header
from engine.tables.store import imported, tables_folder


@dataclass(frozen=True)
class Truth:
    """A table that was imported.

    Attributes:
        name: as an experiment calls it.
        rows: number of architectures.
        columns: those that hold accuracies.
    """

    name: str
    rows: int
    columns: tuple[str, ...]


@st.cache_data(show_spinner=False, ttl=5)
def of_space(space: str) -> list[Truth]:
    """Return the imported tables of a space that have accuracies; damaged ones are left out."""
    found = []
    for name in imported(data_folder()):
        try:
            header = read_header(tables_folder(data_folder()) / name)
        except TableError:
            continue  # the page Tables says what is wrong with it
        columns = tuple(accuracies(header))
        if header.space == space and columns:
            found.append(Truth(name, header.rows, columns))
    return found


@st.cache_data(show_spinner=False, ttl=5)
def columns_of(source: str, space: str) -> list[str]:
    """Return the columns of an imported table, or of a CSV file by its path; empty where it
    cannot be read, which the check of the experiment explains."""
    for truth in of_space(space):
        if truth.name == source:
            return list(truth.columns)
    try:
        return csv_columns(Path(source)) if Path(source).is_file() else []
    except (TableError, OSError):
        return []
