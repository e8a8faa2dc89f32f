"""Pictures in a ZIP archive, read from it without extracting anything.

An archive is hostile until read: one whose members point outside, are links or devices, are
protected, or unfold to far more than they take is refused as a whole.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from engine.datasets.picture_files import NamedPictures, PictureFile
from engine.spec.errors import DataError

MAX_MEMBERS = 1_000_000
MAX_MEMBER_BYTES = 256 * 2**20
MAX_TOTAL_BYTES = 64 * 2**30
MAX_RATIO = 100
"""Pictures hardly shrink in an archive; what unfolds more than this is no collection of them."""
RATIO_FROM_BYTES = 64 * 2**20
"""Below this size any ratio is harmless, and small drawings do shrink a lot."""

_FAULTS = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,  # a wrong password, or a compression that is not known here
    zipfile.BadZipFile,
    zlib.error,
)


class ZipPictures(NamedPictures):
    """Some members of an archive, in a given order."""

    def __init__(self, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
        super().__init__(names)
        self._archive = archive

    def _read(self, name: str) -> PictureFile:
        try:
            info = self._archive.getinfo(name)
            with self._archive.open(info) as member:
                return PictureFile(name, member.read(info.file_size))
        except _FAULTS as error:
            return PictureFile(name, b"", f"it is damaged in the archive ({error})")


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose table of contents is sound.

    Raises:
        DataError: it is missing, no ZIP archive, damaged, or refused.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    try:
        archive = zipfile.ZipFile(path)
    except _FAULTS as error:
        raise DataError(f"{path}: this is no ZIP archive, or it is damaged ({error}).") from None
    with archive:
        check(path.name, archive.infolist())
        yield archive


def check(where: str, members: Sequence[zipfile.ZipInfo]) -> None:
    """Look at the table of contents before anything is read.

    Raises:
        DataError: the archive is refused; the message names the member.
    """
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{where}: at most {MAX_MEMBERS:,} files are read from one archive.")
    seen: set[str] = set()
    for member in members:
        _check_member(where, member)
        if member.filename in seen:
            raise DataError(f"{where}: `{member.filename}` is in the archive twice.")
        seen.add(member.filename)
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > MAX_TOTAL_BYTES or (total > RATIO_FROM_BYTES and total > MAX_RATIO * packed):
        raise DataError(
            f"{where}: it would unfold from {packed / 2**20:.1f} MB to {total / 2**20:,.0f} MB, "
            f"which no collection of pictures does; such archives are refused."
        )


def _check_member(where: str, member: zipfile.ZipInfo) -> None:
    name = PurePosixPath(member.orig_filename)
    if name.is_absolute() or ".." in name.parts or any(c in str(name) for c in "\\\0"):
        raise DataError(
            f"{where}: the member `{member.orig_filename}` points outside of the archive or has a "
            f"name that is not allowed; such archives are refused."
        )
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(
            f"{where}: the member `{member.filename}` is a link or a device; such archives are "
            f"refused."
        )
    if member.flag_bits & 0x1:
        raise DataError(f"{where}: `{member.filename}` is protected by a password; pack it anew.")
    if member.file_size > MAX_MEMBER_BYTES:
        raise DataError(
            f"{where}: `{member.filename}` unfolds to {member.file_size / 2**20:,.0f} MB; "
            f"pictures have at most {MAX_MEMBER_BYTES // 2**20} MB."
        )
