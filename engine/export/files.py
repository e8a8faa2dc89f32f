"""Writing and reading export files; faults of the disk become sentences."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.spec.errors import ExportError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends without an error.

    Folders above it are made. Readers see the old or the new content, never a part; after an
    error the old content stays and nothing else is left behind.

    Raises:
        ExportError: the place cannot be written to, or the disk is full.
    """
    if path.is_dir():
        raise ExportError(f"{path} is a folder; give the name of a file in it.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise ExportError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Free some disk space or choose another place."
        ) from error
    finally:
        _remove(temporary)


def _remove(temporary: Path) -> None:
    # Where its folder could not even be made there is nothing to remove.
    if temporary.parent.is_dir():
        temporary.unlink(missing_ok=True)


def write_file(path: Path, data: bytes | str) -> Path:
    """Replace a file atomically (text as UTF-8) and return its path; see `replacing`."""
    with replacing(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)
    return path


def read_file(path: Path) -> bytes:
    """Read a file.

    Raises:
        ExportError: it does not exist or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ExportError(f"{path} does not exist.") from None
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror or error}.") from error
