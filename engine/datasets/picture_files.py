"""Many pictures from whatever they lie in to one array, with a reason for each that cannot be.

The pictures are gone through twice: first only their headers, which settle size and channels
before memory is taken, then all of them. Those that cannot be used are gathered, not thrown at.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from engine.datasets.file_problems import FileProblems, UnusableFilesError
from engine.datasets.image_data import MAX_BYTES, Images
from engine.datasets.pictures import Header, read_header, read_picture
from engine.spec.errors import DataError

Report = Callable[[str, int, int | None], None]
"""Called with what is being done, how much of it is done, and the whole, None if unknown."""
Kept = npt.NDArray[np.bool_]
Shape = tuple[int, int, int]
T = TypeVar("T")
CHUNK = 128


@dataclass(frozen=True)
class PictureFile:
    """One picture as it lies there: its bytes, or why they cannot be had."""

    name: str
    data: bytes
    fault: str = ""


class PictureFiles(Protocol):
    """Pictures in a fixed order that can be gone through several times."""

    def __len__(self) -> int: ...

    def chunks(self) -> Iterator[Sequence[PictureFile]]:
        """Yield all pictures in pieces that fit into memory."""
        ...


class NamedPictures(ABC):
    """Pictures that are read by their names, `CHUNK` of them at a time.

    Args:
        names: in the order in which they are gone through.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def chunks(self) -> Iterator[Sequence[PictureFile]]:
        """Yield all pictures in pieces that fit into memory."""
        for start in range(0, len(self._names), CHUNK):
            yield [self._read(name) for name in self._names[start : start + CHUNK]]

    @abstractmethod
    def _read(self, name: str) -> PictureFile:
        """Return a picture, or why it cannot be had."""


def read_all(
    files: PictureFiles,
    resolution: int | None,
    skip: bool,
    report: Report,
    others: Sequence[tuple[str, str]] = (),
) -> tuple[Images, Kept, FileProblems]:
    """Decode pictures to one size and number of channels.

    Args:
        files: the pictures.
        resolution: height and width in pixels; None where all have one size.
        skip: leave out those that cannot be used.
        report: see `Report`.
        others: further files that cannot be used, with their reasons.

    Returns:
        uint8 (K, H, W, C) of the K usable pictures; which of the files they are; what is wrong
        with the others.

    Raises:
        UnusableFilesError: some cannot be used, and `skip` is off.
        DataError: mixed sizes without a resolution, more than fits into memory, or none left.
    """
    problems = FileProblems()
    for name, reason in others:
        problems.add(name, reason)
    kept = np.ones(len(files), bool)
    shape = _common_shape(files, resolution, kept, problems, report)
    if shape is None:
        raise _none_left(problems, skip, len(files) + len(others))
    images = np.empty((len(files), *shape), np.uint8)

    def decode(file: PictureFile) -> Images:
        return read_picture(file.name, shape[2], resolution, file.data)

    for position, image in _each(files, decode, kept, problems):
        images[position] = image
        report("Reading pictures", position + 1, len(files))
    if problems.count and not skip:
        raise UnusableFilesError(problems, len(files) + len(others))
    if not kept.any():
        raise _none_left(problems, skip, len(files) + len(others))
    return images if kept.all() else images[kept], kept, problems


def _common_shape(
    files: PictureFiles,
    resolution: int | None,
    kept: Kept,
    problems: FileProblems,
    report: Report,
) -> Shape | None:
    """Return height, width and channels of all, None where not one can be read."""
    first: tuple[str, Header] | None = None
    grey = True

    def header(file: PictureFile) -> tuple[str, Header]:
        return file.name, read_header(file.name, file.data)

    for position, (name, found) in _each(files, header, kept, problems):
        first = first or (name, found)
        grey = grey and found.grey
        if resolution is None and found.size != first[1].size:
            raise DataError(
                f"The pictures have different sizes, for example {first[0]} with "
                f"{_pixels(first[1])} and {name} with {_pixels(found)}; give a resolution, to "
                f"which all are brought."
            )
        report("Looking at the pictures", position + 1, len(files))
    if first is None:
        return None
    height, width = (first[1].height, first[1].width) if resolution is None else (resolution,) * 2
    shape = (height, width, 1 if grey else 3)
    size = len(files) * int(np.prod(shape))
    if size > MAX_BYTES:
        raise DataError(
            f"{len(files)} pictures of {height}x{width} take {size / 2**30:.1f} GiB; at most "
            f"{MAX_BYTES // 2**30} GiB are read, give a smaller resolution."
        )
    return shape


def _each(
    files: PictureFiles, work: Callable[[PictureFile], T], kept: Kept, problems: FileProblems
) -> Iterator[tuple[int, T]]:
    """Yield position and result for every picture that can be worked on; note the others."""

    def attempt(file: PictureFile) -> T | str:
        if file.fault:
            return file.fault
        try:
            return work(file)
        except DataError as error:
            return _reason(file.name, error)

    position = 0
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for chunk in files.chunks():
            wanted = [
                (place, file) for place, file in enumerate(chunk, start=position) if kept[place]
            ]
            results = pool.map(attempt, [file for _, file in wanted])
            for (place, file), result in zip(wanted, results, strict=True):
                if isinstance(result, str):
                    kept[place] = False
                    problems.add(file.name, result)
                else:
                    yield place, result
            position += len(chunk)


def _reason(name: str, error: DataError) -> str:
    """Return why a picture cannot be read, without its name and the advice, which are common."""
    text = str(error).removeprefix(f"{name}: ")
    return text.partition("; ")[0].rstrip(".")


def _none_left(problems: FileProblems, skip: bool, of: int) -> DataError:
    if not skip:
        return UnusableFilesError(problems, of)
    if not problems.listed:
        return DataError("There are no pictures.")
    name, reason = problems.listed[0]
    return DataError(f"None of the pictures can be read; the first is {name}: {reason}.")


def _pixels(header: Header) -> str:
    return f"{header.width}x{header.height} pixels"
