"""Hostile archives: refused from their table of contents, or harmless."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from import_cases import bring, left_behind, png, two_classes, zip_file

from engine.datasets import zip_pictures
from engine.datasets.file_problems import UnusableFilesError
from engine.datasets.zip_pictures import check
from engine.spec.errors import DataError


def member(name: str, mode: int = 0, **fields: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    for key, value in fields.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (member("../cat/1.png"), "points outside"),
        (member("cat/../../1.png"), "points outside"),
        (member("/etc/cat/1.png"), "points outside"),
        (member("cat\\..\\1.png"), "points outside"),
        (member("cat/1.png\0.txt"), "points outside"),
        (member("cat/1.png", stat.S_IFLNK | 0o777), "is a link or a device"),
        (member("cat/1.png", stat.S_IFCHR), "is a link or a device"),
        (member("cat/1.png", flag_bits=1), "protected by a password"),
        (member("cat/1.png", file_size=2**40, compress_size=2**40), "unfolds to"),
    ],
)
def test_members_that_make_the_archive_refused(info: zipfile.ZipInfo, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check("x.zip", [member("cat/0.png"), info])


def test_bombs_and_crowds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check("x.zip", [member("a", file_size=2**20, compress_size=1)])  # small ones may shrink a lot
    half = zip_pictures.RATIO_FROM_BYTES // 2 + 1
    bomb = [member(name, file_size=half, compress_size=half // 200) for name in "ab"]
    with pytest.raises(DataError, match="no collection of pictures does"):
        check("x.zip", bomb)
    monkeypatch.setattr(zip_pictures, "MAX_MEMBERS", 2)
    with pytest.raises(DataError, match="at most 2 files"):
        check("x.zip", [member(name) for name in "abc"])
    with pytest.raises(DataError, match="`a` is in the archive twice"):
        check("x.zip", [member("a"), member("a")])


def test_a_link_in_a_real_archive(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x.zip", two_classes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member("cat/passwd.png", stat.S_IFLNK | 0o777), "/etc/passwd")
    with pytest.raises(DataError, match="`cat/passwd.png` is a link"):
        bring("zip", path, tmp_path / "lab")


def test_a_member_that_lies_about_its_size_is_one_bad_file(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x.zip", two_classes() | {"cat/liar.png": png(5)})
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"cat/liar.png"))
    size = struct.unpack_from("<I", data, place + 24)[0]
    struct.pack_into("<I", data, place + 16, 0x12345678)  # another checksum
    struct.pack_into("<I", data, place + 24, size - 1)
    path.write_bytes(data)
    with pytest.raises(UnusableFilesError, match="1 of 7 files cannot be used: cat/liar.png"):
        bring("zip", path, tmp_path / "lab")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"hello"])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(DataError, match="no ZIP archive"):
        bring("zip", tmp_path / "x.zip", tmp_path / "lab")
    with pytest.raises(DataError, match="there is no such file"):
        bring("zip", tmp_path / "none.zip", tmp_path / "lab")


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.integers(0, 40))
def test_damage_gives_a_sentence_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    path = zip_file(folder / "x.zip", two_classes(each=1))
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    path.write_bytes(data[: len(data) - cut])
    try:
        bring("zip", path, folder / "lab")
    except DataError:
        assert left_behind(folder / "lab") == []
