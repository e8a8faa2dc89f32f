"""The bridge between the Datasets page and the data sets of the lab: facts, pictures, tasks.

Pages load no data set. What they show was prepared by `python -m engine data preview` in a process
of its own, which is started here the first time that somebody looks.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import streamlit as st

from app import client
from app.background import Task, TaskError
from engine.datasets.cifar_layout import LAYOUTS
from engine.datasets.imported import Imported, delete_imported, imported_names, read_imported
from engine.datasets.preview import (
    Pictures,
    Preview,
    data_spec,
    forget_preview,
    read_pictures,
    read_preview,
    stamp_of,
)
from engine.datasets.registry import DATASETS
from engine.datasets.splits import Split, make_split
from engine.lab_folders import data_folder
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

if TYPE_CHECKING:
    from workers.client import RunSummary

IMPORT, FETCH, PREVIEW = "data:import:", "data:fetch:", "data:preview:"
UPLOAD_MB = 1024
_KEPT_UPLOADS_SECONDS = 86_400


@dataclass(frozen=True)
class Known:
    """A data set as the page knows it.

    Attributes:
        name: unique; registered, or given at the import.
        title, description: for people.
        spec: how an experiment names it.
        present: its images are on this machine.
        imported: what is written of it, None for those that come along.
        preview: what can be shown, None until it was made.
        fault: why it cannot be used; empty where it can.
    """

    name: str
    title: str
    description: str
    spec: DataSpec
    present: bool
    imported: Imported | None = None
    preview: Preview | None = None
    fault: str = ""


def folder() -> Path:
    """Return the folder of the lab's data sets."""
    return data_folder() / "datasets"


def known() -> list[Known]:
    """Return all data sets: the lab's own, newest first, then those that come along."""
    own = sorted(
        (_own(name) for name in imported_names(folder())),
        key=lambda item: item.imported.imported if item.imported else "",
        reverse=True,
    )
    always = sorted(DATASETS.items(), key=lambda pair: (pair[1].can_fetch, pair[0]))
    return own + [_registered(name) for name, info in always if not info.needs_path]


def find(name: str) -> Known | None:
    """Return a data set by its name, None where there is none."""
    return next((item for item in known() if item.name == name), None)


def _own(name: str) -> Known:
    spec = DataSpec(name="imported", path=name)
    try:
        found = read_imported(folder(), name)
    except DataError as error:
        return Known(name, name, "", spec, present=False, fault=str(error))
    preview = read_preview(name, folder())
    return Known(name, found.title, found.origin, spec, True, found, preview)


def _registered(name: str) -> Known:
    info = DATASETS[name]
    return Known(
        name,
        info.title,
        info.description,
        data_spec(name, folder()),
        present=stamp_of(name, folder()) is not None,
        preview=read_preview(name, folder()),
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _pictures(name: str, stamp: str, test: bool) -> Pictures:
    return read_pictures(name, folder(), test)


def pictures(preview: Preview, test: bool = False) -> Pictures:
    """Return small pictures of a data set; those looked at last stay in memory."""
    return _pictures(preview.name, preview.stamp, test)


def split(preview: Preview, spec: DataSpec) -> Split:
    """Return the split that an experiment would make, as far as counts go.

    How many images of each class come into each part depends on how many there are, not on which
    they are, so that the labels themselves are not needed.

    Raises:
        DataError: the split is impossible.
    """
    tests = preview.counts.test
    return make_split(
        _labels(preview.counts.train),
        None if tests is None else _labels(tests),
        preview.classes,
        spec,
    )


def _labels(counts: Sequence[int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def used_by(item: Known) -> list[RunSummary]:
    """Return the runs that use a data set of the lab's own, newest first."""
    if item.imported is None:
        return []
    runs = [run for run in client.runs() if run.data == item.spec.name]
    return [run for run in runs if client.spec(run.run_id).data.path == item.name]


# -- tasks ----------------------------------------------------------------------------------------
@dataclass
class Source:
    """What an import was asked to read, kept until its outcome was seen.

    Attributes:
        arguments: of the command line.
        title: of the task.
        upload: the uploaded file, None for one that lies on the server anyway.
    """

    arguments: list[str]
    title: str
    upload: Path | None = None


@dataclass
class _Sources:
    by_key: dict[str, Source] = field(default_factory=dict)


@st.cache_resource(show_spinner=False)
def _sources() -> _Sources:
    return _Sources()


def want_preview(name: str) -> Task | None:
    """Return the task that makes a preview, started now where there is none yet."""
    tasks = client.tasks()
    if tasks.get(PREVIEW + name) is None:
        with suppress(TaskError):  # another viewer was faster
            tasks.start(PREVIEW + name, f"Looking through {name}", ["data", "preview", name])
    return tasks.get(PREVIEW + name)


def start_import(name: str, source: Source) -> None:
    """Import in the background.

    Raises:
        TaskError: one under this name is under way.
    """
    client.tasks().start(IMPORT + name, source.title, source.arguments)
    _sources().by_key[IMPORT + name] = source


def start_fetch(name: str) -> None:
    """Fetch an official archive in the background.

    Raises:
        TaskError: that is under way already.
    """
    client.tasks().start(FETCH + name, f"Fetching {DATASETS[name].title}", ["data", "fetch", name])


def import_without(key: str) -> None:
    """Start an import again that leaves out what cannot be used.

    Raises:
        TaskError: it is under way.
    """
    source = _sources().by_key[key]
    again = [*source.arguments, "--skip-unreadable"]
    start_import(key.removeprefix(IMPORT), Source(again, source.title, source.upload))


def can_repeat(key: str) -> bool:
    """Tell whether the source of an import is still known."""
    source = _sources().by_key.get(key)
    return source is not None and (source.upload is None or source.upload.exists())


def settle(key: str) -> None:
    """Forget an ended task, and delete what was uploaded for it."""
    source = _sources().by_key.pop(key, None)
    if source is not None and source.upload is not None:
        _drop_upload(source.upload)
    client.tasks().forget(key)


def delete(name: str) -> None:
    """Delete an imported data set for good.

    Raises:
        DataError: there is none of this name, or it cannot be deleted.
    """
    delete_imported(folder(), name)
    forget_preview(name, folder())


def keep_upload(file: IO[bytes], name: str) -> Path:
    """Write an upload to disk, where a task can read it; forgotten ones are deleted after a day.

    Args:
        file: the upload.
        name: what its owner calls it; kept as far as it is harmless, for messages.

    Raises:
        DataError: the disk is full or not writable.
    """
    place = folder() / "uploads"
    path = place / secrets.token_hex(8) / re.sub(r"[^\w.-]+", "_", Path(name).name)[-100:]
    try:
        path.parent.mkdir(parents=True)
        for old in place.iterdir():
            if time.time() - old.stat().st_mtime > _KEPT_UPLOADS_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
        with path.open("wb") as target:
            shutil.copyfileobj(file, target)
    except OSError as error:
        _drop_upload(path)
        raise DataError(f"{place}: the upload cannot be stored ({error.strerror}).") from None
    return path


def _drop_upload(path: Path) -> None:
    shutil.rmtree(path.parent, ignore_errors=True)


def name_from(text: str) -> str:
    """Return a name for a data set, made of a file's name or an id."""
    stem = re.sub(r"\.(zip|npz)$", "", text.rstrip("/").rpartition("/")[2], flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:80]


def fetchable(name: str) -> bool:
    """Tell whether a data set has an official archive."""
    return name in LAYOUTS
