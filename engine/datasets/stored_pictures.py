"""Pictures that lie in a folder of this machine, a few in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.datasets.picture_files import PictureFile

CHUNK = 128
MAX_BYTES = 256 * 2**20


class StoredPictures:
    """Files below a folder, in a given order."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def chunks(self) -> Iterator[Sequence[PictureFile]]:
        """Yield the files in pieces."""
        for start in range(0, len(self._names), CHUNK):
            yield [self._read(name) for name in self._names[start : start + CHUNK]]

    def _read(self, name: str) -> PictureFile:
        path = self._root / name
        try:
            if path.stat().st_size > MAX_BYTES:
                return PictureFile(name, b"", f"it has more than {MAX_BYTES // 2**20} MB")
            return PictureFile(name, path.read_bytes())
        except OSError as error:
            return PictureFile(name, b"", f"it cannot be read ({error.strerror})")
