"""Device augmentation against slow loops over single images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.datasets.augment import columns, cutout, draw, flip_and_crop
from engine.spec.data import AugmentationSpec

SETTINGS = [
    {"flip": True},
    {"crop_padding": 3},
    {"crop_padding": 4, "flip": True},
    {"flip": True, "crop_padding": 2, "cutout": 5},
]
SHAPES = [(1, 1, 8, 8), (7, 3, 9, 9), (16, 3, 5, 8)]


def slow_flip_and_crop(
    images: np.ndarray, draws: np.ndarray, augmentation: AugmentationSpec
) -> np.ndarray:
    """One image after the other: pad with black, cut the window, mirror."""
    where, pad = columns(augmentation), augmentation.crop_padding
    results = []
    for image, numbers in zip(images, draws, strict=True):
        _, height, width = image.shape
        if pad:
            padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
            top, left = numbers[where["top"]], numbers[where["left"]]
            image = padded[:, top : top + height, left : left + width]
        if augmentation.flip and numbers[where["flip"]]:
            image = image[:, :, ::-1]
        results.append(image)
    return np.stack(results)


def slow_cutout(images: np.ndarray, centres: np.ndarray, side: int) -> np.ndarray:
    """One pixel after the other."""
    result = images.copy()
    for image, (row, column) in zip(result, centres, strict=True):
        for y in range(row - side // 2, row - side // 2 + side):
            for x in range(column - side // 2, column - side // 2 + side):
                if 0 <= y < image.shape[1] and 0 <= x < image.shape[2]:
                    image[:, y, x] = 0
    return result


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fields", SETTINGS)
def test_flip_and_crop_equal_the_loop(fields: dict, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(5)
    augmentation = AugmentationSpec(**fields)
    images = rng.integers(1, 256, shape, dtype=np.uint8)
    draws = draw(shape[0], shape[2:], augmentation, rng)
    fast = flip_and_crop(torch.from_numpy(images), torch.from_numpy(draws), augmentation)
    assert fast.dtype == torch.uint8
    np.testing.assert_array_equal(fast.numpy(), slow_flip_and_crop(images, draws, augmentation))


def test_every_window_and_both_directions_equal_the_loop() -> None:
    augmentation = AugmentationSpec(flip=True, crop_padding=2)
    draws = np.array([(f, t, x) for f in (0, 1) for t in range(5) for x in range(5)])
    images = np.random.default_rng(0).integers(1, 256, (50, 3, 6, 6), dtype=np.uint8)
    fast = flip_and_crop(torch.from_numpy(images), torch.from_numpy(draws), augmentation)
    np.testing.assert_array_equal(fast.numpy(), slow_flip_and_crop(images, draws, augmentation))
    middle = (draws == [0, 2, 2]).all(axis=1)
    np.testing.assert_array_equal(fast.numpy()[middle], images[middle])


@pytest.mark.parametrize("side", [1, 2, 5, 6, 7])
def test_cutout_equals_the_loop_at_every_place(side: int) -> None:
    augmentation = AugmentationSpec(cutout=side)
    centres = np.array([(row, column) for row in range(6) for column in range(8)])
    images = np.random.default_rng(1).normal(size=(48, 3, 6, 8)).astype(np.float32)
    x = torch.from_numpy(images.copy())
    result = cutout(x, torch.from_numpy(centres), augmentation)
    assert result.data_ptr() == x.data_ptr()
    np.testing.assert_array_equal(result.numpy(), slow_cutout(images, centres, side))


def test_an_even_cutout_is_the_published_one() -> None:
    """DeVries and Taylor clip row - side // 2 and row + side // 2 to the image."""
    side, length = 4, 9
    x = torch.ones(length, 1, length, length)
    centres = torch.tensor([(place, length // 2) for place in range(length)])
    result = cutout(x, centres, AugmentationSpec(cutout=side))
    for place in range(length):
        first = np.clip(place - side // 2, 0, length)
        last = np.clip(place + side // 2, 0, length)
        blank = (result[place, 0] == 0).any(dim=1).nonzero().flatten().tolist()
        assert blank == list(range(first, last))


def test_off_draws_nothing_and_changes_nothing() -> None:
    off = AugmentationSpec()
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    draws = torch.from_numpy(draw(4, (8, 8), off, rng))
    assert draws.shape == (4, 0)
    assert rng.bit_generator.state == before
    images = torch.ones(4, 3, 8, 8, dtype=torch.uint8)
    assert flip_and_crop(images, draws, off) is images
    x = torch.ones(4, 3, 8, 8)
    assert (cutout(x, draws, off) == 1).all()


def test_draws_cover_their_range_evenly() -> None:
    augmentation = AugmentationSpec(flip=True, crop_padding=2, cutout=3)
    count = 20_000
    draws = draw(count, (6, 9), augmentation, np.random.default_rng(0))
    for name, size in (("flip", 2), ("top", 5), ("left", 5), ("row", 6), ("column", 9)):
        seen = np.bincount(draws[:, columns(augmentation)[name]], minlength=size)
        assert len(seen) == size
        spread = (count / size * (1 - 1 / size)) ** 0.5
        assert np.abs(seen - count / size).max() < 5 * spread, name
