"""Importing: layouts, single bad files, and a data set that is there completely or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from import_cases import bring, left_behind, png, quiet, two_classes, values, zip_file

from engine.datasets import ImageData, importing, load
from engine.datasets.file_problems import MOST_LISTED, UnusableFilesError
from engine.datasets.imported import delete_imported, imported_names, read_imported
from engine.datasets.importing import ImportChoice, import_data
from engine.datasets.picture_tree import read_tree
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def read(lab: Path, name: str = "photos") -> ImageData:
    return load(DataSpec(name="imported", path=name), lab)


@pytest.mark.parametrize("prefix", ["", "photos/", "a/b/"])
def test_one_folder_per_class_with_or_without_folders_around(tmp_path: Path, prefix: str) -> None:
    made = bring("zip", zip_file(tmp_path / "x.zip", two_classes(prefix)), tmp_path / "lab")
    data = read(tmp_path / "lab")
    assert (made.classes, made.counts.train, made.counts.test) == (("cat", "dog"), (3, 3), None)
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert values(data.images) == [0, 1, 2, 20, 21, 22]
    assert (made.height, made.width, made.channels) == (6, 6, 3)
    assert data.fingerprint == made.fingerprint


@pytest.mark.parametrize("test", ["test", "Val"])
def test_training_and_test_folders(tmp_path: Path, test: str) -> None:
    members = two_classes("x/train/") | two_classes(f"x/{test}/", 2, first=100)
    made = bring("zip", zip_file(tmp_path / "x.zip", members), tmp_path / "lab")
    data = read(tmp_path / "lab")
    assert made.counts.train == (3, 3)
    assert made.counts.test == (2, 2)
    assert data.test_images is not None
    assert values(data.test_images) == [100, 101, 120, 121]


def test_a_folder_gives_the_same_as_its_archive(tmp_path: Path) -> None:
    for name, data in (two_classes() | {"cat/notes.txt": b"x", ".git/cat/0.png": png(9)}).items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    archive = zip_file(tmp_path / "x.zip", two_classes())
    first = bring("folder", tmp_path / "tree", tmp_path / "lab", "one")
    second = bring("zip", archive, tmp_path / "lab", "two")
    assert first.fingerprint == second.fingerprint
    assert "1 other file ignored" in first.origin


def test_grey_and_coloured_pictures_become_coloured_and_sizes_one(tmp_path: Path) -> None:
    members = two_classes() | {"cat/wide.png": png(7, (12, 4), "L")}
    archive = zip_file(tmp_path / "x.zip", members)
    with pytest.raises(DataError, match=r"different sizes.*12x4.*give a resolution"):
        bring("zip", archive, tmp_path / "lab")
    assert left_behind(tmp_path / "lab") == []
    made = bring("zip", archive, tmp_path / "lab", resolution=4)
    assert (made.height, made.width, made.channels) == (4, 4, 3)


def test_files_that_cannot_be_used_are_all_named(tmp_path: Path) -> None:
    members = two_classes() | {"cat/bad.png": b"nothing", "cat/half.png": png(3, (90, 90))[:120]}
    members |= {"cat/deep/x.png": png(1), "loose.png": png(1)}
    archive = zip_file(tmp_path / "x.zip", members)
    with pytest.raises(UnusableFilesError) as caught:
        bring("zip", archive, tmp_path / "lab", resolution=6)
    assert dict(caught.value.problems.listed) == {
        "cat/deep/x.png": "lies deeper than its class folder",
        "loose.png": "lies in no class folder",
        "cat/bad.png": "this picture cannot be read (it is no picture of a kind that is known "
        "here, or it is damaged)",
        "cat/half.png": dict(caught.value.problems.listed)["cat/half.png"],
    }
    assert "truncated" in dict(caught.value.problems.listed)["cat/half.png"]
    assert str(caught.value).startswith("4 of 10 files cannot be used: ")
    assert left_behind(tmp_path / "lab") == []
    made = bring("zip", archive, tmp_path / "lab", resolution=6, skip=True)
    assert made.counts.train == (3, 3)
    assert made.left_out["count"] == 4
    assert "4 unusable left out" in made.origin
    assert values(read(tmp_path / "lab").images) == [0, 1, 2, 20, 21, 22]


def test_only_the_first_problems_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    bad = {f"cat/bad{n}.png": b"x" for n in range(MOST_LISTED + 5)}
    archive = zip_file(tmp_path / "x.zip", two_classes() | bad)
    with pytest.raises(UnusableFilesError, match="; and 5 more. Mend them") as caught:
        bring("zip", archive, tmp_path / "lab")
    assert caught.value.problems.count == MOST_LISTED + 5
    assert len(caught.value.problems.to_json()["files"]) == MOST_LISTED


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"readme.txt": b"x"}, "there are no pictures in it"),
        ({"cat/1.png": png(1)}, "there is only one class, `cat`"),
        ({"1.png": png(1), "2.png": png(1)}, "1.png lies in no class folder"),
        (two_classes("train/") | {"test/cat/1.png": png(1)}, "class `dog` has no pictures in the"),
        ({"cat/1.png": b"x", "dog/1.png": b"y"}, "None of the pictures can be read"),
        ({"cat/1.png": png(1), "cat/2.png": png(1), "dog/1.png": b""}, "the class `dog` has no"),
    ],
)
def test_what_is_no_data_set(tmp_path: Path, members: dict[str, bytes], said: str) -> None:
    with pytest.raises(DataError, match=said):
        bring("zip", zip_file(tmp_path / "x.zip", members), tmp_path / "lab", skip=True)
    assert left_behind(tmp_path / "lab") == []


def test_a_stranger_beside_train_is_named() -> None:
    tree = read_tree(["train/a/1.png", "train/b/1.png", "more/a/1.png", "val/a/1.png",
                      "val/b/1.png", "test/a/1.png", "test/b/1.png"], "x")  # fmt: skip
    assert tree.misplaced == (("more/a/1.png", "lies beside train/ and belongs to no part"),)
    assert tree.note == "val/ not used"
    assert [item.name for item in tree.placed if item.test] == ["test/a/1.png", "test/b/1.png"]


def test_npz(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (8, 5, 4), dtype=np.uint8),
        "y_train": np.arange(8) % 2,
        "classes": np.array(["left", "right"]),
    }
    np.savez(tmp_path / "x.npz", **arrays)
    made = bring("npz", tmp_path / "x.npz", tmp_path / "lab")
    assert (made.origin, made.classes, made.counts.train) == ("x.npz", ("left", "right"), (4, 4))
    assert (read(tmp_path / "lab").images[..., 0] == arrays["x_train"]).all()
    smaller = bring("npz", tmp_path / "x.npz", tmp_path / "lab", "small", resolution=4)
    assert (smaller.height, smaller.width) == (4, 4)
    np.savez(tmp_path / "bad.npz", x_train=arrays["x_train"])
    with pytest.raises(DataError, match=r"^bad.npz: `y_train` is missing"):
        bring("npz", tmp_path / "bad.npz", tmp_path / "lab", "other")
    np.savez(tmp_path / "bad.npz", x_train=np.array([{}], object), y_train=np.array([0]))
    with pytest.raises(DataError, match="holds Python objects, which are never read"):
        bring("npz", tmp_path / "bad.npz", tmp_path / "lab", "other")


def test_a_class_without_images_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x_train=np.zeros((3, 4, 4), np.uint8), y_train=[0, 2, 0])
    with pytest.raises(DataError, match="the class `1` has no image in the training part"):
        bring("npz", tmp_path / "x.npz", tmp_path / "lab")


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 81, "digits", "photos"])
def test_names_that_are_impossible_or_in_use(tmp_path: Path, name: str) -> None:
    archive = zip_file(tmp_path / "x.zip", two_classes())
    bring("zip", archive, tmp_path / "lab")
    before = left_behind(tmp_path / "lab")
    with pytest.raises(DataError, match="^--name: "):
        bring("zip", archive, tmp_path / "lab", name)
    assert left_behind(tmp_path / "lab") == before
    with pytest.raises(DataError, match="`tar` cannot be imported; known are: zip, npz"):
        import_data("tar", "x", "y", tmp_path, ImportChoice(), quiet)


def test_a_break_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    archive = zip_file(tmp_path / "x.zip", two_classes())
    monkeypatch.setattr("engine.datasets.imported.os.rename", broken)
    with pytest.raises(KeyboardInterrupt):
        bring("zip", archive, tmp_path / "lab")
    assert left_behind(tmp_path / "lab") == []
    assert imported_names(tmp_path / "lab") == []


def test_changed_images_are_not_loaded(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    bring("zip", zip_file(tmp_path / "x.zip", two_classes()), lab)
    path = lab / "imported" / "photos" / "data.npz"
    with np.load(path) as arrays:
        kept = dict(arrays)
    kept["y_train"] = kept["y_train"][::-1].copy()
    np.savez(path, **kept)
    with pytest.raises(DataError, match="its images are not those that were imported"):
        read(lab)


def test_a_damaged_description_is_told(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    bring("zip", zip_file(tmp_path / "x.zip", two_classes()), lab)
    header = lab / "imported" / "photos" / "dataset.json"
    fields = json.loads(header.read_text())
    header.write_text(json.dumps(fields | {"classes": ["one"]}))
    with pytest.raises(DataError, match="is damaged .its description does not fit"):
        read_imported(lab, "photos")


def test_deleting(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    bring("zip", zip_file(tmp_path / "x.zip", two_classes()), lab)
    delete_imported(lab, "photos")
    assert not (lab / "imported" / "photos").exists()
    for name in ("photos", "../imported"):
        with pytest.raises(DataError, match="there is no imported data set"):
            delete_imported(lab, name)
        with pytest.raises(DataError, match="there are: none"):
            read(lab, name)


def test_every_kind_is_described() -> None:
    assert set(importing.KINDS) == {"zip", "npz", "folder", "huggingface"}
