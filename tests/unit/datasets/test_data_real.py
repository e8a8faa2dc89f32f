"""The same code on real images: CIFAR-10, a part of CIFAR-100, MNIST. Skips without them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets import load, prepare
from engine.datasets.batches import DeviceImages
from engine.datasets.cifar_layout import CIFAR10, CIFAR100, Layout
from engine.spec.data import DataSpec


def mosaic(path: Path) -> np.ndarray:
    """Return the 2,500 images of a 50x50 mosaic, uint8 (2500, 32, 32, 3)."""
    if not path.is_file():
        pytest.skip(f"no real data: {path} is absent")
    pixels = np.asarray(Image.open(path).convert("RGB")).reshape(50, 32, 50, 32, 3)
    return pixels.transpose(0, 2, 1, 3, 4).reshape(-1, 32, 32, 3)


def real_file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        pytest.skip(f"no real data: {path} is absent")
    return path


@pytest.fixture
def cifar10_slice(shared_data: Path) -> dict[str, np.ndarray]:
    """5,000 + 2,500 real images: two training mosaics (two classes) and one test mosaic."""
    folder = shared_data / "cifar10"
    labels = np.load(real_file(folder, "labels.npz"), allow_pickle=False)
    parts = [mosaic(folder / f"train_{number:02}.webp") for number in (0, 2)]
    return {
        "x_train": np.concatenate(parts),
        "y_train": labels["y_train"][np.r_[:2500, 5000:7500]].astype(np.int64),
        "x_test": mosaic(folder / "test_00.webp"),
        "y_test": labels["y_test"][:2500].astype(np.int64),
        "classes": labels["classes"],
    }


@pytest.mark.parametrize("kind", ["python", "binary"])
def test_real_cifar10_through_the_official_formats(
    tmp_path: Path,
    cifar10_slice: dict[str, np.ndarray],
    small_cifar: Callable[..., Layout],
    write_cifar: Callable[..., Path],
    kind: str,
) -> None:
    assert tuple(cifar10_slice["classes"]) == CIFAR10.classes
    layout = small_cifar("cifar10", train=5000, test=2500)
    write_cifar(layout, getattr(layout, kind), cifar10_slice, tmp_path)
    data = load(DataSpec(name="cifar10", path=str(tmp_path)))
    np.testing.assert_array_equal(data.images, cifar10_slice["x_train"])
    np.testing.assert_array_equal(data.labels, cifar10_slice["y_train"])
    np.testing.assert_array_equal(data.test_images, cifar10_slice["x_test"])


def test_real_pictures_through_png_folders(
    tmp_path: Path, cifar10_slice: dict[str, np.ndarray]
) -> None:
    images = cifar10_slice["x_train"][:: 5000 // 50]
    labels = cifar10_slice["y_train"][:: 5000 // 50]
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / CIFAR10.classes[label]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{number:03}.png")
    data = load(DataSpec(name="folder", path=str(tmp_path)))
    np.testing.assert_array_equal(data.images, images)
    assert data.classes == ("airplane", "automobile")


def test_a_part_of_cifar100_from_npz(shared_data: Path) -> None:
    path = real_file(shared_data, "cifar100_small.npz")
    raw = np.load(path, allow_pickle=False)
    assert tuple(raw["classes"]) == CIFAR100.classes
    spec = DataSpec(name="cifar100", path=str(path), train_images=2000, held_out_images=1000)
    ready = prepare(spec)
    np.testing.assert_array_equal(ready.train_images, raw["x_train"][ready.split.train])
    assert ready.split.per_class["train"] == (20,) * 100
    assert ready.split.per_class["held_out"] == (10,) * 100
    assert ready.split.per_class["test"] == (10,) * 100
    np.testing.assert_allclose(ready.mean, (0.507, 0.487, 0.441), atol=0.02)
    np.testing.assert_allclose(ready.std, (0.267, 0.256, 0.276), atol=0.02)


def test_mnist_from_npz_at_half_its_size(shared_data: Path, tmp_path: Path) -> None:
    raw = np.load(real_file(shared_data, "mnist.npz"), allow_pickle=False)
    part = {"x_train": raw["x_train"][:3000], "y_train": raw["y_train"][:3000]}
    np.savez(tmp_path / "part.npz", **part, x_test=raw["x_test"], y_test=raw["y_test"])
    spec = {"name": "npz", "path": str(tmp_path / "part.npz"), "test_images": 500}
    full = prepare(DataSpec(**spec, held_out_images=1000))
    ready = prepare(DataSpec(**spec, held_out_images=1000, resolution=14))
    assert (ready.channels, ready.resolution, len(ready.classes)) == (1, 14, 10)
    assert (len(ready.train_images), len(ready.test_images)) == (2000, 500)
    np.testing.assert_array_equal(full.train_images[..., 0], part["x_train"][full.split.train])
    means = full.train_images.reshape(2000, 14, 2, 14, 2, 1).mean(axis=(2, 4))
    assert np.abs(ready.train_images - means).max() <= 1


def test_real_batches_are_normalised(shared_data: Path) -> None:
    path = real_file(shared_data, "cifar100_small.npz")
    spec = DataSpec(name="cifar100", path=str(path), augmentation={"flip": True})
    ready = prepare(spec)
    data = DeviceImages.from_prepared(ready, "train", spec.augmentation, "cpu")
    rng = np.random.default_rng(0)
    (batch,) = data.epoch(len(data), rng, spec.augmentation)
    x = batch[0].double()
    np.testing.assert_allclose(x.mean(dim=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(dim=(0, 2, 3), correction=0), 1, atol=1e-5)


def test_the_mosaics_are_the_images_they_are_said_to_be(shared_data: Path) -> None:
    """Guards the other tests here: the decoded test set has the published checksum."""
    folder = shared_data / "cifar10"
    labels = np.load(real_file(folder, "labels.npz"), allow_pickle=False)
    images = np.concatenate([mosaic(folder / f"test_{number:02}.webp") for number in range(4)])
    digest = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
    assert digest == str(labels["sha256_test"])
