"""Npz files: both namings, and every fault named by file, key and remedy."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.datasets import ImageData, load, npz
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def arrays(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    fields: dict[str, Any] = {
        "x_train": rng.integers(0, 256, (12, 5, 5, 3), dtype=np.uint8),
        "y_train": (np.arange(12) % 3).astype(np.uint8),
        "x_test": rng.integers(0, 256, (6, 5, 5, 3), dtype=np.uint8),
        "y_test": (np.arange(6) % 3).astype(np.int32),
        "classes": np.array(["ant", "bee", "cow"]),
    }
    fields.update(changes)
    return {key: value for key, value in fields.items() if value is not None}


def read(path: Path, content: dict[str, Any]) -> ImageData:
    np.savez(path, **content)
    return load(DataSpec(name="npz", path=str(path)))


def test_both_namings_give_the_same_data(tmp_path: Path) -> None:
    content = arrays()
    first = read(tmp_path / "a.npz", content)
    renamed = {
        "images": content["x_train"],
        "labels": content["y_train"],
        "test_images": content["x_test"],
        "test_labels": content["y_test"],
        "classes": content["classes"],
        "something": np.zeros(3),
    }
    second = read(tmp_path / "b.npz", renamed)
    assert first.fingerprint == second.fingerprint
    np.testing.assert_array_equal(first.images, content["x_train"])
    np.testing.assert_array_equal(first.labels, content["y_train"])
    np.testing.assert_array_equal(first.test_images, content["x_test"])
    np.testing.assert_array_equal(first.test_labels, content["y_test"])
    assert first.classes == ("ant", "bee", "cow")
    assert first.name == "npz"
    assert str(tmp_path / "a.npz") in first.source


def test_grey_images_column_labels_no_test_no_classes(tmp_path: Path) -> None:
    content = arrays(x_test=None, y_test=None, classes=None)
    content["x_train"] = content["x_train"][..., 0]
    content["y_train"] = content["y_train"][:, None]
    data = read(tmp_path / "a.npz", content)
    assert data.images.shape == (12, 5, 5, 1)
    assert data.labels.shape == (12,)
    assert data.test_images is None
    assert data.classes == ("0", "1", "2")


def test_class_names_as_bytes_and_labels_only_in_the_test_set(tmp_path: Path) -> None:
    data = read(tmp_path / "a.npz", arrays(classes=np.array([b"ant", b"bee", b"cow", b"dog"])))
    assert data.classes == ("ant", "bee", "cow", "dog")
    more = arrays(classes=None, y_test=np.array([0, 1, 2, 3, 4, 0]))
    assert read(tmp_path / "b.npz", more).classes == ("0", "1", "2", "3", "4")


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"y_train": None}, ["`y_train` is missing", "`x_train`"]),
    ({"x_train": None}, ["`x_train` is missing", "`y_train`"]),
    ({"y_test": None}, ["`y_test` is missing", "`x_test`"]),
    ({"x_test": None}, ["`x_test` is missing", "`y_test`"]),
    ({"images": np.zeros(3)}, ["both namings", "`images`"]),
    ({"x_train": np.zeros((12, 5, 5, 3), np.float32)}, ["`x_train` is float32", "by 255"]),
    ({"x_train": np.zeros((12, 5, 5, 3), np.int64)}, ["`x_train` is int64", "uint8"]),
    ({"x_test": np.zeros((6, 5, 5, 3), bool)}, ["`x_test` is bool", "uint8"]),
    ({"x_train": np.zeros((12, 3, 5, 5), np.uint8)}, ["`x_train`", "(12, 3, 5, 5)", "transpose"]),
    ({"x_train": np.zeros((12, 5, 5, 4), np.uint8)}, ["`x_train`", "(12, 5, 5, 4)"]),
    ({"x_train": np.zeros((12, 75), np.uint8)}, ["`x_train`", "(12, 75)", "(N, H, W, 3)"]),
    ({"x_train": np.zeros((0, 5, 5, 3), np.uint8)}, ["`x_train` is empty"]),
    ({"x_test": np.zeros((6, 4, 4, 3), np.uint8)}, ["5x5", "4x4"]),
    ({"y_train": np.zeros(11, int)}, ["`y_train` has 11 labels", "`x_train` 12 images"]),
    ({"y_test": np.zeros(7, int)}, ["`y_test` has 7 labels", "`x_test` 6 images"]),
    ({"y_train": np.zeros(12)}, ["`y_train` is float64", "whole numbers"]),
    ({"y_train": np.eye(12, dtype=int)}, ["`y_train`", "(12, 12)", "argmax"]),
    ({"y_train": np.arange(12) - 1}, ["`y_train` has the label -1"]),
    ({"y_train": np.arange(12) % 4}, ["`y_train` has the label 3", "3 classes"]),
    ({"y_test": np.full(6, 9)}, ["`y_test` has the label 9", "3 classes"]),
    ({"y_train": np.full(12, 2**63, np.uint64)}, ["`y_train`", str(2**63)]),
    ({"y_train": np.arange(12) * 5, "classes": None}, ["label is 55", "without gaps"]),
    ({"y_train": np.zeros(12, int), "y_test": np.zeros(6, int), "classes": None}, ["two classes"]),
    ({"classes": np.arange(3)}, ["`classes` is int64", "texts"]),
    ({"classes": np.array([["a", "b", "c"]])}, ["`classes`", "(1, 3)"]),
    ({"classes": np.array(["a", "b", "b"])}, ["`b` is there twice"]),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_each_fault_names_file_key_and_remedy(
    tmp_path: Path, changes: dict[str, Any], words: list[str]
) -> None:
    path = tmp_path / "faulty.npz"
    with pytest.raises(DataError) as caught:
        read(path, arrays(**changes))
    for word in [str(path), *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("key", ["x_train", "y_train", "classes"])
def test_object_arrays_are_refused_and_not_unpickled(tmp_path: Path, key: str) -> None:
    marker = tmp_path / "executed"
    trap = np.array([Trap(marker)] * 12, dtype=object)
    with pytest.raises(DataError, match=f"`{key}` holds Python objects"):
        read(tmp_path / "a.npz", arrays(**{key: trap}))
    assert not marker.exists()


def test_missing_file_other_file_and_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "no.npz"
    spec = DataSpec(name="npz", path=str(path))
    with pytest.raises(DataError, match="no.npz: there is no such file"):
        load(spec)
    path.write_bytes(b"not a zip file")
    with pytest.raises(DataError, match="no.npz: this is not an npz file"):
        load(spec)
    with pytest.raises(DataError, match="no.npz: there are no images.*Found: nothing"):
        read(path, {})


def test_a_damaged_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays())
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        start = file.getinfo("y_train.npy").header_offset
    data[start + 180] ^= 255
    path.write_bytes(data)
    with pytest.raises(DataError, match="`y_train` is damaged"):
        load(DataSpec(name="npz", path=str(path)))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="a.npz: this is not an npz file|damaged"):
        load(DataSpec(name="npz", path=str(path)))


def test_a_second_member_of_the_same_name_is_not_read(tmp_path: Path) -> None:
    path, other = tmp_path / "a.npz", tmp_path / "other.npy"
    content = arrays()
    np.savez(path, **content)
    np.save(other, np.zeros((12, 9, 9, 9)))
    with zipfile.ZipFile(path, "a") as file:
        file.write(other, "x_train")
    data = load(DataSpec(name="npz", path=str(path)))
    np.testing.assert_array_equal(data.images, content["x_train"])
    np.savez(path, **arrays(x_train=None))
    with zipfile.ZipFile(path, "a") as file:
        file.write(other, "x_train")
    with pytest.raises(DataError, match="`x_train` is damaged"):
        load(DataSpec(name="npz", path=str(path)))


@pytest.mark.parametrize(
    ("shape", "words"),
    [((1000, 50, 50, 3), "shorter than its header"), ((10**7, 99, 99, 3), "GiB")],
)
def test_a_header_that_lies_takes_no_memory(
    tmp_path: Path, shape: tuple[int, ...], words: str
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays(x_train=None))
    with zipfile.ZipFile(path, "a") as file, file.open("x_train.npy", "w") as member:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(DataError) as caught:
        load(DataSpec(name="npz", path=str(path)))
    assert "`x_train`" in str(caught.value) and words in str(caught.value)


def test_large_arrays_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "MAX_BYTES", 899)
    with pytest.raises(DataError, match="`x_train` takes .* GiB; at most"):
        read(tmp_path / "a.npz", arrays())
    monkeypatch.setattr(npz, "MAX_BYTES", 900)
    assert len(read(tmp_path / "a.npz", arrays()).images) == 12
