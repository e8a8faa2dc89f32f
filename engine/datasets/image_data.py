"""Labelled images in memory, checked once, from whatever source they came."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.spec.errors import DataError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

ARRAYS = ("images", "labels", "test_images", "test_labels")
MAX_BYTES = 16 * 2**30
"""Largest set of images that is taken into memory: data sets live on the device as uint8."""


@dataclass(frozen=True, eq=False)
class ImageData:
    """A classification data set; its arrays cannot be written to.

    Args:
        name: registered name of the data set.
        images: uint8 (N, H, W, C) with C 1 (grey) or 3 (red, green, blue).
        labels: int64 (N,), positions in `classes`.
        test_images: uint8 (M, H, W, C), or None where the source has no test set.
        test_labels: int64 (M,), None together with `test_images`.
        classes: names of the classes, at least two, all different.
        source: where the images came from, for people.

    Raises:
        DataError: shapes, types, labels or classes do not fit together.
    """

    name: str
    images: Images = field(repr=False)
    labels: Labels = field(repr=False)
    test_images: Images | None = field(repr=False)
    test_labels: Labels | None = field(repr=False)
    classes: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise DataError(
                f"{self.source}: a classification data set needs at least two classes; "
                f"there is {len(self.classes)}."
            )
        twice = sorted({name for name in self.classes if self.classes.count(name) > 1})
        if twice:
            raise DataError(f"{self.source}: the class name `{twice[0]}` is there twice.")
        if (self.test_images is None) != (self.test_labels is None):
            raise DataError(f"{self.source}: test images and test labels go together.")
        self._check_pair("images", self.images, self.labels)
        if self.test_images is not None and self.test_labels is not None:
            self._check_pair("test_images", self.test_images, self.test_labels)
            if self.test_images.shape[1:] != self.images.shape[1:]:
                raise DataError(
                    f"{self.source}: training images are {_size(self.images)} and test images "
                    f"{_size(self.test_images)}; both must have one size and number of channels."
                )
        for name in ARRAYS:
            array = getattr(self, name)
            if array is not None:
                view = array.view()
                view.flags.writeable = False
                object.__setattr__(self, name, view)

    def _check_pair(self, key: str, images: Any, labels: Any) -> None:
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise DataError(
                f"{self.source}: {key} must be uint8 (N, H, W, 1 or 3), not {images.dtype} "
                f"{images.shape}."
            )
        if 0 in images.shape:
            raise DataError(f"{self.source}: {key} is empty, its shape is {images.shape}.")
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise DataError(
                f"{self.source}: there must be one int64 label for each of the {len(images)} "
                f"images in {key}, not {labels.dtype} {labels.shape}."
            )
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(self.classes):
            raise DataError(
                f"{self.source}: labels of {key} go from {low} to {high}, but with "
                f"{len(self.classes)} classes they must lie between 0 and "
                f"{len(self.classes) - 1}."
            )

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 over shapes and bytes of the four arrays; names do not enter."""
        digest = hashlib.sha256()
        for name in ARRAYS:
            array = getattr(self, name)
            shape = None if array is None else array.shape
            digest.update(f"{name} {shape}\n".encode())
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _size(images: Images) -> str:
    height, width, channels = images.shape[1:]
    return f"{height}x{width} with {channels} channel{'s' if channels > 1 else ''}"
