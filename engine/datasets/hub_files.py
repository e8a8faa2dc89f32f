"""Which parquet files Hugging Face offers of a data set, and fetching them.

Every public data set is offered there as parquet files, whatever its own form, so that none of
its code has to be run (https://huggingface.co/docs/dataset-viewer/parquet).
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.datasets.picture_files import Report
from engine.spec.errors import DataError

SERVER = "https://datasets-server.huggingface.co"
MAX_DOWNLOAD_BYTES = 16 * 2**30
MAX_LIST_BYTES = 16 * 2**20
TIMEOUT_SECONDS = 30.0

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[\w.-]{1,96})?", re.ASCII)
_BLOCK = 1 << 18
_BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class HubFile:
    """One parquet file of a configuration and split."""

    config: str
    split: str
    url: str
    size: int


@dataclass(frozen=True)
class Listing:
    """All parquet files of a data set; `partial`: only its beginning was converted."""

    files: tuple[HubFile, ...]
    partial: bool


def list_files(dataset: str) -> Listing:
    """Ask which parquet files there are.

    Raises:
        DataError: no connection, or no such public data set with a parquet form.
    """
    if not _ID.fullmatch(dataset) or ".." in dataset:
        raise DataError(
            f"`{dataset:.100}` is no id of Hugging Face; ids look like `mnist` or "
            "`uoft-cs/cifar10`."
        )
    query = urllib.parse.urlencode({"dataset": dataset})
    try:
        with _open(f"{SERVER}/parquet?{query}") as answer:
            found = json.loads(answer.read(MAX_LIST_BYTES))
        files = tuple(map(_file, found["parquet_files"]))
        partial = bool(found.get("partial"))
    except urllib.error.HTTPError as error:
        raise _refused(dataset, error) from None
    except _BROKEN as error:
        raise _offline(error) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"Hugging Face answered about `{dataset}` in a form that is not known here; try again "
            "later, or download the data set and import it from a file."
        ) from None
    if not files:
        raise DataError(f"Hugging Face has no parquet form of `{dataset}`.")
    return Listing(files, partial)


def fetch_files(files: Sequence[HubFile], folder: Path, report: Report) -> list[Path]:
    """Download files; those that are there already, from an earlier try, are kept.

    Raises:
        DataError: too much, no connection, or no space.
    """
    total = sum(file.size for file in files)
    if total > MAX_DOWNLOAD_BYTES:
        raise DataError(
            f"The files take {total / 2**30:.1f} GB; at most {MAX_DOWNLOAD_BYTES / 2**30:.0f} GB "
            "are fetched. Choose another configuration or other splits."
        )
    paths, done = [], 0
    for file in files:
        name = hashlib.sha256(file.url.encode()).hexdigest()[:32]
        path = folder / f"{name}.parquet"
        if not (path.is_file() and path.stat().st_size == file.size):
            _fetch(file, path, done, total, report)
        done += file.size
        report("Fetching from Hugging Face", done, total)
        paths.append(path)
    return paths


def _fetch(file: HubFile, path: Path, before: int, total: int, report: Report) -> None:
    part = path.with_suffix(".part")
    have = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _open(file.url) as answer, part.open("wb") as target:
            while block := answer.read(_BLOCK):
                have += len(block)
                if have > file.size:
                    break
                target.write(block)
                report("Fetching from Hugging Face", before + have, total)
        if have != file.size:
            raise DataError(
                f"{file.url}: {have} bytes arrived, {file.size} were promised; try again."
            )
        os.replace(part, path)
    except urllib.error.HTTPError as error:
        raise DataError(f"{file.url}: the server answered {error.code} {error.reason}.") from None
    except _BROKEN as error:
        raise _offline(error) from None
    finally:
        part.unlink(missing_ok=True)


def _open(url: str) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "nas-workbench"})
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    return answer


def _file(entry: dict[str, Any]) -> HubFile:
    url = str(entry["url"])
    if urllib.parse.urlsplit(url).scheme != urllib.parse.urlsplit(SERVER).scheme:
        raise ValueError("an address of another kind")
    return HubFile(str(entry["config"]), str(entry["split"]), url, int(entry["size"]))


def _refused(dataset: str, error: urllib.error.HTTPError) -> DataError:
    if error.code in (401, 403, 404):
        return DataError(
            f"Hugging Face has no public data set `{dataset}`; it may be spelled otherwise, or be "
            "private or gated. Download a gated one there and import it from a file or folder."
        )
    if error.code in (500, 501) and error.headers.get("X-Error-Code") == "ResponseNotReady":
        return DataError(
            f"Hugging Face is still converting `{dataset}`; try again in a few minutes."
        )
    return DataError(
        f"Hugging Face offers no parquet form of `{dataset}` (it answered {error.code} "
        f"{error.reason}); download the data set there and import it from a file or folder."
    )


def _offline(error: Exception) -> DataError:
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return DataError(
        f"There is no connection to Hugging Face ({reason}). Go online and try again, or import "
        "from a ZIP archive, an npz file or a folder."
    )
