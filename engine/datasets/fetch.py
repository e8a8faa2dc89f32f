"""Downloading the official archives: checked, continued after a break, and never half there."""

from __future__ import annotations

import contextlib
import fcntl
import http
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from engine.datasets.archives import md5_of
from engine.datasets.cifar import default_cache_dir
from engine.datasets.cifar_layout import LAYOUTS, OfficialArchive
from engine.spec.errors import DataError

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes of the whole file."""

_BLOCK = 1 << 18


def fetch(
    name: str,
    cache_dir: Path | None = None,
    *,
    kind: Literal["binary", "python"] = "binary",
    timeout: float = 30.0,
    progress: Progress | None = None,
) -> Path:
    """Download an official archive into the cache unless it is there, and return its path.

    Args:
        name: cifar10 or cifar100.
        cache_dir: where `load` looks for it; by default `default_cache_dir()`.
        kind: the binary version needs no pickle; the python version is the better known one.
        timeout: seconds to wait for the connection and for each block of data.
        progress: see `Progress`.

    Raises:
        DataError: nothing to download under this name, no connection, or a wrong checksum.
    """
    if name not in LAYOUTS:
        raise DataError(
            f"data.name: `{name}` cannot be downloaded; these can: {', '.join(sorted(LAYOUTS))}."
        )
    archive = getattr(LAYOUTS[name], kind).archive
    return download(archive, cache_dir or default_cache_dir(), timeout=timeout, progress=progress)


def download(
    archive: OfficialArchive,
    folder: Path,
    *,
    timeout: float = 30.0,
    progress: Progress | None = None,
) -> Path:
    """Download one archive; a broken download is continued by the next call.

    The data grow in `<name>.part`, which becomes the archive by a rename only after its MD5 was
    found right. A lock keeps two processes from writing at once.

    Raises:
        DataError: no connection, a broken connection, a wrong checksum, or a second process.
    """
    target = folder / archive.file_name
    part = target.with_name(f"{target.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(f"{target.name}.lock")):
            if target.is_file() and md5_of(target) == archive.md5:
                return target
            with part.open("ab") as file:
                _complete(archive, file, part, timeout, progress)
                os.fsync(file.fileno())
            os.replace(part, target)
    except OSError as error:
        raise DataError(
            f"{target}: the download cannot be stored ({error.strerror or error})."
        ) from None
    return target


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"{path.with_suffix('')}: another process is downloading this file; wait for it."
            ) from None
        yield


def _complete(
    archive: OfficialArchive, file: BinaryIO, part: Path, timeout: float, progress: Progress | None
) -> None:
    """Fill the part file and check it; begun again once if a continued file turns out wrong."""
    while True:
        continued = _receive(archive, file, timeout, progress)
        file.flush()
        md5 = md5_of(part)
        if md5 == archive.md5:
            return
        file.truncate(0)
        if not continued:
            raise DataError(
                f"{archive.url}: the MD5 of what arrived is {md5}, the official one is "
                f"{archive.md5}; the file was thrown away. Try again later, or download it by "
                f"hand and set data.path to it."
            )


def _receive(
    archive: OfficialArchive, file: BinaryIO, timeout: float, progress: Progress | None
) -> bool:
    """Append what is missing.

    Returns whether an earlier download had a part in the outcome, good or bad; if the result is
    wrong, one may then begin again.
    """
    have = file.seek(0, os.SEEK_END)
    if have > archive.size:
        file.truncate(0)
        have = 0
    if have == archive.size:
        return True
    headers = {"User-Agent": "nas-workbench", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(archive.url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            if have and not _continues(answer, have):
                file.truncate(0)
                if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
                    return True
                have = 0
            received = _copy(answer, file, have, archive, progress)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            file.truncate(0)
            return True
        raise _failed(archive, f"the server answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _failed(archive, f"no connection ({error.reason})") from None
    except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise _failed(archive, f"the connection broke ({reason})") from None
    if received < archive.size:
        raise _failed(archive, f"the connection ended after {received} of {archive.size} bytes")
    return have > 0


def _continues(answer: http.client.HTTPResponse, have: int) -> bool:
    where = answer.headers.get("Content-Range", "")
    return answer.status == http.HTTPStatus.PARTIAL_CONTENT and where.startswith(f"bytes {have}-")


def _copy(
    answer: http.client.HTTPResponse,
    file: BinaryIO,
    have: int,
    archive: OfficialArchive,
    progress: Progress | None,
) -> int:
    """Append the answer's body and return the new length of the file."""
    while block := answer.read(_BLOCK):
        have += len(block)
        if have > archive.size:
            file.truncate(0)
            raise _failed(archive, f"the server sends more than the {archive.size} bytes known")
        file.write(block)
        if progress is not None:
            progress(have, archive.size)
    file.flush()
    return have


def _failed(archive: OfficialArchive, reason: str) -> DataError:
    return DataError(
        f"{archive.url}: {reason}. What has arrived is kept: run the same command again to go "
        f"on, or download the file elsewhere and set data.path to it."
    )
