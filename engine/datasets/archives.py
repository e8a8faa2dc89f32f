"""Checksums of files, and members of tar archives read into memory without extracting."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from engine.spec.errors import DataError

MAX_MEMBER_BYTES = 512 * 2**20
MAX_TOTAL_BYTES = 2 * 2**30


def md5_of(path: Path) -> str:
    """Hex MD5 of a file. It guards against damage, as the official lists do, not attackers.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(
                file, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror}).") from None


def read_members(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Return the bytes of the wanted members of a `.tar.gz`; nothing is written to disk.

    The whole archive is refused if any member has an absolute path, climbs with `..`, is a link
    or a device, or is larger than any official file.

    Raises:
        DataError: the archive is damaged or refused, or a member is missing.
    """
    found: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = _safe_name(path, member)
                total += member.size
                if member.size > MAX_MEMBER_BYTES or total > MAX_TOTAL_BYTES:
                    raise DataError(
                        f"{path}: `{member.name}` makes the archive larger than any official "
                        f"one; use the original file."
                    )
                if name in wanted and member.isfile():
                    if name in found:
                        raise DataError(f"{path}: `{name}` is in the archive twice.")
                    found[name] = _contents(archive, member)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the archive is damaged ({error}); download it again.") from None
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise DataError(f"{path}: `{missing[0]}` is missing in the archive; download it again.")
    return found


def _contents(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    data = file.read() if file is not None else b""
    if len(data) != member.size:
        raise tarfile.ReadError(f"{member.name} is cut short")
    return data


def _safe_name(path: Path, member: tarfile.TarInfo) -> str:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise DataError(
            f"{path}: the member `{member.name}` points outside of the archive; such archives "
            f"are refused."
        )
    if not (member.isfile() or member.isdir()):
        raise DataError(
            f"{path}: the member `{member.name}` is a link or a device; such archives are refused."
        )
    return str(name)
