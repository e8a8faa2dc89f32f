"""From a data spec to the three parts in memory, with what describes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.image_data import ImageData, Images, Labels
from engine.datasets.registry import load
from engine.datasets.splits import Split, make_split
from engine.spec.data import AugmentationSpec, DataSpec
from engine.spec.errors import DataError

_COUNTED_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class PreparedData:
    """The three parts, in stratified order.

    Args:
        name: registered name. source: where the images came from.
        train_images, held_out_images, test_images: uint8 (N, H, W, C).
        train_labels, held_out_labels, test_labels: int64 (N,).
        mean, std: of each channel over the training part, images as numbers from 0 to 1; the
            std of a channel without any variation is given as 1, so that one can divide by it.
        classes: names of the classes.
        channels: 1 or 3. resolution: height and width in pixels.
        split: which images these are.
        fingerprint: hex SHA-256 over the source's images and the split.
    """

    name: str
    source: str
    train_images: Images = field(repr=False)
    train_labels: Labels = field(repr=False)
    held_out_images: Images = field(repr=False)
    held_out_labels: Labels = field(repr=False)
    test_images: Images = field(repr=False)
    test_labels: Labels = field(repr=False)
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    channels: int
    resolution: int
    split: Split = field(repr=False)
    fingerprint: str

    def describe(self) -> dict[str, Any]:
        """Return everything but the images as JSON, for the record of a run."""
        return {
            "name": self.name,
            "source": self.source,
            "classes": list(self.classes),
            "channels": self.channels,
            "resolution": self.resolution,
            "mean": list(self.mean),
            "std": list(self.std),
            "fingerprint": self.fingerprint,
            "split": self.split.to_json(),
        }


def prepare(spec: DataSpec, cache_dir: Path | None = None) -> PreparedData:
    """Load, split and measure a data set.

    Raises:
        DataError: the data cannot be used as asked; see `load` and `make_split`.
    """
    data = load(spec, cache_dir)
    return prepare_loaded(data, spec)


def prepare_loaded(data: ImageData, spec: DataSpec) -> PreparedData:
    """Split and measure a data set that is in memory already.

    Raises:
        DataError: images that are not square, an augmentation larger than the images, or a
            split that is impossible.
    """
    height, width, channels = data.images.shape[1:]
    if height != width:
        raise DataError(
            f"{data.source}: the images are {height} pixels high and {width} wide; networks here "
            f"take squares, set data.resolution."
        )
    _check_augmentation(spec.augmentation, height)
    split = make_split(data.labels, data.test_labels, data.classes, spec)
    test_images, test_labels = data.images, data.labels
    if data.test_images is not None and data.test_labels is not None:
        test_images, test_labels = data.test_images, data.test_labels
    train_images = data.images[split.train]
    mean, std = channel_statistics(train_images)
    return PreparedData(
        name=data.name,
        source=data.source,
        train_images=train_images,
        train_labels=data.labels[split.train],
        held_out_images=data.images[split.held_out],
        held_out_labels=data.labels[split.held_out],
        test_images=test_images[split.test],
        test_labels=test_labels[split.test],
        mean=mean,
        std=std,
        classes=data.classes,
        channels=channels,
        resolution=height,
        split=split,
        fingerprint=_fingerprint(data, split),
    )


def channel_statistics(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and std of each channel of uint8 (N, H, W, C), scaled to 0..1.

    Counted from histograms in whole numbers, so exact whatever the number of images. A std of
    0 is returned as 1.
    """
    means, stds = [], []
    values = np.arange(256)
    for channel in range(images.shape[3]):
        counts = np.zeros(256, np.int64)
        for start in range(0, len(images), _COUNTED_AT_ONCE):
            piece = images[start : start + _COUNTED_AT_ONCE, :, :, channel]
            counts += np.bincount(piece.reshape(-1), minlength=256)
        total, first = int(counts.sum()), int((counts * values).sum())
        variance = (total * int((counts * values**2).sum()) - first**2) / total**2
        means.append(first / total / 255)
        stds.append(variance**0.5 / 255 if variance > 0 else 1.0)
    return tuple(means), tuple(stds)


def _check_augmentation(augmentation: AugmentationSpec, side: int) -> None:
    for name in ("crop_padding", "cutout"):
        value = getattr(augmentation, name)
        if value >= side:
            raise DataError(
                f"data.augmentation.{name}: {value} given, but the images are {side} pixels "
                f"wide; it must be smaller."
            )


def _fingerprint(data: ImageData, split: Split) -> str:
    record = json.dumps([data.fingerprint, split.to_json()], sort_keys=True)
    return hashlib.sha256(record.encode()).hexdigest()
