"""CIFAR-10 and CIFAR-100 from an official archive, its extracted folder, npz, or PNG folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.datasets.archives import md5_of, read_members
from engine.datasets.cifar_layout import (
    LAYOUTS,
    PIXEL_BYTES,
    SIDE,
    Files,
    Layout,
    OfficialArchive,
)
from engine.datasets.folder import read_folder, sub_folders
from engine.datasets.image_data import ImageData, Images, Labels
from engine.datasets.npz import read_npz
from engine.datasets.restricted_pickle import read_pickle
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

Part = tuple[Images, Labels]
Reader = Callable[[str], bytes]


def default_cache_dir() -> Path:
    """Folder of downloaded archives: `NASW_DATA_DIR`, or a folder in the user's cache."""
    given = os.environ.get("NASW_DATA_DIR")
    if given:
        return Path(given).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "nas-workbench"


def load_cifar(spec: DataSpec, cache_dir: Path | None) -> ImageData:
    """Load `spec.name` (cifar10 or cifar100) from `spec.path` or from a downloaded archive.

    Nothing is downloaded here; see `fetch`. Labels of CIFAR-100 are the 100 fine ones. A path
    may be: an official `.tar.gz` (its MD5 is checked), a folder with the extracted binary or
    python files (sizes and counts are checked), an npz file, or a folder of PNG class folders.

    Raises:
        DataError: nothing there, damaged, or not this data set.
    """
    layout = LAYOUTS[spec.name]
    if spec.path is None:
        return _from_archive(layout, _downloaded(layout, cache_dir or default_cache_dir()))
    path = Path(spec.path).expanduser()
    if path.is_dir():
        return _from_folder(layout, path)
    if not path.is_file():
        raise DataError(
            f"{path}: there is no such file or folder; set data.path to {layout.title}."
        )
    if path.suffix.lower() == ".npz":
        return _checked(layout, read_npz(path, layout.name, layout.classes))
    return _from_archive(layout, path)


def _downloaded(layout: Layout, folder: Path) -> Path:
    for archive in layout.archives:
        if (folder / archive.file_name).is_file():
            return folder / archive.file_name
    raise DataError(
        f"{layout.title} is not in {folder}; run `python -m engine data fetch {layout.name}`, or "
        f"set data.path to an archive or folder that you have."
    )


def _from_archive(layout: Layout, path: Path) -> ImageData:
    files = _official_files(layout, path)
    members = read_members(path, [f"{files.folder}/{name}" for name in files.names])
    return _assemble(layout, files, lambda name: members[f"{files.folder}/{name}"], path)


def _official_files(layout: Layout, path: Path) -> Files:
    """Tell by its MD5 which official archive a file is.

    Raises:
        DataError: it is none; a re-packed archive is welcome as an extracted folder, whose
            files are checked one by one.
    """
    md5 = md5_of(path)
    for files in (layout.binary, layout.python):
        if files.archive.md5 == md5:
            return files
    for other in LAYOUTS.values():
        if md5 in {archive.md5 for archive in other.archives}:
            raise DataError(
                f"{path}: this is the archive of {other.title}; set data.name to {other.name}."
            )
    known = " or ".join(_describe(archive) for archive in layout.archives)
    raise DataError(
        f"{path}: its MD5 is {md5}, the official one is {known}; the file is damaged or was "
        f"packed anew. Download it again, or extract it and set data.path to the folder."
    )


def _describe(archive: OfficialArchive) -> str:
    return f"{archive.md5} ({archive.file_name})"


def _from_folder(layout: Layout, root: Path) -> ImageData:
    for files in (layout.binary, layout.python):
        for folder in (root, root / files.folder):
            present = [name for name in files.names if (folder / name).is_file()]
            if not present:
                continue
            missing = sorted(set(files.names) - set(present))
            if missing:
                raise DataError(
                    f"{folder}: `{missing[0]}` is missing; extract the whole archive "
                    f"{files.archive.file_name}."
                )
            return _assemble(layout, files, _file_reader(folder), folder)
    if not sub_folders(root):
        raise DataError(
            f"{root}: there are neither the files of {layout.title} ({layout.binary.test} or "
            f"{layout.python.test}) nor class folders; set data.path to an archive, its extracted "
            f"folder, or a folder of pictures."
        )
    return _checked(layout, read_folder(root, None, layout.name))


def _file_reader(folder: Path) -> Reader:
    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise DataError(
                f"{folder / name}: the file cannot be read ({error.strerror})."
            ) from None

    return read


def _assemble(layout: Layout, files: Files, read: Reader, where: Path) -> ImageData:
    decode = _decode_binary if files is layout.binary else _decode_python
    per_file = layout.train_images // len(files.train)
    parts = [decode(layout, read(name), f"{where}/{name}", per_file) for name in files.train]
    test = decode(layout, read(files.test), f"{where}/{files.test}", layout.test_images)
    return ImageData(
        name=layout.name,
        images=np.concatenate([images for images, _ in parts]),
        labels=np.concatenate([labels for _, labels in parts]),
        test_images=test[0],
        test_labels=test[1],
        classes=layout.classes,
        source=str(where),
    )


def _decode_binary(layout: Layout, data: bytes, where: str, count: int) -> Part:
    record = layout.label_bytes + PIXEL_BYTES
    if len(data) != count * record:
        raise DataError(
            f"{where}: the file has {len(data)} bytes; {count} images of {layout.title} take "
            f"{count * record}. Extract or download the archive again."
        )
    rows = np.frombuffer(data, np.uint8).reshape(count, record)
    labels = rows[:, layout.label_bytes - 1].astype(np.int64)
    return _part(layout, rows[:, layout.label_bytes :], labels, where)


def _decode_python(layout: Layout, data: bytes, where: str, count: int) -> Part:
    entries = read_pickle(data, where)
    for key in ("data", layout.label_key):
        if key not in entries:
            raise DataError(f"{where}: `{key}` is missing; this is not a file of {layout.title}.")
    pixels, labels = entries["data"], entries[layout.label_key]
    if pixels.dtype != np.uint8 or pixels.shape != (count, PIXEL_BYTES):
        raise DataError(
            f"{where}: `data` is {pixels.dtype} {pixels.shape}; {layout.title} has uint8 "
            f"{(count, PIXEL_BYTES)} there."
        )
    if labels.shape != (count,):
        raise DataError(
            f"{where}: `{layout.label_key}` has the shape {labels.shape}; there must be {count} "
            f"labels."
        )
    return _part(layout, pixels, labels.astype(np.int64), where)


def _part(layout: Layout, pixels: np.ndarray, labels: Labels, where: str) -> Part:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(layout.classes):
        raise DataError(
            f"{where}: there are labels from {low} to {high}; {layout.title} has labels from 0 "
            f"to {len(layout.classes) - 1}."
        )
    planes = pixels.reshape(-1, 3, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def _checked(layout: Layout, data: ImageData) -> ImageData:
    """Return data of npz or PNG origin if they can be this data set or a part of it."""
    if data.images.shape[1:] != (SIDE, SIDE, 3):
        raise DataError(
            f"{data.source}: the images have the shape {data.images.shape[1:]}; {layout.title} "
            f"has {(SIDE, SIDE, 3)}. For other images set data.name to npz or folder."
        )
    if len(data.classes) != len(layout.classes):
        raise DataError(
            f"{data.source}: there are {len(data.classes)} classes; {layout.title} has "
            f"{len(layout.classes)}. For other images set data.name to npz or folder."
        )
    return data
