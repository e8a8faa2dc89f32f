"""Pictures that lie in a folder of this machine, a few in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.datasets.picture_files import NamedPictures, PictureFile

MAX_BYTES = 256 * 2**20


class StoredPictures(NamedPictures):
    """Files below a folder, in a given order."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        super().__init__(names)
        self._root = root

    def _read(self, name: str) -> PictureFile:
        path = self._root / name
        try:
            if path.stat().st_size > MAX_BYTES:
                return PictureFile(name, b"", f"it has more than {MAX_BYTES // 2**20} MB")
            return PictureFile(name, path.read_bytes())
        except OSError as error:
            return PictureFile(name, b"", f"it cannot be read ({error.strerror})")
