"""A table in memory: texts in one block of bytes, numbers in arrays, lookups by digest.

A dictionary of architectures would take hundreds of bytes a row. Here a row costs its text, eight
bytes per column, and twelve bytes for each of the two ways to find it: by its own text and by the
canonical form of its network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Digests = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint32]


def digest(text: str) -> int:
    """Return 64 bits of a text's BLAKE2b hash. Finds are always checked against the text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


class Texts:
    """Many texts in one block.

    Args:
        block: all texts in UTF-8, one after the other, as bytes.
        ends: where each text ends in the block; shape (n,), never decreasing.
    """

    def __init__(self, block: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        self.block = block
        self.ends = ends

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> str:
        start = int(self.ends[row - 1]) if row else 0
        return self.block[start : int(self.ends[row])].tobytes().decode()


class Finder:
    """Finds rows by the digest of a key.

    Args:
        keys: digests in ascending order; shape (n,).
        rows: the row of each; rows of equal digests in ascending order.
    """

    def __init__(self, keys: Digests, rows: Rows) -> None:
        self.keys = keys
        self.rows = rows

    @classmethod
    def of(cls, digests: Sequence[int] | Digests) -> Finder:
        """Build it from the digest of every row."""
        values = np.asarray(digests, np.uint64)
        order = np.argsort(values, kind="stable")
        return cls(values[order], order.astype(np.uint32))

    def first(self, key: str, matches: Callable[[int], bool]) -> int | None:
        """Return the first row of a key, or None.

        Args:
            key: text to look for.
            matches: tells whether a row really has this key.
        """
        wanted = np.uint64(digest(key))
        start, stop = (int(np.searchsorted(self.keys, wanted, side)) for side in ("left", "right"))
        return next((int(row) for row in self.rows[start:stop] if matches(int(row))), None)
