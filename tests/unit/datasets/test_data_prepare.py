"""Prepared data: parts, statistics, fingerprint, description."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.datasets import ImageData, load, prepare, prepare_loaded
from engine.datasets.prepare import channel_statistics
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def toy(height: int = 6, width: int = 6, own_test: bool = True) -> ImageData:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (40, height, width, 3), dtype=np.uint8)
    labels = np.arange(40) % 4
    test = (images[:8] // 2, labels[:8]) if own_test else (None, None)
    return ImageData("toy", images, labels, *test, tuple("abcd"), "toy source")


def test_parts_are_the_images_of_the_split() -> None:
    data = toy()
    ready = prepare_loaded(data, DataSpec(train_images=12, held_out_images=8, test_images=4))
    for part, images, labels in (
        ("train", data.images, data.labels),
        ("held_out", data.images, data.labels),
        ("test", data.test_images, data.test_labels),
    ):
        where = getattr(ready.split, part)
        np.testing.assert_array_equal(getattr(ready, f"{part}_images"), images[where])
        np.testing.assert_array_equal(getattr(ready, f"{part}_labels"), labels[where])
    assert (len(ready.train_images), len(ready.held_out_images), len(ready.test_images)) == (
        12,
        8,
        4,
    )
    assert (ready.channels, ready.resolution, ready.classes) == (3, 6, tuple("abcd"))


def test_test_part_comes_from_the_training_images_where_there_is_no_test_set() -> None:
    data = toy(own_test=False)
    ready = prepare_loaded(data, DataSpec())
    np.testing.assert_array_equal(ready.test_images, data.images[ready.split.test])
    assert len(ready.train_images) == len(ready.held_out_images) == 16


def test_statistics_are_of_the_training_part_alone() -> None:
    ready = prepare_loaded(toy(), DataSpec())
    scaled = ready.train_images.astype(np.float64) / 255
    np.testing.assert_allclose(ready.mean, scaled.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(ready.std, scaled.std(axis=(0, 1, 2)), rtol=1e-12)


def test_statistics_over_more_images_than_are_counted_at_once() -> None:
    images = np.random.default_rng(2).integers(0, 256, (2500, 2, 2, 1), dtype=np.uint8)
    mean, std = channel_statistics(images)
    np.testing.assert_allclose((mean[0], std[0]), (images.mean() / 255, images.std() / 255))


def test_std_of_a_constant_channel_is_one() -> None:
    images = np.full((3, 4, 4, 3), 51, np.uint8)
    assert channel_statistics(images) == (pytest.approx((0.2, 0.2, 0.2)), (1.0, 1.0, 1.0))


def test_fingerprint_follows_data_and_split_but_not_the_augmentation() -> None:
    base = prepare_loaded(toy(), DataSpec()).fingerprint
    assert prepare_loaded(toy(), DataSpec(augmentation={"flip": True})).fingerprint == base
    assert prepare_loaded(toy(), DataSpec(split_seed=1)).fingerprint != base
    assert prepare_loaded(toy(), DataSpec(train_images=8)).fingerprint != base
    assert prepare_loaded(toy(own_test=False), DataSpec()).fingerprint != base


def test_description_is_json_and_complete() -> None:
    ready = prepare(DataSpec(resolution=12))
    record = json.loads(json.dumps(ready.describe()))
    assert record["name"] == "digits"
    assert record["resolution"] == 12
    assert record["channels"] == 1
    assert record["fingerprint"] == ready.fingerprint
    assert record["split"]["parts"]["train"]["images"] == len(ready.train_images) == 719
    assert len(record["mean"]) == len(record["std"]) == 1


def test_images_that_are_not_square_need_a_resolution() -> None:
    with pytest.raises(DataError, match="toy source.*6 pixels high and 8 wide.*data.resolution"):
        prepare_loaded(toy(width=8), DataSpec())


@pytest.mark.parametrize("field", ["cutout", "crop_padding"])
def test_augmentation_larger_than_the_images(field: str) -> None:
    with pytest.raises(DataError, match=f"data.augmentation.{field}: 8 given.*8 pixels"):
        prepare(DataSpec(augmentation={field: 8}))


def test_loading_twice_gives_the_same_data() -> None:
    assert load(DataSpec()).fingerprint == load(DataSpec()).fingerprint
