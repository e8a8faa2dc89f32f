"""Pictures in folders: one sub-folder per class, with or without train/ and test/ above them.

    photos/cat/1.jpg, photos/dog/2.png              no test set; one is split off later
    photos/train/cat/1.jpg, photos/test/cat/9.jpg   test/ may also be called val/

Where grey and coloured pictures are mixed, all become coloured (three channels).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.datasets.image_data import MAX_BYTES, ImageData, Images, Labels
from engine.datasets.pictures import SUFFIXES, read_header, read_picture
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

TRAIN = "train"
TESTS = ("test", "val", "valid", "validation")


@dataclass(frozen=True)
class _Tree:
    """The pictures of one part in the order of class and file name."""

    root: Path
    classes: tuple[str, ...]
    files: tuple[tuple[Path, ...], ...]
    ignored: int

    @property
    def paths(self) -> list[Path]:
        return [path for group in self.files for path in group]

    @property
    def labels(self) -> Labels:
        counts = [len(group) for group in self.files]
        return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def load_folder(spec: DataSpec, cache_dir: Path | None) -> ImageData:
    """Read the image tree at `spec.path`, every picture brought to `spec.resolution` if set.

    Raises:
        DataError: no classes, one class, an empty class, an unreadable file, or mixed sizes
            without a resolution; the message names the class or file.
    """
    if spec.path is None:
        raise DataError("data.path: give the folder that has one sub-folder per class.")
    return read_folder(Path(spec.path).expanduser(), spec.resolution)


def read_folder(root: Path, resolution: int | None, name: str = "folder") -> ImageData:
    """Read an image tree; see `load_folder`.

    Args:
        root: folder of class folders, or of `train/` and `test/` (or `val/`).
        resolution: height and width in pixels, None where all pictures have one size.
        name: registered name that the data carry.
    """
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; set data.path to a folder of classes.")
    train, test, note = _parts(root)
    paths = train.paths + (test.paths if test else [])
    height, width, channels = _common_shape(paths, resolution)
    size = len(paths) * height * width * channels
    if size > MAX_BYTES:
        raise DataError(
            f"{root}: {len(paths)} pictures of {height}x{width} take {size / 2**30:.1f} GiB; at "
            f"most {MAX_BYTES // 2**30} GiB are read, set data.resolution to a smaller number."
        )
    images = _read_all(paths, (height, width, channels), resolution)
    count = len(train.labels)
    return ImageData(
        name=name,
        images=images[:count],
        labels=train.labels,
        test_images=images[count:] if test else None,
        test_labels=test.labels if test else None,
        classes=train.classes,
        source=f"{root}{note}",
    )


def _parts(root: Path) -> tuple[_Tree, _Tree | None, str]:
    """Return the training tree, the test tree if there is one, and what was left out."""
    folders = {folder.name: folder for folder in sub_folders(root)}
    if TRAIN not in folders or not sub_folders(folders[TRAIN]):
        train = _scan(root)
        return train, None, _note(train.ignored, [])
    tests = [name for name in TESTS if name in folders]
    others = sorted(set(folders) - {TRAIN, *TESTS})
    if others:
        raise DataError(
            f"{root}: next to train/ there may be test/ or val/, not `{others[0]}`; move it away."
        )
    train = _scan(folders[TRAIN])
    if not tests:
        return train, None, _note(train.ignored, [])
    test = _scan(folders[tests[0]])
    for part, other in ((train, test), (test, train)):
        missing = sorted(set(other.classes) - set(part.classes))
        if missing:
            raise DataError(
                f"{part.root}: the class `{missing[0]}` of {other.root} is missing here; both "
                f"parts must have the same classes."
            )
    return train, test, _note(train.ignored + test.ignored, tests[1:])


def _scan(root: Path) -> _Tree:
    folders = sub_folders(root)
    if not folders:
        raise DataError(
            f"{root}: there are no classes; make one sub-folder per class and put its pictures "
            f"into it."
        )
    if len(folders) == 1:
        raise DataError(
            f"{root}: there is only one class, `{folders[0].name}`; classification needs two."
        )
    groups, ignored = [], 0
    for folder in folders:
        pictures, others = _pictures(folder)
        if not pictures:
            raise DataError(
                f"{folder}: the class `{folder.name}` has no pictures; add some or remove the "
                f"folder."
            )
        groups.append(tuple(pictures))
        ignored += others
    return _Tree(root, tuple(folder.name for folder in folders), tuple(groups), ignored)


def sub_folders(root: Path) -> list[Path]:
    """Return the folders in `root` by name, hidden ones left out.

    Raises:
        DataError: the folder cannot be read.
    """
    return [entry for entry in _entries(root) if entry.is_dir()]


def _pictures(folder: Path) -> tuple[list[Path], int]:
    """Return the picture files directly in a class folder, and how many others there are."""
    entries = _entries(folder)
    deeper = [entry for entry in entries if entry.is_dir()]
    if deeper:
        raise DataError(
            f"{deeper[0]}: there is a folder inside the class `{folder.name}`; pictures must lie "
            f"directly in the folder of their class."
        )
    pictures = [entry for entry in entries if entry.suffix.lower() in SUFFIXES]
    return pictures, len(entries) - len(pictures)


def _entries(folder: Path) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise DataError(f"{folder}: the folder cannot be read ({error.strerror}).") from None
    return [folder / name for name in names if not name.startswith(".")]


def _note(ignored: int, left_out: list[str]) -> str:
    notes = [f"{name}/ not used" for name in left_out]
    if ignored:
        notes.append(f"{ignored} other file{'s' if ignored > 1 else ''} ignored")
    return f" ({', '.join(notes)})" if notes else ""


def _common_shape(paths: list[Path], resolution: int | None) -> tuple[int, int, int]:
    with ThreadPoolExecutor(_threads()) as pool:
        headers = list(pool.map(read_header, paths))
    channels = 1 if all(header.grey for header in headers) else 3
    if resolution is not None:
        return resolution, resolution, channels
    first = headers[0]
    for path, header in zip(paths, headers, strict=True):
        if (header.width, header.height) != (first.width, first.height):
            raise DataError(
                f"The pictures have different sizes, for example {paths[0]} with "
                f"{first.width}x{first.height} and {path} with {header.width}x{header.height} "
                f"pixels; set data.resolution to bring all to one size."
            )
    return first.height, first.width, channels


def _read_all(paths: list[Path], shape: tuple[int, int, int], resolution: int | None) -> Images:
    images = np.empty((len(paths), *shape), np.uint8)

    def read(position: int) -> None:
        images[position] = read_picture(paths[position], shape[2], resolution)

    with ThreadPoolExecutor(_threads()) as pool:
        for _ in pool.map(read, range(len(paths))):
            pass
    return images


def _threads() -> int:
    return min(8, os.cpu_count() or 1)
