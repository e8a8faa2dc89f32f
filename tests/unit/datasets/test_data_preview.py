"""What pages show: facts against the data themselves, and pictures that are some of the images."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from import_cases import bring, png, two_classes, zip_file

from engine.datasets import load, preview
from engine.datasets.cifar_layout import LAYOUTS
from engine.datasets.imported import delete_imported
from engine.datasets.official import keep_archive
from engine.datasets.preview import make_preview, read_pictures, read_preview, stamp_of
from engine.spec.data import DataSpec
from engine.spec.errors import DataError


def test_facts_of_the_digits(tmp_path: Path) -> None:
    assert read_preview("digits", tmp_path) is None
    made = make_preview("digits", tmp_path)
    assert read_preview("digits", tmp_path) == made
    data = load(DataSpec())
    scaled = data.images.astype(np.float64) / 255
    assert made.mean == pytest.approx(scaled.mean(axis=(0, 1, 2)))
    assert made.std == pytest.approx(scaled.std(axis=(0, 1, 2)))
    assert list(made.counts.train) == [int((data.labels == n).sum()) for n in range(10)]
    assert (made.height, made.width, made.channels) == (8, 8, 1)
    assert made.fingerprint == data.fingerprint
    shown = read_pictures("digits", tmp_path)
    assert len(shown.images) == 1797
    known = {
        (image.tobytes(), int(label))
        for image, label in zip(data.images, data.labels, strict=True)
    }
    there = {
        (image.tobytes(), int(label))
        for image, label in zip(shown.images, shown.labels, strict=True)
    }
    assert there == known
    with pytest.raises(DataError, match="small pictures cannot be read"):
        read_pictures("digits", tmp_path, test=True)


def test_only_some_pictures_are_kept_in_proportion_and_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST_PICTURES", 10)
    members = {f"cat/{n}.png": png(10, (200, 100)) for n in range(30)}
    members |= {f"dog/{n}.png": png(200, (200, 100)) for n in range(20)}
    bring("zip", zip_file(tmp_path / "x.zip", members), tmp_path / "lab")
    shown = read_pictures("photos", tmp_path / "lab")
    assert shown.images.shape == (10, 48, 96, 3)
    assert np.bincount(shown.labels).tolist() == [6, 4]
    assert [int(image.mean()) for image in shown.images] == [
        10 if label == 0 else 200 for label in shown.labels
    ]


def test_a_preview_of_another_state_is_none(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    bring("zip", zip_file(tmp_path / "x.zip", two_classes()), lab)
    assert read_preview("photos", lab) is not None
    delete_imported(lab, "photos")
    bring("zip", zip_file(tmp_path / "x.zip", two_classes(each=4)), lab, "others")
    (lab / "previews" / "others").rename(lab / "previews" / "aside")
    (lab / "previews" / "photos").rename(lab / "previews" / "others")
    assert read_preview("others", lab) is None
    for damage in ("{}", "not json"):
        (lab / "previews" / "others" / "preview.json").write_text(damage)
        assert read_preview("others", lab) is None
    assert make_preview("others", lab).counts.train == (4, 4)
    assert read_preview("others", lab) is not None


def test_names_that_are_no_data_set(tmp_path: Path) -> None:
    for name in ("npz", "imported", "x", "../digits"):
        with pytest.raises(DataError, match="There is no data set .* there are: cifar10, cifar10"):
            make_preview(name, tmp_path)
    assert stamp_of("cifar10", tmp_path) is None


def test_an_official_archive_is_told_by_its_checksum_and_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    given = tmp_path / "downloaded.tgz"
    given.write_bytes(b"an archive")
    with pytest.raises(DataError, match="is that of no official archive"):
        keep_archive(given, tmp_path / "lab")
    binary = LAYOUTS["cifar100"].binary
    md5 = hashlib.md5(b"an archive").hexdigest()
    archive = replace(binary.archive, md5=md5)
    layout = replace(LAYOUTS["cifar100"], binary=replace(binary, archive=archive))
    monkeypatch.setitem(LAYOUTS, "cifar100", layout)
    name, path = keep_archive(given, tmp_path / "lab")
    assert (name, path) == ("cifar100", tmp_path / "lab" / archive.file_name)
    assert path.read_bytes() == b"an archive"
    assert [p.name for p in path.parent.iterdir()] == [archive.file_name]
    assert keep_archive(path, tmp_path / "lab") == (name, path)
    assert path.read_bytes() == b"an archive"
    assert stamp_of("cifar100", tmp_path / "lab") is not None
    with pytest.raises(DataError, match="there is no such file"):
        keep_archive(tmp_path / "none", tmp_path / "lab")
