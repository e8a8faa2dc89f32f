"""From a file of ground truth to an imported table: the kinds of files that are known."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.space import Space
from engine.spaces import get_space
from engine.spec.errors import TableError
from engine.tables.builder import BuiltTable, Progress
from engine.tables.csv_import import CsvOptions, read_csv
from engine.tables.header import Header, Origin
from engine.tables.nats_official import read_nats
from engine.tables.nb101_official import read_nb101
from engine.tables.nb301 import read_nb301
from engine.tables.store import file_sha256, require_free, save, tables_folder
from engine.tables.zip_folder import is_zip, unpacked

KINDS = {
    "csv": "CSV, optionally gzipped, with one row per architecture (or per training)",
    "nb201": "NAS-Bench-201-v1_0 or v1_1 (.pth)",
    "nats_tss": "NATS-Bench topology: a .pickle.pbz2 file, or the folder of the simple version",
    "nats_sss": "NATS-Bench size: likewise",
    "nb101": "nasbench_only108.tfrecord or nasbench_full.tfrecord",
    "darts": "NAS-Bench-301's folder of results_*.json, or CSV with a column `genotype`",
}
FOLDER_KINDS = ("nats_tss", "nats_sss", "darts")
"""Kinds that can be a folder; a ZIP archive of it will do."""
SPACES_OF = {
    "nb201": "nb201",
    "nats_tss": "nb201",
    "nats_sss": "nats_size",
    "nb101": "nb101",
    "darts": "darts",
}
_CALLED = {  # the first that fits
    "csv": r"(?i)\.csv(\.gz)?$",
    "nb101": r"(?i)\.tfrecord$",
    "nb201": r"(?i)\.pth$",
    "nats_sss": r"(?i)nats.*sss",
    "nats_tss": r"(?i)nats.*tss",
    "darts": r"(?i)nb.?301|nas.?bench.?301|darts",
}


@dataclass(frozen=True)
class SpaceChoice:
    """A search space with its settings.

    Attributes:
        name: registered name; None where the kind of table settles it.
        settings: as `space_settings` of an experiment.
    """

    name: str | None = None
    settings: Mapping[str, Any] | None = None


def import_table(
    kind: str,
    path: Path,
    data_folder: Path,
    name: str | None = None,
    space: SpaceChoice = SpaceChoice(),  # noqa: B008 - frozen
    options: CsvOptions = CsvOptions(),  # noqa: B008 - frozen
    progress: Progress = lambda what, done, total: None,
) -> Header:
    """Read a file or folder and keep it as a table.

    Args:
        kind: one of `KINDS`.
        path: what to read.
        data_folder: the lab's data folder.
        name: name of the table; None: from the file's.
        space: whose architectures they are; only for CSV.
        options: only for CSV.
        progress: reports.

    Raises:
        TableError: nothing was imported; the message says why.
        SpecError: no such space, or wrong settings.
    """
    if kind not in KINDS:
        raise TableError(f"There is no kind of table `{kind:.40}`; there are {', '.join(KINDS)}.")
    if not path.exists():
        raise TableError(f"There is no file or folder {path}.")
    name = default_name(path) if name is None else name
    require_free(data_folder, name)
    chosen = _space(kind, space)
    progress("Checking", 0, None)
    digest = _sha256(path)
    if is_zip(path) and kind in FOLDER_KINDS:
        beside = tables_folder(data_folder)
        beside.mkdir(parents=True, exist_ok=True)
        with unpacked(path, beside, progress) as folder:
            built = _read(kind, folder, chosen, options, progress)
    else:
        built = _read(kind, path, chosen, options, progress)
    progress("Writing", 0, None)
    origin = Origin(chosen.name, dict(space.settings or {}), kind, path.resolve().name, digest)
    return save(data_folder, name, built, origin)


def default_name(path: Path) -> str:
    """Return the name that a file gives to its table."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", path.resolve().name.split(".")[0])


def guess_kind(name: str) -> str | None:
    """Return the kind that a file or folder is called like, or None.

    Args:
        name: of the file, without its folder.
    """
    return next((kind for kind, pattern in _CALLED.items() if re.search(pattern, name)), None)


def _space(kind: str, given: SpaceChoice) -> Space:
    settled = SPACES_OF.get(kind)
    if settled is None and given.name is None:
        raise TableError("--space: say whose architectures the rows of the CSV file are.")
    if settled is not None and given.name not in (None, settled):
        raise TableError(f"--space: tables of the kind `{kind}` are always about `{settled}`.")
    return get_space(str(given.name or settled), given.settings)


def _read(
    kind: str, path: Path, space: Space, options: CsvOptions, progress: Progress
) -> BuiltTable:
    folder = path.is_dir()
    if folder and kind in ("csv", "nb101", "nb201"):
        raise TableError(f"{path} is a folder; give the file itself.")
    if kind == "nb101":
        return read_nb101(path, space, progress)
    if kind in ("nb201", "nats_tss", "nats_sss"):
        return read_nats(path, space, progress)
    if folder:
        return read_nb301(path, space, progress)
    return read_csv(path, space, options, progress)


def _sha256(path: Path) -> str:
    """Return the digest of a file, or of the names and digests of all files of a folder."""
    try:
        if path.is_file():
            return file_sha256(path)
        whole = hashlib.sha256()
        for file in sorted(path.rglob("*")):
            if file.is_file():
                whole.update(f"{file.relative_to(path)}\0{file_sha256(file)}\n".encode())
        return whole.hexdigest()
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}).") from None
