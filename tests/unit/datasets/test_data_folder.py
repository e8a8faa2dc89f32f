"""Folders of pictures: layouts, modes, sizes, and every fault named by class or file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets import ImageData, folder, load, pictures
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def save(path: Path, value: int = 0, size: tuple[int, int] = (6, 6), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fill = value if mode in ("L", "I;16", "F") else (value,) * len(mode)
    Image.new(mode, size, fill).save(path)


def classes(root: Path, names: str = "ab", count: int = 2, first: int = 0) -> None:
    for number, name in enumerate(names):
        for picture in range(count):
            save(root / name / f"{picture}.png", first + 10 * number + picture)


def read(root: Path, resolution: int | None = None) -> ImageData:
    return load(DataSpec(name="folder", path=str(root), resolution=resolution))


def test_classes_are_sub_folders_in_the_order_of_their_names(tmp_path: Path) -> None:
    classes(tmp_path, "cab")
    data = read(tmp_path)
    assert data.classes == ("a", "b", "c")
    assert data.images.shape == (6, 6, 6, 3)
    assert data.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.images[:, 0, 0, 0].tolist() == [10, 11, 20, 21, 0, 1]
    assert data.test_images is None


@pytest.mark.parametrize("test", ["test", "val", "valid", "validation"])
def test_training_and_test_folders(tmp_path: Path, test: str) -> None:
    classes(tmp_path / "train", "ab", count=3)
    classes(tmp_path / test, "ab", count=1, first=100)
    data = read(tmp_path)
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.test_labels is not None and data.test_images is not None
    assert data.test_labels.tolist() == [0, 1]
    assert data.test_images[:, 0, 0, 0].tolist() == [100, 110]


def test_test_folder_goes_before_val_and_that_is_said(tmp_path: Path) -> None:
    for name, first in (("train", 0), ("val", 50), ("test", 100)):
        classes(tmp_path / name, first=first)
    data = read(tmp_path)
    assert data.test_images is not None
    assert data.test_images[0, 0, 0, 0] == 100
    assert "val/ not used" in data.source


def test_a_training_folder_alone_and_a_class_called_train(tmp_path: Path) -> None:
    classes(tmp_path / "one" / "train")
    assert read(tmp_path / "one").classes == ("a", "b")
    save(tmp_path / "two" / "train" / "0.png")
    save(tmp_path / "two" / "ship" / "0.png")
    assert read(tmp_path / "two").classes == ("ship", "train")


def test_other_and_hidden_files_are_left_out_and_counted(tmp_path: Path) -> None:
    classes(tmp_path)
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "a" / ".hidden.png").write_text("hello")
    (tmp_path / ".cache").mkdir()
    data = read(tmp_path)
    assert len(data.images) == 4
    assert "1 other file ignored" in data.source


def test_grey_stays_grey_and_a_mixture_becomes_coloured(tmp_path: Path) -> None:
    save(tmp_path / "a" / "0.png", 7, mode="L")
    save(tmp_path / "b" / "0.png", 9, mode="L")
    grey = read(tmp_path)
    assert grey.images.shape == (2, 6, 6, 1)
    assert grey.images[:, 0, 0, 0].tolist() == [7, 9]
    Image.new("RGB", (6, 6), (1, 2, 3)).save(tmp_path / "b" / "1.png")
    mixed = read(tmp_path)
    assert mixed.images[:, 0, 0].tolist() == [[7, 7, 7], [9, 9, 9], [1, 2, 3]]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".tif", ".PNG", ".ppm"])
def test_lossless_formats_are_read_bit_exact(tmp_path: Path, suffix: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3), dtype=np.uint8)
    for name, image in zip("ab", pixels, strict=True):
        (tmp_path / name).mkdir()
        more = {"lossless": True} if suffix == ".webp" else {}
        Image.fromarray(image).save(tmp_path / name / f"0{suffix}", **more)
    np.testing.assert_array_equal(read(tmp_path).images, pixels)


def test_palettes_transparency_and_jpeg(tmp_path: Path) -> None:
    save(tmp_path / "a" / "0.png", 40, mode="RGBA")
    Image.new("RGB", (6, 6), (40, 40, 40)).quantize().save(tmp_path / "a" / "1.gif")
    save(tmp_path / "b" / "2.jpg", 40)
    data = read(tmp_path)
    assert data.images.shape == (3, 6, 6, 3)
    assert np.abs(data.images.astype(int) - 40).max() <= 2


def test_mixed_sizes_with_a_resolution(tmp_path: Path) -> None:
    save(tmp_path / "a" / "0.png", 30, size=(40, 20))
    save(tmp_path / "b" / "0.png", 60, size=(5, 8))
    data = read(tmp_path, resolution=10)
    assert data.images.shape == (2, 10, 10, 3)
    assert data.images[:, 5, 5, 0].tolist() == [30, 60]


def check(root: Path, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(root)
    for word in words:
        assert word in str(caught.value)


def test_mixed_sizes_name_two_examples_and_the_remedy(tmp_path: Path) -> None:
    classes(tmp_path)
    save(tmp_path / "b" / "9.png", size=(7, 8))
    first, other = tmp_path / "a" / "0.png", tmp_path / "b" / "9.png"
    check(tmp_path, str(first), "6x6", str(other), "7x8", "data.resolution")


def test_an_empty_class_is_named(tmp_path: Path) -> None:
    classes(tmp_path)
    (tmp_path / "zebra").mkdir()
    (tmp_path / "zebra" / "readme.md").write_text("none yet")
    check(tmp_path, str(tmp_path / "zebra"), "`zebra` has no pictures")


def test_no_classes_one_class_no_folder(tmp_path: Path) -> None:
    save(tmp_path / "0.png")
    check(tmp_path, str(tmp_path), "there are no classes")
    save(tmp_path / "only" / "0.png")
    check(tmp_path, "only one class, `only`")
    check(tmp_path / "nowhere", "nowhere", "no such folder")
    check(tmp_path / "0.png", "0.png", "no such folder")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    classes(tmp_path)
    bad = tmp_path / "b" / "bad.png"
    bad.write_bytes(b"this is text")
    check(tmp_path, str(bad), "cannot be read")
    whole = (tmp_path / "a" / "0.png").read_bytes()
    bad.write_bytes(whole[: len(whole) - 25])
    check(tmp_path, str(bad), "cannot be read")
    bad.write_bytes(b"")
    check(tmp_path, str(bad), "cannot be read")


def test_postscript_is_never_handed_to_another_program(tmp_path: Path) -> None:
    classes(tmp_path)
    bad = tmp_path / "b" / "bad.png"
    bad.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 6\n%%EndComments\n%%EOF\n")
    check(tmp_path, str(bad), "no picture of a kind that is known here")


@pytest.mark.parametrize("mode", ["I;16", "F"])
def test_more_than_8_bits_are_refused(tmp_path: Path, mode: str) -> None:
    classes(tmp_path)
    bad = tmp_path / "b" / "deep.tif"
    save(bad, 300, mode=mode)
    check(tmp_path, str(bad), mode, "8 bits")


def test_a_decompression_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    classes(tmp_path)
    bomb = tmp_path / "b" / "bomb.png"
    Image.new("1", (9_000, 9_000)).save(bomb)
    assert bomb.stat().st_size < 50_000
    check(tmp_path, str(bomb), "9000 x 9000")
    Image.new("1", (20_000, 10_000)).save(bomb)
    check(tmp_path, str(bomb), "cannot be read", "decompression bomb")


def test_the_limit_of_pixels_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes(tmp_path)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 36)
    assert len(read(tmp_path).images) == 4
    monkeypatch.setattr(pictures, "MAX_PIXELS", 35)
    check(tmp_path, "6 x 6 pixels")


def test_too_many_pictures_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes(tmp_path)
    monkeypatch.setattr(folder, "MAX_BYTES", 4 * 36 * 3 - 1)
    check(tmp_path, str(tmp_path), "4 pictures of 6x6", "data.resolution")


def test_folders_inside_a_class(tmp_path: Path) -> None:
    classes(tmp_path)
    save(tmp_path / "b" / "deeper" / "0.png")
    check(tmp_path, str(tmp_path / "b" / "deeper"), "inside the class `b`")


def test_test_folder_without_train(tmp_path: Path) -> None:
    classes(tmp_path / "test")
    classes(tmp_path / "val")
    check(tmp_path, str(tmp_path / "test" / "a"), "inside the class `test`")


def test_stranger_next_to_train(tmp_path: Path) -> None:
    classes(tmp_path / "train")
    classes(tmp_path / "extra")
    check(tmp_path, str(tmp_path), "not `extra`")


def test_parts_with_different_classes(tmp_path: Path) -> None:
    classes(tmp_path / "train", "abc")
    classes(tmp_path / "test", "ab")
    check(tmp_path, "`c`", str(tmp_path / "test"), "same classes")
    classes(tmp_path / "test", "abcd")
    check(tmp_path, "`d`", str(tmp_path / "train"), "same classes")
