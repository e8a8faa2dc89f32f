"""Downloads against a server on this machine: checked, continued, atomic, clear when they fail."""

from __future__ import annotations

import fcntl
import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from engine.datasets import fetch as fetch_module
from engine.datasets.cifar_layout import LAYOUTS, OfficialArchive
from engine.datasets.fetch import download, fetch
from engine.spec.errors import DataError

CONTENT = np.random.default_rng(0).bytes(1_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@dataclass
class Behaviour:
    """What the server does, and what it was asked."""

    content: bytes = CONTENT
    ranges: bool = True
    wrong_range: bool = False
    status: int = 0
    stop_after: int | None = None
    silent: bool = False
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        how = self.server.behaviour
        asked = self.headers.get("Range")
        how.asked.append(asked)
        how.paths.append(self.path)
        if how.silent:
            self.server.released.wait(10)
            return
        if how.status:
            self.send_error(how.status)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and how.ranges else 0
        if start and start >= len(how.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            first = start - 1 if how.wrong_range else start
            last, size = len(how.content) - 1, len(how.content)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(len(how.content) - start))
        self.end_headers()
        self.wfile.write(how.content[start : how.stop_after])

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = Behaviour()
        self.released = threading.Event()

    @property
    def archive(self) -> OfficialArchive:
        return OfficialArchive(
            f"http://127.0.0.1:{self.server_port}/files/data.tar.gz", MD5, len(CONTENT)
        )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"data.tar.gz.lock"}


def failure(server: Server, folder: Path, **more: float) -> str:
    with pytest.raises(DataError) as caught:
        download(server.archive, folder, **more)
    return str(caught.value)


def test_a_whole_download_reports_its_progress(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = download(
        server.archive, tmp_path / "new" / "folder", progress=lambda n, of: seen.append((n, of))
    )
    assert path == tmp_path / "new" / "folder" / "data.tar.gz"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == {"data.tar.gz"}
    assert seen == sorted(seen) and len(seen) > 2
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.behaviour.asked == [None]


def test_what_is_there_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.tar.gz").write_bytes(CONTENT)
    download(server.archive, tmp_path)
    assert server.behaviour.asked == []


def test_a_damaged_archive_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.tar.gz").write_bytes(CONTENT[:-1] + b"!")
    assert download(server.archive, tmp_path).read_bytes() == CONTENT


def test_a_broken_download_is_kept_and_continued(server: Server, tmp_path: Path) -> None:
    server.behaviour.stop_after = 400_000
    message = failure(server, tmp_path)
    for word in (server.archive.url, "400000 of 1000000", "same command again", "data.path"):
        assert word in message
    assert names(tmp_path) == {"data.tar.gz.part"}
    server.behaviour.stop_after = None
    path = download(server.archive, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.behaviour.asked == [None, "bytes=400000-"]
    assert names(tmp_path) == {"data.tar.gz"}


@pytest.mark.parametrize(
    ("change", "asked"),
    [({"ranges": False}, ["bytes=1000-"]), ({"wrong_range": True}, ["bytes=1000-", None])],
)
def test_a_server_that_cannot_continue_starts_over(
    server: Server, tmp_path: Path, change: dict[str, bool], asked: list[str | None]
) -> None:
    (tmp_path / "data.tar.gz.part").write_bytes(CONTENT[:1000])
    server.behaviour = Behaviour(**change)
    assert download(server.archive, tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked == asked


@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * 1_000_000, b"x" * 1_000_001])
def test_a_wrong_part_is_thrown_away_and_the_download_begun_again(
    server: Server, tmp_path: Path, part: bytes
) -> None:
    (tmp_path / "data.tar.gz.part").write_bytes(part)
    assert download(server.archive, tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked[-1] is None


def test_a_part_longer_than_the_servers_file_is_thrown_away(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "data.tar.gz.part").write_bytes(b"x" * 600_000)
    server.behaviour.content = CONTENT[:500_000]
    assert "500000 of 1000000" in failure(server, tmp_path)
    assert server.behaviour.asked == ["bytes=600000-", None]


def test_a_wrong_checksum_names_both_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    other = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    server.behaviour.content = other
    message = failure(server, tmp_path)
    for word in (MD5, hashlib.md5(other).hexdigest(), server.archive.url, "thrown away"):
        assert word in message
    assert server.behaviour.asked == [None]
    assert (tmp_path / "data.tar.gz.part").stat().st_size == 0
    assert not (tmp_path / "data.tar.gz").exists()


def test_more_than_expected_is_not_stored(server: Server, tmp_path: Path) -> None:
    server.behaviour.content = CONTENT * 2
    assert "more than the 1000000 bytes" in failure(server, tmp_path)
    assert (tmp_path / "data.tar.gz.part").stat().st_size == 0


@pytest.mark.parametrize("status", [403, 404, 500])
def test_the_servers_refusal_is_reported(server: Server, tmp_path: Path, status: int) -> None:
    server.behaviour.status = status
    message = failure(server, tmp_path)
    assert f"answered {status}" in message and server.archive.url in message


def test_a_silent_server_times_out(server: Server, tmp_path: Path) -> None:
    server.behaviour.silent = True
    message = failure(server, tmp_path, timeout=0.2)
    assert "timed out" in message and server.archive.url in message


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        archive = OfficialArchive(f"http://127.0.0.1:{port}/data.tar.gz", MD5, 3)
        with pytest.raises(DataError) as caught:
            download(archive, tmp_path)
    for word in (archive.url, "no connection", "refused", "data.path"):
        assert word in str(caught.value)


def test_two_processes_do_not_write_the_same_file(server: Server, tmp_path: Path) -> None:
    with (tmp_path / "data.tar.gz.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another process is downloading" in failure(server, tmp_path)
    assert download(server.archive, tmp_path).read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert "cannot be stored" in failure(server, tmp_path / "file" / "cache")


def test_an_interrupted_caller_leaves_a_part_that_continues(
    server: Server, tmp_path: Path
) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise Stop

    with pytest.raises(Stop):
        download(server.archive, tmp_path, progress=stop)
    have = (tmp_path / "data.tar.gz.part").stat().st_size
    assert have > len(CONTENT) // 2
    assert download(server.archive, tmp_path).read_bytes() == CONTENT
    assert server.behaviour.asked == [None, f"bytes={have}-"]


@pytest.mark.parametrize("name", sorted(LAYOUTS))
@pytest.mark.parametrize("kind", ["binary", "python"])
def test_fetch_takes_the_official_address_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    asked: list[OfficialArchive] = []
    monkeypatch.setattr(
        fetch_module,
        "download",
        lambda archive, folder, **_: asked.append(archive) or folder / archive.file_name,
    )
    path = fetch(name, tmp_path, kind=kind)  # type: ignore[arg-type]
    number = name.removeprefix("cifar")
    assert path == tmp_path / f"cifar-{number}-{kind}.tar.gz"
    assert asked[0].url == f"https://www.cs.toronto.edu/~kriz/cifar-{number}-{kind}.tar.gz"


def test_fetch_of_anything_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`digits` cannot be downloaded.*cifar10, cifar100"):
        fetch("digits", tmp_path)
