"""Training, held-out and test part: disjoint, stratified, and the same for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.datasets.image_data import Labels
from engine.datasets.stratify import Indices, stratified_order
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

TEST_SHARE = 0.2
"""Share that becomes the test part where a source has no test set and none is asked for."""

_TEST_STREAM, _TRAIN_STREAM = 1, 2


@dataclass(frozen=True, eq=False)
class Split:
    """Which images are in which part.

    Every part is in a stratified order, so that its first k images, and therefore single
    batches in evaluation, have the classes in proportion too.

    Args:
        train: int64 positions in the training images of the source.
        held_out: int64 positions in the training images of the source.
        test: int64 positions in the images that `test_from` tells.
        test_from: "test" where the source has a test set, else "train".
        seed: `split_seed`.
        classes: names of the classes.
        per_class: images of each class in the parts "train", "held_out" and "test".
    """

    train: Indices
    held_out: Indices
    test: Indices
    test_from: Literal["train", "test"]
    seed: int
    classes: tuple[str, ...]
    per_class: dict[str, tuple[int, ...]]

    def to_json(self) -> dict[str, Any]:
        """Return counts and SHA-256 sums of the positions (int64, little endian) as JSON."""
        parts: dict[str, Any] = {}
        for name in ("train", "held_out", "test"):
            indices = getattr(self, name)
            parts[name] = {
                "images": len(indices),
                "per_class": dict(zip(self.classes, self.per_class[name], strict=True)),
                "sha256": hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest(),
            }
        return {"seed": self.seed, "test_from": self.test_from, "parts": parts}


def make_split(
    labels: Labels, test_labels: Labels | None, classes: Sequence[str], spec: DataSpec
) -> Split:
    """Split a source into three parts.

    Where the source has no test set, the test part is taken off first. Of the rest, the held-out
    part is the front and the training part the back of one stratified order: the held-out images
    do not depend on `train_images`, and a smaller training part is contained in a larger one.

    Args:
        labels: int64 (N,) of the training images. test_labels: int64 (M,), or None.
        classes: names of the classes.
        spec: sizes and seed.

    Raises:
        DataError: more images are asked for than there are, or a part would lack a class.
    """
    _all_there(labels, classes, "the data set has no training image of the class")
    pool = np.arange(len(labels), dtype=np.int64)
    if test_labels is None:
        wanted = spec.test_images or _share(TEST_SHARE, len(labels))
        order = _order(labels, classes, spec, _TEST_STREAM)
        test, pool = _take_test(order, wanted, len(order) - 2), order[wanted:]
    else:
        wanted = spec.test_images or len(test_labels)
        order = _order(test_labels, classes, spec, _TEST_STREAM)
        test = _take_test(order, wanted, len(order))
    train, held_out = _train_and_held_out(labels, pool, classes, spec)
    parts = {
        "train": labels[train],
        "held_out": labels[held_out],
        "test": (labels if test_labels is None else test_labels)[test],
    }
    for name, values in parts.items():
        _check_part(name, values, classes, spec)
    return Split(
        train=train,
        held_out=held_out,
        test=test,
        test_from="train" if test_labels is None else "test",
        seed=spec.split_seed,
        classes=tuple(classes),
        per_class={
            name: tuple(np.bincount(values, minlength=len(classes)).tolist())
            for name, values in parts.items()
        },
    )


def _check_part(name: str, values: Labels, classes: Sequence[str], spec: DataSpec) -> None:
    """Refuse a part without any image of some class, naming the field that made it small."""
    fields = {
        "train": ("data.train_images", "training"),
        "held_out": (
            f"data.held_out_{'fraction' if spec.held_out_images is None else 'images'}",
            "held-out",
        ),
        "test": ("data.test_images", "test"),
    }
    field, title = fields[name]
    _all_there(
        values,
        classes,
        f"{field}: the {title} part of {len(values)} images has none of the class",
        "; make this part larger at the cost of the others, or bring more images of this class",
    )


def _train_and_held_out(
    labels: Labels, pool: Indices, classes: Sequence[str], spec: DataSpec
) -> tuple[Indices, Indices]:
    size = len(pool)
    held = spec.held_out_images
    if held is None:
        held = _share(spec.held_out_fraction, size)
    elif held >= size:
        raise DataError(
            f"data.held_out_images: {held} given, but there are {size} training images and some "
            f"must be left to train with; at most {size - 1}."
        )
    train = size - held if spec.train_images is None else spec.train_images
    if train > size - held:
        raise DataError(
            f"data.train_images: {train} given, but {size - held} are available: {size} training "
            f"images less {held} held out. Ask for fewer, or hold out fewer."
        )
    order = pool[_order(labels[pool], classes, spec, _TRAIN_STREAM)]
    return order[::-1][:train].copy(), order[:held]


def _take_test(order: Indices, wanted: int, available: int) -> Indices:
    if wanted > available:
        raise DataError(
            f"data.test_images: {wanted} given, but {available} are available; ask for fewer."
        )
    return order[:wanted]


def _order(labels: Labels, classes: Sequence[str], spec: DataSpec, stream: int) -> Indices:
    rng = np.random.Generator(np.random.PCG64([spec.split_seed, stream]))
    return stratified_order(labels, len(classes), rng)


def _share(fraction: float, of: int) -> int:
    return int(fraction * of + 0.5)


def _all_there(labels: Labels, classes: Sequence[str], problem: str, remedy: str = "") -> None:
    missing = np.flatnonzero(np.bincount(labels, minlength=len(classes)) == 0)
    if len(missing):
        raise DataError(f"{problem} `{classes[missing[0]]}`{remedy}.")
