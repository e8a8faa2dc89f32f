"""ZIP archives of a benchmark's folder: read like the folder, refused when they are hostile."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_cases import CELLS, benchmark, write_bz2

from engine.spec.errors import TableError
from engine.tables import zip_folder
from engine.tables.importing import guess_kind, import_table
from engine.tables.store import imported, open_table, tables_folder
from engine.tables.zip_folder import is_zip, unpacked


def silent(what: str, done: int, total: int | None) -> None:
    """Report nothing."""


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def read(path: Path, beside: Path) -> dict[str, bytes]:
    """Unpack an archive, and check that nothing is left of it afterwards."""
    beside.mkdir(exist_ok=True)
    with unpacked(path, beside, silent) as folder:
        found = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
    assert list(beside.iterdir()) == []
    return found


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    files = {"a.json": b"{}", "inner/b.json": b"[1]"}
    assert read(packed(tmp_path / "x.zip", files), tmp_path / "here") == files


def test_folders_around_everything_and_litter_are_left_out(tmp_path: Path) -> None:
    files = {
        "outer/inner/a.json": b"1",
        "outer/inner/b.json": b"2",
        "__MACOSX/outer/._a.json": b"x",
        "outer/.DS_Store": b"x",
    }
    found = read(packed(tmp_path / "x.zip", files), tmp_path / "here")
    assert found == {"a.json": b"1", "b.json": b"2"}


@pytest.mark.parametrize(
    "name",
    ["../out.json", "/etc/out.json", "a/../../out.json", "a\\..\\out.json", "C:out.json", ".."],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "x.zip", {"good.json": b"1", name: b"2"})
    with pytest.raises(TableError, match="leads out of the archive's folder"):
        read(path, tmp_path / "here")
    assert sorted(p.name for p in tmp_path.rglob("*.json")) == []


segment = st.sampled_from(["..", ".", "", "a", "b.json", "\\", "c:", "~"])


@given(st.lists(segment, min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_no_name_escapes(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    home = tmp_path_factory.mktemp("zip")
    path = packed(home / "x.zip", {"/".join(parts) or "nameless": b"!"})
    if parts == [""]:  # what `zipfile` would not write itself
        path.write_bytes(path.read_bytes().replace(b"nameless", b"\0ameless"))
    (home / "here").mkdir()
    try:
        with unpacked(path, home / "here", silent) as folder:
            inside = [p for p in folder.rglob("*") if p.is_file()]
            assert len(inside) == 1
    except TableError:
        pass
    assert sorted(p.name for p in home.iterdir()) == ["here", "x.zip"]
    assert list((home / "here").iterdir()) == []


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(TableError, match="'link' leads out"):
        read(tmp_path / "x.zip", tmp_path / "here")


def test_sizes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "x.zip", {f"{n}.json": b"0" * 1000 for n in range(4)})
    monkeypatch.setattr(zip_folder, "MOST_FILES", 3)
    with pytest.raises(TableError, match="it has 4 files"):
        read(path, tmp_path / "here")
    monkeypatch.setattr(zip_folder, "MOST_FILES", 4)
    monkeypatch.setattr(zip_folder, "MOST_BYTES", 3999)
    with pytest.raises(TableError, match="up to 4 files"):
        read(path, tmp_path / "here")
    monkeypatch.setattr(zip_folder, "MOST_BYTES", 4000)
    assert len(read(path, tmp_path / "here")) == 4


def test_an_entry_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.zip", {"a.json": b"0" * 5000})
    data = path.read_bytes()
    true, false = (5000).to_bytes(4, "little"), (50).to_bytes(4, "little")
    assert data.count(true) >= 2, "the size stands before the file and in the directory"
    path.write_bytes(data.replace(true, false))
    with pytest.raises(TableError, match="not unpacked"):
        read(path, tmp_path / "here")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04nothing", b"hello"])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(TableError, match="x.zip was not unpacked"):
        read(tmp_path / "x.zip", tmp_path / "here")


def test_an_empty_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="it has no files"):
        read(packed(tmp_path / "x.zip", {}), tmp_path / "here")


def test_a_benchmark_in_a_zip_is_imported_like_its_folder(tmp_path: Path) -> None:
    simple = tmp_path / "NATS-tss-v1_0-small-simple"
    simple.mkdir()
    content = benchmark()
    meta = {"meta_archs": content["meta_archs"], "evaluated_indexes": [0, 1, 2]}
    write_bz2(simple / "meta.pickle.pbz2", meta)
    for index, info in content["arch2infos"].items():
        write_bz2(simple / f"{index:06d}.pickle.pbz2", info)
    files = {f"{simple.name}/{p.name}": p.read_bytes() for p in simple.iterdir()}
    path = packed(tmp_path / f"{simple.name}.zip", files)
    of_folder = import_table("nats_tss", simple, tmp_path, "folder")
    of_zip = import_table("nats_tss", path, tmp_path, "zipped")
    assert of_zip.source == path.name and of_zip.columns == of_folder.columns
    for column in of_folder.columns:
        pair = [open_table(tmp_path, name).values(column.name) for name in ("folder", "zipped")]
        np.testing.assert_array_equal(*pair)
    assert len(open_table(tmp_path, "zipped")) == len(CELLS)
    left = sorted(p.name for p in tables_folder(tmp_path).iterdir())
    assert left == ["folder", "zipped"], "what was unpacked is gone"


def test_a_bad_zip_leaves_nothing(tmp_path: Path) -> None:
    path = packed(tmp_path / "darts.zip", {"results_1.json": b"{}"})
    with pytest.raises(TableError):
        import_table("darts", path, tmp_path)
    assert imported(tmp_path) == [] and list(tables_folder(tmp_path).iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nasbench201.csv.gz", "csv"),
        ("Mine.CSV", "csv"),
        ("NAS-Bench-201-v1_1-096897.pth", "nb201"),
        ("NATS-tss-v1_0-3ffb9.pickle.pbz2", "nats_tss"),
        ("NATS-tss-v1_0-3ffb9-simple", "nats_tss"),
        ("NATS-sss-v1_0-50262-simple.zip", "nats_sss"),
        ("nasbench_only108.tfrecord", "nb101"),
        ("nb_301_v13.zip", "darts"),
        ("results", None),
    ],
)
def test_names_give_kinds_away(name: str, kind: str | None) -> None:
    assert guess_kind(name) == kind


def test_only_files_called_so_are_archives(tmp_path: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "a.ZIP").touch()
    assert is_zip(tmp_path / "a.ZIP") and not is_zip(tmp_path / "folder.zip")
