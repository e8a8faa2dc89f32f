"""Images in memory: checks, fingerprint, digits, resizing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from engine.datasets import ImageData, load
from engine.datasets.pictures import resize_images
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def make(**changes: Any) -> ImageData:
    fields: dict[str, Any] = {
        "name": "toy",
        "images": np.arange(6 * 4 * 4 * 3, dtype=np.uint8).reshape(6, 4, 4, 3),
        "labels": np.array([0, 1, 2, 0, 1, 2]),
        "test_images": None,
        "test_labels": None,
        "classes": ("a", "b", "c"),
        "source": "toy source",
    }
    return ImageData(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ("a",)}, "at least two classes"),
        ({"classes": ("a", "b", "b")}, "`b` is there twice"),
        ({"images": np.zeros((6, 4, 4, 3))}, "float64"),
        ({"images": np.zeros((6, 4, 4), np.uint8)}, "(6, 4, 4)"),
        ({"images": np.zeros((6, 4, 4, 2), np.uint8)}, "(6, 4, 4, 2)"),
        ({"images": np.zeros((0, 4, 4, 3), np.uint8), "labels": np.zeros(0, int)}, "empty"),
        ({"labels": np.zeros(5, np.int64)}, "one int64 label for each of the 6"),
        ({"labels": np.zeros(6, np.int32)}, "int32"),
        ({"labels": np.array([0, 1, 2, 3, 0, 0])}, "from 0 to 3"),
        ({"labels": np.array([0, 1, 2, -1, 0, 0])}, "from -1 to 2"),
        ({"test_images": np.zeros((2, 4, 4, 3), np.uint8)}, "go together"),
        (
            {"test_images": np.zeros((2, 4, 4, 1), np.uint8), "test_labels": np.array([0, 1])},
            "4x4 with 1 channel",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as caught:
        make(**changes)
    assert words in str(caught.value)
    assert "toy source" in str(caught.value)


def test_arrays_cannot_be_written_to_but_the_callers_can() -> None:
    images = np.zeros((6, 4, 4, 3), np.uint8)
    data = make(images=images)
    with pytest.raises(ValueError, match="read-only"):
        data.images[0] = 1
    images[0] = 1


def test_fingerprint_follows_pixels_labels_shape_and_parts() -> None:
    base = make()
    pixels = base.images.copy()
    pixels[5, 3, 3, 2] ^= 1
    labels = base.labels.copy()
    labels[0] = 1
    others = [
        make(images=pixels),
        make(labels=labels),
        make(images=base.images.reshape(6, 2, 8, 3)),
        make(test_images=base.images, test_labels=base.labels),
    ]
    prints = {base.fingerprint, *(other.fingerprint for other in others)}
    assert len(prints) == 5
    assert all(len(text) == 64 and int(text, 16) >= 0 for text in prints)
    assert make(source="elsewhere", name="b").fingerprint == base.fingerprint
    assert make(images=np.asfortranarray(base.images)).fingerprint == base.fingerprint


def test_digits_are_scikit_learns() -> None:
    data = load(DataSpec())
    bunch = load_digits()
    assert data.images.shape == (1797, 8, 8, 1)
    assert data.test_images is None
    assert data.classes == tuple("0123456789")
    np.testing.assert_array_equal(data.labels, bunch.target)
    assert (data.images.min(), data.images.max()) == (0, 255)
    assert np.abs(data.images[..., 0] / 255 - bunch.images / 16).max() <= 0.5 / 255 + 1e-12


def test_digits_refuse_a_path() -> None:
    with pytest.raises(DataError, match="data.path: the digits .* `somewhere`"):
        load(DataSpec(path="somewhere"))


def test_shrinking_by_a_whole_factor_is_the_mean_of_the_area() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)
    small = resize_images(images, 4)
    means = images.reshape(5, 4, 3, 4, 3, 3).mean(axis=(2, 4))
    assert small.shape == (5, 4, 4, 3)
    assert np.abs(small - means).max() <= 1


def test_resizing_takes_the_middle_square() -> None:
    images = np.zeros((1, 4, 8, 1), np.uint8)
    images[:, :, 2:6] = 200
    assert (resize_images(images, 4) == 200).all()
    assert (resize_images(images, 2) == 200).all()
    assert (resize_images(images, 8) == 200).all()


def test_images_of_the_right_size_are_untouched() -> None:
    images = np.zeros((2, 4, 4, 1), np.uint8)
    assert resize_images(images, 4) is images


def test_load_resizes_training_and_test_images() -> None:
    assert load(DataSpec(resolution=16)).images.shape == (1797, 16, 16, 1)
