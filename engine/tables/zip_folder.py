"""A ZIP archive that stands for a folder, unpacked for as long as it is read.

Archives are hostile until they are unpacked: names that lead elsewhere, more files or bytes than
any benchmark has, and contents that are larger than they say are all refused.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from engine.spec.errors import TableError
from engine.tables.builder import EVERY, Progress

MOST_FILES = 200_000  # NATS-Bench has 32,768, NAS-Bench-301 about 60,000
MOST_BYTES = 20 * 1000**3
_JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db")
# What `zipfile` raises on damaged, encrypted or nameless entries (an empty name: IndexError).
_FAULTS = (
    OSError, EOFError, IndexError, NotImplementedError, RuntimeError, ValueError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def is_zip(path: Path) -> bool:
    """Tell whether a path is called like a ZIP archive and is a file."""
    return path.suffix.lower() == ".zip" and path.is_file()


@contextmanager
def unpacked(path: Path, beside: Path, progress: Progress) -> Iterator[Path]:
    """Unpack an archive, and remove what was unpacked when the block is left.

    Args:
        path: the archive.
        beside: existing folder, on whose disk the files are put.
        progress: reports.

    Yields:
        The folder with the files; where everything is inside one folder, that folder.

    Raises:
        TableError: no ZIP, damaged, encrypted, too large, or with a name that leads elsewhere.
    """
    place = Path(tempfile.mkdtemp(prefix=".unpacked-", dir=beside))
    try:
        try:
            with zipfile.ZipFile(path) as archive:
                _extract(path, archive, place, progress)
        except _FAULTS as error:
            raise _refused(path, str(error) or type(error).__name__) from None
        yield _inner(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _extract(path: Path, archive: zipfile.ZipFile, place: Path, progress: Progress) -> None:
    files = [one for one in archive.infolist() if not one.is_dir() and not _is_junk(one)]
    _check(path, files, place)
    for count, one in enumerate(files):
        target = place / _safe(path, one)
        target.parent.mkdir(parents=True, exist_ok=True)
        # `open` gives no more bytes than were declared, and `_check` has added those up.
        with archive.open(one) as source, target.open("xb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        if count % EVERY == 0:
            progress("Unpacking", count, len(files))


def _check(path: Path, files: list[zipfile.ZipInfo], place: Path) -> None:
    total = sum(one.file_size for one in files)
    if not files:
        raise _refused(path, "it has no files")
    if len(files) > MOST_FILES or total > MOST_BYTES:
        raise _refused(
            path,
            f"it has {len(files):,} files with {total / 1e9:.1f} GB; up to {MOST_FILES:,} files "
            f"with {MOST_BYTES / 1e9:.0f} GB are unpacked",
        )
    free = shutil.disk_usage(place).free
    if total > free:
        raise _refused(
            path, f"unpacked it takes {total / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
        )


def _is_junk(entry: zipfile.ZipInfo) -> bool:
    return any(part in _JUNK for part in PurePosixPath(entry.filename).parts)


def _safe(path: Path, entry: zipfile.ZipInfo) -> Path:
    """Return the relative path of an entry."""
    name = entry.filename
    parts = PurePosixPath(name).parts
    inside = bool(parts) and not name.startswith("/") and ".." not in parts
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if not inside or link or any(letter in name for letter in "\\:\0"):
        raise _refused(path, f"the entry {name!r:.80} leads out of the archive's folder")
    return Path(*parts)


def _inner(place: Path) -> Path:
    while True:
        found = list(place.iterdir())
        if len(found) != 1 or not found[0].is_dir():
            return place
        place = found[0]


def _refused(path: Path, reason: str) -> TableError:
    return TableError(f"{path.name} was not unpacked: {reason}. Give the folder itself instead.")
