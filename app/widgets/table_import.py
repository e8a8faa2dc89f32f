"""The form that imports a table: file, kind, name; for CSV also space, columns and units."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import streamlit as st

from app import client, table_imports
from app.guard import attempt
from app.table_imports import Request
from app.widgets import definition, numbers
from app.widgets.form_from_schema import Form, values
from app.widgets.form_sections import settings_fields
from app.widgets.plain import plain
from engine.spec.errors import SpecError, TableError
from engine.tables.csv_preview import CsvPreview, fitting_spaces, preview
from engine.tables.importing import FOLDER_KINDS, KINDS, default_name, guess_kind

UPLOAD_MB = 2000
TYPES = ["csv", "gz", "pth", "bz2", "tfrecord", "zip"]
UPLOAD, SERVER = "Upload a file", "Path on the server"


def begun() -> int:
    """Return how many imports this viewer has begun; a new number empties the form."""
    return int(st.session_state.get("imports", 0))


def draw() -> None:
    """Draw the form."""
    way = st.segmented_control(
        "From", [UPLOAD, SERVER], default=UPLOAD, key="import-from", required=True
    )
    given = _uploaded() if way == UPLOAD else _on_server()
    if given is None:
        return
    name, path, file = given
    key = f"import-{begun()}-{name}"
    left, right = st.columns([1.5, 1])
    with left:
        kind = _kind(name, key)
    with right:
        wanted = st.text_input(
            "Name of the table",
            value=table_imports.free_name(default_name(Path(name))),
            key=f"{key}-name",
            max_chars=80,
            help="Letters, digits, `-` and `_`: experiments name the table by it.",
        )
    if kind is None:
        return
    try:
        seen = _preview(name, path, file) if _is_csv(kind, name) else None
    except TableError as error:
        st.error(str(error))
        return
    request = Request(kind, (wanted or "").strip())
    if seen is not None:
        request = _csv(request, seen, key)
    _start(request, seen, name, path, file)


# -- which file -----------------------------------------------------------------------------------
Given = tuple[str, Path | None, BinaryIO | None]


def _uploaded() -> Given | None:
    file = st.file_uploader(
        "CSV, .pth, .pickle.pbz2, .tfrecord, or a ZIP of a benchmark's folder",
        TYPES,
        key=f"import-file-{begun()}",
        max_upload_size=UPLOAD_MB,
        help="It is checked and converted, and then removed from the server.",
    )
    st.caption(
        f"Up to {UPLOAD_MB // 1000} GB through the browser; larger ones go by their path on the "
        "server."
    )
    return None if file is None else (table_imports.safe_name(file.name), None, file)


def _on_server() -> Given | None:
    text = st.text_input(
        "File or folder",
        key=f"import-path-{begun()}",
        placeholder="/data/NATS-tss-v1_0-3ffb9-simple",
        help="As the server sees it. The file stays where it is and is not needed afterwards.",
    )
    if not (text or "").strip():
        return None
    path = Path(str(text).strip()).expanduser().absolute()
    if not path.exists():
        st.error(f"There is no file or folder {path} on the server.")
        return None
    return path.name, path, None


def _kind(name: str, key: str) -> str | None:
    guess = guess_kind(name)
    kinds = list(KINDS)
    kind = st.selectbox(
        "What it is",
        kinds,
        index=None if guess is None else kinds.index(guess),
        key=f"{key}-kind",
        format_func=KINDS.__getitem__,
        placeholder="Its name does not say: choose",
    )
    if kind is not None and name.lower().endswith(".zip") and kind not in FOLDER_KINDS:
        st.error("This kind is a single file: give it as it is, not inside a ZIP.")
        return None
    return kind


def _is_csv(kind: str, name: str) -> bool:
    return kind == "csv" or (kind == "darts" and guess_kind(name) == "csv")


def _preview(name: str, path: Path | None, file: BinaryIO | None) -> CsvPreview:
    """Read the first rows.

    Raises:
        TableError: it is no CSV.
    """
    if file is not None:
        file.seek(0)
        return preview(file, name)
    assert path is not None, "a file is uploaded or lies on the server"
    try:
        with path.open("rb") as opened:
            return preview(opened, name)
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}).") from None


# -- what a CSV file holds ------------------------------------------------------------------------
def _csv(request: Request, seen: CsvPreview, key: str) -> Request:
    count = f"the first {seen.read:,} rows" if not seen.complete else f"all {seen.read:,} rows"
    st.markdown(f"**The first rows of {len(seen.header)} columns**")
    st.dataframe(pd.DataFrame(list(seen.rows), dtype=str), hide_index=True, key=f"{key}-rows")
    space: str | None = None
    settings: dict[str, Any] = {}
    if request.kind == "csv":
        space, settings = _space(seen, key)
    st.markdown(f"**Columns of numbers, with their range in {count}**")
    chosen = _columns(seen, key)
    return Request(request.kind, request.name, space, settings, chosen)


def _space(seen: CsvPreview, key: str) -> tuple[str | None, dict[str, Any]]:
    names = [item["name"] for item in client.catalog()["spaces"]]
    fitting = fitting_spaces(seen.text) if seen.text else []
    fitting = [name for name in fitting if name != "custom"] or fitting
    space = st.selectbox(
        "Search space of the rows",
        names,
        index=names.index(fitting[0]) if fitting else None,
        key=f"{key}-space",
        format_func=lambda name: client.title("spaces", name),
        placeholder="Choose",
        help="Chosen is the space that can read the first row.",
    )
    if space is None:
        return None, {}
    return space, _settings(space, f"{key}-{space}")


def _settings(space: str, key: str) -> dict[str, Any]:
    """Draw the settings of a space, folded, and return those that are not the usual ones."""
    entry = client.entry("spaces", space)
    fields = settings_fields(entry, "space_settings")
    defined = definition.is_defined(entry)
    if not fields and not defined:
        return {}
    base: dict[str, Any] = {"space": space, "space_settings": {}}
    found: dict[str, Any] = values(fields, {}, key)
    unread: list[SpecError] = []
    if defined:
        found, unread = definition.entered(entry, base, key)
    usual = {field.name: field.default for field in fields}
    faults = {fault.field: [fault.problem] for fault in unread}
    form = Form(base, base | {"space_settings": found}, faults, key)
    with st.expander("Settings of the space", expanded=defined, key=f"{key}-settings"):
        if defined:
            definition.draw(entry, form)
        form.section(fields)
    return {name: value for name, value in found.items() if defined or value != usual.get(name)}


def _columns(seen: CsvPreview, key: str) -> tuple[tuple[str, str], ...]:
    units = table_imports.likely_units(seen)
    rows = pd.DataFrame(
        {
            "Import": [column.accuracy for column in seen.columns],
            "Column": [column.name for column in seen.columns],
            "Unit": [units[column.name] or None for column in seen.columns],
            "Smallest": [column.smallest for column in seen.columns],
            "Largest": [column.largest for column in seen.columns],
        }
    )
    column = st.column_config
    edited = st.data_editor(
        rows,
        key=f"{key}-columns",
        hide_index=True,
        disabled=["Column", "Smallest", "Largest"],
        height=min(37 + 35 * len(rows), 317),
        column_config={
            "Import": column.CheckboxColumn(width="small"),
            "Unit": column.SelectboxColumn(
                options=list(table_imports.UNITS_TO_CHOOSE),
                help="Unit of the values in the file. Fractions are kept as percent.",
            ),
            "Smallest": column.NumberColumn(format="%.6g"),
            "Largest": column.NumberColumn(format="%.6g"),
        },
    )
    ticked = edited[edited["Import"]]
    return tuple(
        (str(name), unit if isinstance(unit, str) else "")
        for name, unit in zip(ticked["Column"], ticked["Unit"], strict=True)
    )


# -- go -------------------------------------------------------------------------------------------
def _start(
    request: Request,
    seen: CsvPreview | None,
    name: str,
    path: Path | None,
    file: BinaryIO | None,
) -> None:
    wrong = table_imports.problems(request, seen)
    if request.kind == "csv" and request.space is None:
        wrong.append("Choose the search space of the rows.")
    if wrong:
        st.warning("\n".join(f"- {plain(problem)}" for problem in wrong), icon=":material/edit:")
    elif file is not None:
        size = file.seek(0, 2)
        st.caption(f"{plain(name)}, {numbers.size(size)}. Nothing is kept unless all of it fits.")
    if st.button(
        "Import",
        type="primary",
        icon=":material/move_to_inbox:",
        disabled=bool(wrong),
        key="import-start",
    ) and attempt(lambda: _go(request, name, path, file), "The import has begun"):
        st.session_state["imports"] = begun() + 1
        st.rerun()


def _go(request: Request, name: str, path: Path | None, file: BinaryIO | None) -> None:
    """Begin the import.

    Raises:
        TableError: the upload cannot be kept.
        TaskError: an import under this name is under way.
    """
    if path is not None:
        table_imports.start(client.tasks(), request, path, staged=False)
        return
    assert file is not None, "a file is uploaded or lies on the server"
    staged = table_imports.stage(file, name)
    table_imports.start(client.tasks(), request, staged, staged=True)
