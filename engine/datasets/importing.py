"""From a source of labelled images to an imported data set: the kinds that are known."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from engine.datasets.file_problems import FileProblems
from engine.datasets.hub import HubChoice, read_hub
from engine.datasets.image_data import ImageData
from engine.datasets.imported import Imported, counts_of, require_free, save
from engine.datasets.npz import read_npz
from engine.datasets.picture_files import PictureFiles, Report, read_all
from engine.datasets.picture_tree import Tree, read_tree
from engine.datasets.pictures import resize_images
from engine.datasets.preview import make_preview
from engine.datasets.registry import DATASETS
from engine.datasets.stored_pictures import StoredPictures
from engine.datasets.zip_pictures import ZipPictures, opened
from engine.spec.errors import DataError


@dataclass(frozen=True)
class ImportChoice:
    """How a source is to be read.

    Attributes:
        resolution: height and width to which images are brought; None leaves them as they are.
        skip: leave out files that cannot be used instead of refusing the source.
        title: name for people; empty: the name of the data set.
        hub: what to take of a data set from Hugging Face.
    """

    resolution: int | None = None
    skip: bool = False
    title: str = ""
    hub: HubChoice = HubChoice()


Found = tuple[ImageData, FileProblems]
Reader = Callable[[str, Path, ImportChoice, Report], Found]


def import_data(
    kind: str, source: str, name: str, cache_dir: Path, choice: ImportChoice, report: Report
) -> Imported:
    """Read a source and keep it as a data set of the lab, with its preview.

    Args:
        kind: one of `KINDS`.
        source: file, folder, or id at Hugging Face.
        name: of the data set.
        cache_dir: folder of the lab's data sets.
        choice: how to read it.
        report: see `Report`.

    Raises:
        DataError: the source cannot be used, or the name is in use; nothing was kept.
    """
    if kind not in KINDS:
        raise DataError(f"`{kind:.40}` cannot be imported; known are: {', '.join(KINDS)}.")
    place = require_free(cache_dir, name, tuple(DATASETS.names()))
    data, problems = KINDS[kind][1](source, cache_dir, choice, report)
    counts = counts_of(data)
    for part, numbers in (("training", counts.train), ("test", counts.test or counts.train)):
        if 0 in numbers:
            raise DataError(
                f"{data.source}: the class `{data.classes[numbers.index(0)]}` has no image in the "
                f"{part} part; add some, or take the class out."
            )
    report("Keeping the data set", 0, None)
    height, width, channels = data.images.shape[1:]
    header = Imported(
        name=name,
        title=choice.title.strip()[:100] or name,
        kind=kind,
        origin=data.source,
        imported=datetime.now(UTC).isoformat(timespec="seconds"),
        classes=data.classes,
        counts=counts,
        height=height,
        width=width,
        channels=channels,
        fingerprint=data.fingerprint,
        left_out=problems.to_json(),
    )
    save(place, header, data)
    with suppress(DataError):  # the data set is complete; a page makes its preview again
        make_preview(name, cache_dir, data)
    return header


# -- kinds --------------------------------------------------------------------------------------
def _zip(source: str, cache_dir: Path, choice: ImportChoice, report: Report) -> Found:
    path = Path(source).expanduser()
    with opened(path) as archive:
        tree = read_tree([info.filename for info in archive.infolist()], path.name)
        files = ZipPictures(archive, [item.name for item in tree.placed])
        return _pictures(path.name, tree, files, choice, report)


def _folder(source: str, cache_dir: Path, choice: ImportChoice, report: Report) -> Found:
    root = Path(source).expanduser()
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder.")
    names = [
        (Path(folder) / name).relative_to(root).as_posix()
        for folder, _, inside in os.walk(root)
        for name in inside
    ]
    tree = read_tree(names, str(root))
    files = StoredPictures(root, [item.name for item in tree.placed])
    return _pictures(str(root), tree, files, choice, report)


def _npz(source: str, cache_dir: Path, choice: ImportChoice, report: Report) -> Found:
    report("Reading the file", 0, None)
    path = Path(source).expanduser()
    try:
        data = read_npz(path)
    except DataError as error:
        raise DataError(str(error).replace(str(path), path.name)) from None
    tests = data.test_images
    if choice.resolution is not None:
        data = replace(
            data,
            images=resize_images(data.images, choice.resolution),
            test_images=None if tests is None else resize_images(tests, choice.resolution),
        )
    return replace(data, source=path.name), FileProblems()


def _hub(source: str, cache_dir: Path, choice: ImportChoice, report: Report) -> Found:
    return read_hub(source, cache_dir, choice.hub, choice.resolution, choice.skip, report)


KINDS: dict[str, tuple[str, Reader]] = {
    "zip": ("a ZIP archive of pictures, one folder per class", _zip),
    "npz": ("a numpy file with x_train and y_train", _npz),
    "folder": ("a folder of pictures, one sub-folder per class", _folder),
    "huggingface": ("a data set at Hugging Face, by its id", _hub),
}


def _pictures(
    where: str, tree: Tree, files: PictureFiles, choice: ImportChoice, report: Report
) -> Found:
    """Decode the pictures of a tree and label them by their folders."""
    images, kept, problems = read_all(
        files, choice.resolution, choice.skip, report, tree.misplaced
    )
    placed = [item for item, keep in zip(tree.placed, kept, strict=True) if keep]
    numbers = {label: number for number, label in enumerate(tree.classes)}
    labels = np.array([numbers[item.label] for item in placed], np.int64)
    test = np.array([item.test for item in placed], bool)
    tested = tree.has_test
    if tested and (test.all() or not test.any()):
        raise DataError(f"{where}: one of the two parts has no picture that can be read.")
    notes = [note for note in (tree.note, _left_out(problems)) if note]
    return (
        ImageData(
            name="imported",
            images=images[~test],
            labels=labels[~test],
            test_images=images[test] if tested else None,
            test_labels=labels[test] if tested else None,
            classes=tree.classes,
            source=where + (f" ({', '.join(notes)})" if notes else ""),
        ),
        problems,
    )


def _left_out(problems: FileProblems) -> str:
    return f"{problems.count} unusable left out" if problems.count else ""
