"""What pages show of a data set: facts, and small pictures of a fixed part of its images.

    <data folder>/datasets/previews/<name>/preview.json
    <data folder>/datasets/previews/<name>/pictures.npz

Loading CIFAR takes seconds and the digits need scikit-learn, so that pages never load a data set;
they read this, which is made once and again when the data set has become another.
"""

from __future__ import annotations

import os
import secrets
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.datasets.cifar_layout import LAYOUTS
from engine.datasets.image_data import ImageData, Images, Labels
from engine.datasets.imported import Counts, counts_of, imported_names, read_imported
from engine.datasets.prepare import channel_statistics
from engine.datasets.registry import DATASETS, load
from engine.datasets.stratify import stratified_order
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

FACTS, PICTURES = "preview.json", "pictures.npz"
MOST_PICTURES = 6000
MOST_BYTES = 32 * 2**20
LARGEST_SIDE = 96
_SEED = 0


class Preview(BaseModel):
    """Facts of a data set.

    Attributes:
        version: of this form.
        name: of the data set. stamp: what it was made from; another stamp, another preview.
        source: where the images came from. classes: names. counts: images of each.
        height, width, channels: of the images.
        mean, std: of each channel over all training images, scaled to 0..1.
        fingerprint: hex SHA-256 over images and labels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    name: str
    stamp: str
    source: str
    classes: tuple[str, ...]
    counts: Counts
    height: int
    width: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str


@dataclass(frozen=True)
class Pictures:
    """Small pictures of one part, uint8 (N, H, W, C), with their labels, in a mixed order."""

    images: Images
    labels: Labels


def data_spec(name: str, cache_dir: Path) -> DataSpec:
    """Return how an experiment names a data set of the lab.

    Args:
        name: registered name, or that of an imported data set.
        cache_dir: folder of the lab's data sets.

    Raises:
        DataError: there is none of this name.
    """
    if name in imported_names(cache_dir):
        return DataSpec(name="imported", path=name)
    if name not in DATASETS or DATASETS[name].needs_path:
        own = [key for key, info in DATASETS.items() if not info.needs_path]
        known = ", ".join([*own, *imported_names(cache_dir)])
        raise DataError(f"There is no data set `{name:.100}`; there are: {known}.")
    return DataSpec(name=name)


def stamp_of(name: str, cache_dir: Path) -> str | None:
    """Return what tells one state of a data set from another, None where it is not there."""
    if name in imported_names(cache_dir):
        return read_imported(cache_dir, name).fingerprint
    if name not in LAYOUTS:
        return f"scikit-learn {metadata.version('scikit-learn')}"
    for archive in LAYOUTS[name].archives:
        path = cache_dir / archive.file_name
        if path.is_file():
            found = path.stat()
            return f"{path.name} {found.st_size} {found.st_mtime_ns}"
    return None


def make_preview(name: str, cache_dir: Path, data: ImageData | None = None) -> Preview:
    """Make the preview of a data set, or make it anew.

    Args:
        name: see `data_spec`.
        cache_dir: folder of the lab's data sets.
        data: its images, where they are in memory already.

    Raises:
        DataError: the data set is not there or cannot be read, or the disk cannot be written.
    """
    spec = data_spec(name, cache_dir)
    stamp = stamp_of(name, cache_dir)
    found = data or load(spec, cache_dir)
    mean, std = channel_statistics(found.images)
    height, width, channels = found.images.shape[1:]
    preview = Preview(
        name=name,
        stamp=stamp or "",
        source=found.source,
        classes=found.classes,
        counts=counts_of(found),
        height=height,
        width=width,
        channels=channels,
        mean=mean,
        std=std,
        fingerprint=found.fingerprint,
    )
    arrays = dict(zip(("images", "labels"), _some(found.images, found.labels, found), strict=True))
    if found.test_images is not None and found.test_labels is not None:
        some = _some(found.test_images, found.test_labels, found)
        arrays |= dict(zip(("test_images", "test_labels"), some, strict=True))
    _write(_place(name, cache_dir), preview, lambda path: np.savez(path, **arrays))
    return preview


def read_preview(name: str, cache_dir: Path) -> Preview | None:
    """Return the preview of a data set, None where there is none of its present state."""
    try:
        found = Preview.model_validate_json((_place(name, cache_dir) / FACTS).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.stamp == stamp_of(name, cache_dir) else None


def read_pictures(name: str, cache_dir: Path, test: bool = False) -> Pictures:
    """Return the small pictures of the training or test part.

    Raises:
        DataError: there is no such part, or the file is damaged; make the preview anew.
    """
    prefix = "test_" if test else ""
    path = _place(name, cache_dir) / PICTURES
    try:
        with np.load(path, allow_pickle=False) as file:
            return Pictures(file[f"{prefix}images"], file[f"{prefix}labels"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: the small pictures cannot be read ({error}).") from None


def forget_preview(name: str, cache_dir: Path) -> None:
    """Delete the preview of a data set, if there is one."""
    shutil.rmtree(_place(name, cache_dir), ignore_errors=True)


def _place(name: str, cache_dir: Path) -> Path:
    return cache_dir / "previews" / name


def _some(images: Images, labels: Labels, data: ImageData) -> tuple[Images, Labels]:
    """Return some images, made small, with the classes in proportion and in a mixed order."""
    height, width, channels = images.shape[1:]
    scale = min(1.0, LARGEST_SIDE / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    most = min(MOST_PICTURES, MOST_BYTES // (size[0] * size[1] * channels))
    rng = np.random.default_rng(_SEED)
    rows = stratified_order(labels, len(data.classes), rng)[:most]
    if scale == 1.0:
        return images[rows], labels[rows]
    small = np.empty((len(rows), size[1], size[0], channels), np.uint8)
    for place, row in enumerate(rows):
        picture = Image.fromarray(images[row].squeeze(2) if channels == 1 else images[row])
        shrunk = np.asarray(picture.resize(size, Image.Resampling.BOX))
        small[place] = shrunk[:, :, None] if channels == 1 else shrunk
    return small, labels[rows]


def _write(place: Path, preview: Preview, save: Callable[[Path], None]) -> None:
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        save(draft / PICTURES)
        (draft / FACTS).write_text(preview.model_dump_json(indent=1), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        os.rename(draft, place)
    except OSError as error:
        raise DataError(f"{place}: the preview cannot be written ({error.strerror}).") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
