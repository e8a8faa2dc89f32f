"""The bundle of a run folder: complete, equal for equal folders, safe for running ones."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from engine.export.bundle import bundle_bytes, bundle_files, write_bundle, write_folders
from engine.spec.errors import ExportError

FILES = {
    "spec.yaml": b"seed: 1\n",
    "events.jsonl": b'{"seq": 0}\n' * 1000,
    "result.json": b"{}",
    "empty.txt": b"",
    "architectures/1/weights.safetensors": os.urandom(5000),
    "architectures/10/model.py": b"x = 1\n",
    "architectures/2/model.py": b"x = 2\n",
    "name with blanks \u00e4.txt": b"text",
}
LEFT_OUT = {
    ".lock": b"",
    ".events.jsonl.123.abc": b"half",
    "architectures/1/.model.py.9.f": b"half",
    ".hidden/file": b"x",
}


def make(folder: Path) -> Path:
    for name, data in (FILES | LEFT_OUT | {"checkpoints/last.safetensors": b"big"}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make(tmp_path / "runs" / "some-run")


def content(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_every_file_is_in_it(run: Path) -> None:
    assert content(bundle_bytes(run)) == {f"some-run/{name}": FILES[name] for name in FILES}


def test_checkpoints_on_request(run: Path) -> None:
    found = content(bundle_bytes(run, checkpoints=True))
    assert found["some-run/checkpoints/last.safetensors"] == b"big"
    assert len(found) == len(FILES) + 1


def test_equal_folders_give_equal_bundles(run: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "elsewhere" / "some-run")
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    (other / "spec.yaml").chmod(0o600)
    assert bundle_bytes(other) == bundle_bytes(run)
    (other / "spec.yaml").write_bytes(b"seed: 2\n")
    assert bundle_bytes(other) != bundle_bytes(run)


def test_order_is_by_name(run: Path) -> None:
    names = [path.as_posix() for path in bundle_files(run)]
    assert names == sorted(FILES, key=lambda name: name.split("/"))


def test_path_and_stream_agree(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "bundle.zip"
    assert write_bundle(run, out) == out
    assert out.read_bytes() == bundle_bytes(run)
    assert [path.name for path in out.parent.iterdir()] == ["bundle.zip"]


def test_several_folders_stand_side_by_side(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "spec.yaml").write_text("seed: 2")
    out = io.BytesIO()
    write_folders({"other": other, run.name: run}, {"notes.txt": b"both"}, out)
    alone = zipfile.ZipFile(io.BytesIO(bundle_bytes(run))).namelist()
    both = zipfile.ZipFile(out)
    assert sorted(both.namelist()) == sorted(["notes.txt", "other/spec.yaml", *alone])
    assert both.testzip() is None


def test_links_are_left_out(run: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_bytes(b"key")
    (run / "link").symlink_to(secret / "key")
    (run / "folder").symlink_to(secret)
    os.mkfifo(run / "pipe")
    assert content(bundle_bytes(run)).keys() == {f"some-run/{name}" for name in FILES}


def test_a_bundle_in_the_folder_does_not_hold_itself(run: Path) -> None:
    first = write_bundle(run, run / "bundle.zip")
    again = write_bundle(run, run / "bundle.zip")
    assert isinstance(first, Path) and isinstance(again, Path)
    assert content(again.read_bytes()).keys() == {f"some-run/{name}" for name in FILES}


def test_a_file_that_grows_is_cut_at_its_length(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run / "events.jsonl"
    real, grown = os.fstat, []

    def fstat(number: int) -> os.stat_result:
        found = real(number)
        if found.st_ino == path.stat().st_ino and not grown:
            grown.append(True)
            with open(path, "ab") as file:
                file.write(b"more\n" * 100_000)
        return found

    monkeypatch.setattr(os, "fstat", fstat)
    assert content(bundle_bytes(run))["some-run/events.jsonl"] == FILES["events.jsonl"]
    assert grown


def test_a_file_that_vanishes_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "engine.export.bundle.bundle_files", lambda *_: iter([Path("spec.yaml"), Path("gone")])
    )
    with pytest.raises(ExportError, match="gone cannot be read for the bundle"):
        bundle_bytes(run)


def test_large_files_go_through_in_pieces(run: Path, tmp_path: Path) -> None:
    class Counting(io.BytesIO):
        largest = 0

        def write(self, data: bytes) -> int:  # type: ignore[override]
            Counting.largest = max(Counting.largest, len(data))
            return super().write(data)

    (run / "large.npz").write_bytes(bytes(5_000_000))
    stream = Counting()
    write_bundle(run, stream)
    assert len(content(stream.getvalue())["some-run/large.npz"]) == 5_000_000
    assert Counting.largest <= 2**20


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="There is no run folder"):
        bundle_bytes(tmp_path / "none")


def test_a_failed_bundle_leaves_the_old_one(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    out.write_bytes(b"old")
    with pytest.raises(ExportError):
        write_bundle(tmp_path / "none", out)
    assert out.read_bytes() == b"old"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_full_disk_is_named(run: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this machine has no /dev/full")
    (run / "noise.safetensors").write_bytes(os.urandom(300_000))
    refused = pytest.raises(ExportError, match="Cannot write the bundle: No space left on device")
    with open(full, "wb", buffering=0) as stream, refused:
        write_bundle(run, stream)
