"""Data sets that a lab has brought itself, kept in one form whatever they came from.

    <data folder>/datasets/imported/<name>/data.npz        images and labels, no pickle
    <data folder>/datasets/imported/<name>/dataset.json    what they are and where they come from

A folder appears under its name only when it is complete.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.datasets.cifar import default_cache_dir
from engine.datasets.image_data import ImageData
from engine.datasets.npz import read_npz
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

FOLDER = "imported"
ARRAYS, HEADER = "data.npz", "dataset.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", re.ASCII)


class Counts(BaseModel):
    """Images of each class, in the order of the classes; `test` is None without a test set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: tuple[int, ...]
    test: tuple[int, ...] | None = None


class Imported(BaseModel):
    """What is written of an imported data set.

    Attributes:
        version: of this form.
        name: how experiments name it, in `data.path`.
        title: name for people.
        kind: what it was imported from: zip, npz, folder or huggingface.
        origin: file, folder or id that it came from, and what was left out.
        imported: when, as an ISO time in UTC.
        classes: names. counts: images of each.
        height, width: of the images in pixels. channels: 1 or 3.
        fingerprint: hex SHA-256 over the images and labels, see `ImageData.fingerprint`.
        left_out: files that could not be used, see `FileProblems.to_json`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    name: str
    title: str
    kind: str
    origin: str
    imported: str
    classes: tuple[str, ...] = Field(min_length=2)
    counts: Counts
    height: int
    width: int
    channels: int
    fingerprint: str
    left_out: dict[str, Any]

    @property
    def images(self) -> int:
        """Return the number of all images."""
        return sum(self.counts.train) + sum(self.counts.test or ())


def counts_of(data: ImageData) -> Counts:
    """Count the images of each class in both parts of a source."""
    wide = len(data.classes)
    tests = data.test_labels
    return Counts(
        train=tuple(np.bincount(data.labels, minlength=wide).tolist()),
        test=None if tests is None else tuple(np.bincount(tests, minlength=wide).tolist()),
    )


def imported_folder(cache_dir: Path | None) -> Path:
    """Return the folder of all imported data sets."""
    return (cache_dir or default_cache_dir()) / FOLDER


def imported_names(cache_dir: Path | None) -> list[str]:
    """Return the names of the imported data sets, sorted."""
    folder = imported_folder(cache_dir)
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [p.name for p in found if _NAME.fullmatch(p.name) and (p / HEADER).is_file()]


def read_imported(cache_dir: Path | None, name: str) -> Imported:
    """Return what is written of an imported data set.

    Raises:
        DataError: there is none of this name, or what is written is damaged.
    """
    place = _place(cache_dir, name)
    try:
        return Imported.model_validate_json((place / HEADER).read_bytes())
    except (OSError, ValidationError) as error:
        why = "its description does not fit" if isinstance(error, ValidationError) else str(error)
        raise _damaged(place, why) from None


def load_imported(spec: DataSpec, cache_dir: Path | None) -> ImageData:
    """Load the imported data set that `spec.path` names.

    Raises:
        DataError: there is none of this name, or it is not what was imported.
    """
    if spec.path is None:
        raise DataError("data.path: give the name of an imported data set.")
    found = read_imported(cache_dir, spec.path)
    place = _place(cache_dir, found.name)
    data = read_npz(place / ARRAYS, "imported")
    if data.fingerprint != found.fingerprint or data.classes != found.classes:
        raise _damaged(place, "its images are not those that were imported")
    return data


def problem_of(name: str, cache_dir: Path | None) -> str | None:
    """Return why no experiment can use the name, None where one can."""
    known = imported_names(cache_dir)
    if name in known:
        return None
    return f"there is no imported data set `{name:.100}`; there are: {', '.join(known) or 'none'}."


def require_free(cache_dir: Path | None, name: str, taken: tuple[str, ...] = ()) -> Path:
    """Return the folder of a data set to be imported.

    Args:
        cache_dir: folder of the lab's data sets.
        name: wanted.
        taken: further names that are in use.

    Raises:
        DataError: the name is impossible or in use.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"--name: a data set's name has up to 80 letters, digits, `-` and `_`; given was "
            f"`{name:.100}`."
        )
    place = imported_folder(cache_dir) / name
    if name in taken or place.exists():
        raise DataError(f"--name: there is a data set `{name}` already; give it another name.")
    return place


def save(place: Path, header: Imported, data: ImageData) -> None:
    """Write a data set; it is there completely or not at all.

    Raises:
        DataError: the name is in use, or the disk is full or not writable.
    """
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    arrays: dict[str, Any] = {
        "x_train": data.images,
        "y_train": data.labels,
        "classes": np.array(data.classes),
    }
    if data.test_images is not None and data.test_labels is not None:
        arrays |= {"x_test": data.test_images, "y_test": data.test_labels}
    try:
        draft.mkdir(parents=True)
        np.savez(draft / ARRAYS, **arrays)
        (draft / HEADER).write_text(header.model_dump_json(indent=1), encoding="utf-8")
        os.rename(draft, place)
    except OSError as error:
        raise DataError(
            f"Cannot write the data set to {place}: {error.strerror}. Free some disk space or set "
            "NASW_DATA to another folder."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def delete_imported(cache_dir: Path | None, name: str) -> None:
    """Delete an imported data set for good.

    Raises:
        DataError: there is none of this name, or it cannot be deleted.
    """
    place = _place(cache_dir, name)
    aside = place.with_name(f".{name}.{secrets.token_hex(4)}")
    try:
        os.rename(place, aside)  # at once, so that nobody loads one that is half there
        shutil.rmtree(aside)
    except OSError as error:
        raise DataError(f"{place}: it cannot be deleted ({error.strerror}).") from None


def _place(cache_dir: Path | None, name: str) -> Path:
    problem = problem_of(name, cache_dir)
    if problem is not None:
        raise DataError(f"data.path: {problem}")
    return imported_folder(cache_dir) / name


def _damaged(place: Path, why: str) -> DataError:
    return DataError(f"The data set {place} is damaged ({why}); delete it and import it again.")
