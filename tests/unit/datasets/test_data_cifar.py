"""CIFAR from stand-ins of the official files, bit exact, and every fault by its name."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.datasets import ImageData, archives, cifar, load
from engine.datasets.archives import read_members
from engine.datasets.cifar_layout import CIFAR10, CIFAR100, LAYOUTS, Layout
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

Shrink = Callable[..., Layout]
Make = Callable[[Layout], dict[str, np.ndarray]]
Write = Callable[..., Path]
Pack = Callable[[Path, Path], str]

both_names = pytest.mark.parametrize("name", ["cifar10", "cifar100"])
both_formats = pytest.mark.parametrize("kind", ["python", "binary"])


def read(name: str, path: Path, **more: Any) -> ImageData:
    return load(DataSpec(name=name, path=str(path), **more))


def check(name: str, path: Path, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(name, path)
    for word in words:
        assert word in str(caught.value)


def assert_same(data: ImageData, arrays: dict[str, np.ndarray], layout: Layout) -> None:
    np.testing.assert_array_equal(data.images, arrays["x_train"])
    np.testing.assert_array_equal(data.labels, arrays["y_train"])
    np.testing.assert_array_equal(data.test_images, arrays["x_test"])
    np.testing.assert_array_equal(data.test_labels, arrays["y_test"])
    assert data.classes == layout.classes
    assert data.name == layout.name


def test_official_layouts() -> None:
    for layout, count in ((CIFAR10, 10), (CIFAR100, 100)):
        assert len(set(layout.classes)) == len(layout.classes) == count
        assert list(layout.classes) == sorted(layout.classes)
        assert (layout.train_images, layout.test_images) == (50_000, 10_000)
    sums = [archive.md5 for layout in LAYOUTS.values() for archive in layout.archives]
    assert sums == [
        "c32a1d4ab5d03f1284b67883e8d87530",
        "c58f30108f718f92721af3b95e74349a",
        "03b5dce01913d631647c71ecec9e9cb8",
        "eb9058c3a382ffc7106e4002c42a8d85",
    ]


@both_names
@both_formats
@pytest.mark.parametrize("above", [True, False])
def test_extracted_folders_are_read_bit_exact(
    tmp_path: Path,
    small_cifar: Shrink,
    cifar_arrays: Make,
    write_cifar: Write,
    name: str,
    kind: str,
    above: bool,
) -> None:
    layout = small_cifar(name)
    arrays = cifar_arrays(layout)
    folder = write_cifar(layout, getattr(layout, kind), arrays, tmp_path)
    assert_same(read(name, tmp_path if above else folder), arrays, layout)


@both_names
@both_formats
def test_archives_are_read_bit_exact_and_refused_with_another_checksum(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small_cifar: Shrink,
    cifar_arrays: Make,
    write_cifar: Write,
    pack: Pack,
    name: str,
    kind: str,
) -> None:
    layout = small_cifar(name)
    arrays = cifar_arrays(layout)
    files = getattr(layout, kind)
    folder = write_cifar(layout, files, arrays, tmp_path)
    archive = tmp_path / files.archive.file_name
    md5 = pack(folder, archive)
    official = [entry.md5 for entry in layout.archives]
    check(name, archive, str(archive), md5, *official, "extract it", "data.path")

    known = replace(files, archive=replace(files.archive, md5=md5))
    monkeypatch.setitem(cifar.LAYOUTS, name, replace(layout, **{kind: known}))
    assert_same(read(name, archive), arrays, layout)
    # without a path the same archive is found in the folder of downloads
    assert_same(load(DataSpec(name=name), cache_dir=tmp_path), arrays, layout)
    other = {"cifar10": "cifar100", "cifar100": "cifar10"}[name]
    check(other, archive, f"the archive of {layout.title}", f"data.name to {name}")


def test_channels_and_rows_are_in_the_official_order(tmp_path: Path, small_cifar: Shrink) -> None:
    """Built from the description of the format alone: label, 1024 red, 1024 green, 1024 blue."""
    layout = small_cifar("cifar10", train=5, test=1)
    planes = np.zeros((3, 32, 32), np.uint8)
    planes[0, 0, 1], planes[1, 2, 0], planes[2, 31, 30] = 10, 20, 30
    record = bytes([7]) + planes.tobytes()
    assert (record[1 + 1], record[1 + 1024 + 64], record[1 + 2048 + 31 * 32 + 30]) == (10, 20, 30)
    for name in layout.binary.names:
        (tmp_path / name).write_bytes(record)
    data = read("cifar10", tmp_path)
    assert data.images[0, 0, 1].tolist() == [10, 0, 0]
    assert data.images[0, 2, 0].tolist() == [0, 20, 0]
    assert data.images[0, 31, 30].tolist() == [0, 0, 30]
    assert data.labels.tolist() == [7] * 5


def test_npz_and_png_folders(tmp_path: Path, small_cifar: Shrink, cifar_arrays: Make) -> None:
    layout = small_cifar("cifar10")
    arrays = cifar_arrays(layout)
    arrays["y_train"], arrays["y_test"] = np.arange(50) % 10, np.arange(20) % 10
    np.savez(tmp_path / "small.npz", **arrays)
    data = read("cifar10", tmp_path / "small.npz")
    assert_same(data, arrays, layout)
    for part in ("train", "test"):
        pairs = zip(arrays[f"x_{part}"], arrays[f"y_{part}"], strict=True)
        for number, (image, label) in enumerate(pairs):
            folder = tmp_path / "png" / part / layout.classes[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{number:04}.png")
    pictures = read("cifar10", tmp_path / "png")
    order = np.argsort(arrays["y_train"], kind="stable")
    np.testing.assert_array_equal(pictures.images, arrays["x_train"][order])
    np.testing.assert_array_equal(pictures.labels, arrays["y_train"][order])
    assert pictures.classes == layout.classes
    assert read("cifar10", tmp_path / "png", resolution=16).images.shape == (50, 16, 16, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_train": np.zeros((20, 28, 28, 3), np.uint8)}, ["(28, 28, 3)", "(32, 32, 3)"]),
        ({"x_train": np.zeros((20, 32, 32), np.uint8)}, ["(32, 32, 1)", "data.name to npz"]),
        ({"y_train": np.arange(20)}, ["`y_train` has the label 19", "10 classes"]),
        (
            {"classes": np.array(list("abc")), "y_train": np.arange(20) % 3},
            ["3 classes", "has 10"],
        ),
    ],
)
def test_npz_of_other_images(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    arrays = {"x_train": np.zeros((20, 32, 32, 3), np.uint8), "y_train": np.arange(20) % 10}
    np.savez(tmp_path / "a.npz", **{**arrays, **changes})
    check("cifar10", tmp_path / "a.npz", "a.npz", *words)


def test_nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check("cifar10", tmp_path / "none", str(tmp_path / "none"), "no such file", "CIFAR-10")
    check("cifar100", tmp_path, str(tmp_path), "CIFAR-100", "test.bin")
    monkeypatch.setenv("NASW_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError) as caught:
        load(DataSpec(name="cifar100"))
    for word in ("CIFAR-100", str(tmp_path), "data fetch cifar100", "data.path"):
        assert word in str(caught.value)


def test_default_folder_of_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NASW_DATA_DIR", "~/data")
    assert cifar.default_cache_dir() == Path.home() / "data"
    monkeypatch.delenv("NASW_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cifar.default_cache_dir() == tmp_path / "nas-workbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cifar.default_cache_dir() == Path.home() / ".cache" / "nas-workbench"


@both_formats
def test_a_missing_part_is_named(
    tmp_path: Path, small_cifar: Shrink, cifar_arrays: Make, write_cifar: Write, kind: str
) -> None:
    layout = small_cifar("cifar10")
    files = getattr(layout, kind)
    folder = write_cifar(layout, files, cifar_arrays(layout), tmp_path)
    (folder / files.train[2]).unlink()
    check("cifar10", tmp_path, str(folder), f"`{files.train[2]}` is missing")


def test_a_binary_file_of_wrong_length_or_label(
    tmp_path: Path, small_cifar: Shrink, cifar_arrays: Make, write_cifar: Write
) -> None:
    layout = small_cifar("cifar10")
    folder = write_cifar(layout, layout.binary, cifar_arrays(layout), tmp_path)
    part = folder / "data_batch_3.bin"
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    check("cifar10", tmp_path, str(part), f"{len(whole) - 1} bytes", f"take {len(whole)}")
    part.write_bytes(bytes([10]) + whole[1:])
    check("cifar10", tmp_path, str(part), "to 10", "from 0 to 9")


PIXELS = np.zeros((10, 3072), np.uint8)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"labels": [0] * 10}, ["`data` is missing"]),
        ({"data": PIXELS}, ["`labels` is missing"]),
        ({"data": PIXELS, "fine_labels": [0] * 10}, ["`labels` is missing", "CIFAR-10"]),
        ({"data": PIXELS[:9], "labels": [0] * 10}, ["(9, 3072)", "(10, 3072)"]),
        ({"data": PIXELS.astype(int), "labels": [0] * 10}, ["int64", "uint8"]),
        ({"data": PIXELS, "labels": [0] * 11}, ["`labels`", "(11,)", "10 labels"]),
        ({"data": PIXELS, "labels": [0] * 9 + [10]}, ["from 0 to 10"]),
        ({"data": PIXELS, "labels": [0] * 9 + [-1]}, ["from -1 to 0"]),
    ],
)
def test_a_python_file_with_other_contents(
    tmp_path: Path,
    small_cifar: Shrink,
    cifar_arrays: Make,
    write_cifar: Write,
    content: dict[str, Any],
    words: list[str],
) -> None:
    layout = small_cifar("cifar10")
    folder = write_cifar(layout, layout.python, cifar_arrays(layout), tmp_path)
    part = folder / "data_batch_4"
    part.write_bytes(pickle.dumps(content, protocol=4))
    check("cifar10", tmp_path, str(part), *words)


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def test_a_hostile_batch_is_refused_and_not_run(
    tmp_path: Path, small_cifar: Shrink, cifar_arrays: Make, write_cifar: Write
) -> None:
    layout = small_cifar("cifar100")
    folder = write_cifar(layout, layout.python, cifar_arrays(layout), tmp_path)
    marker = tmp_path / "executed"
    (folder / "train").write_bytes(pickle.dumps({"data": Touch(marker)}, protocol=2))
    check("cifar100", tmp_path, str(folder / "train"), "system", "binary version")
    assert not marker.exists()


def tar_with(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, size: int = 3, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, "target"
    return info


def test_wanted_members_are_returned(tmp_path: Path) -> None:
    path = tar_with(
        tmp_path / "a.tar.gz", member("d", 0, tarfile.DIRTYPE), member("./d/a"), member("d/b", 5)
    )
    assert read_members(path, ["d/a"]) == {"d/a": b"xxx"}
    assert read_members(path, ["d/a", "d/b"]) == {"d/a": b"xxx", "d/b": b"xxxxx"}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (member("../up"), ["`../up`", "outside"]),
        (member("d/../../up"), ["`d/../../up`", "outside"]),
        (member("/etc/passwd"), ["`/etc/passwd`", "outside"]),
        (member("d\\..\\up"), ["outside"]),
        (member("d/link", 0, tarfile.SYMTYPE), ["`d/link`", "link or a device"]),
        (member("d/link", 0, tarfile.LNKTYPE), ["`d/link`", "link or a device"]),
        (member("d/pipe", 0, tarfile.FIFOTYPE), ["`d/pipe`", "link or a device"]),
        (member("d/device", 0, tarfile.CHRTYPE), ["`d/device`", "link or a device"]),
        (member("d/wanted"), ["`d/wanted` is in the archive twice"]),
        (member("d/huge", 1001), ["`d/huge`", "larger than any official"]),
    ],
)
def test_dangerous_members_refuse_the_whole_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: tarfile.TarInfo, words: list[str]
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 1000)
    path = tar_with(tmp_path / "a.tar.gz", member("d/wanted"), bad)
    with pytest.raises(DataError) as caught:
        read_members(path, ["d/wanted"])
    for word in [str(path), *words]:
        assert word in str(caught.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tar.gz"]


def test_members_together_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 5)
    path = tar_with(tmp_path / "a.tar.gz", member("a"), member("b"))
    with pytest.raises(DataError, match="`b` makes the archive larger"):
        read_members(path, ["a"])


def test_damaged_and_incomplete_archives(tmp_path: Path) -> None:
    path = tar_with(tmp_path / "a.tar.gz", member("d/a", 50_000))
    with pytest.raises(DataError, match="`d/b` is missing in the archive"):
        read_members(path, ["d/b"])
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"no archive", b""):
        path.write_bytes(broken)
        with pytest.raises(DataError, match="the archive is damaged"):
            read_members(path, ["d/a"])
