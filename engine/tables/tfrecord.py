"""TensorFlow's record files, read without TensorFlow.

A record is its length (8 bytes, little endian), a checksum of the length, the data, and a
checksum of the data. Checksums are CRC-32C (Castagnoli, RFC 3720 appendix B.4), rotated right by
15 bits plus a constant. They are computed for many records at once, byte position by byte
position, since a loop over single bytes would take minutes a gigabyte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

LONGEST = 1 << 20  # bytes of a record; those of NAS-Bench-101 have a few hundred
AT_ONCE = 4096
_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8

Checksums = npt.NDArray[np.uint32]


class BadRecord(Exception):
    """The bytes are no records; the message says why and where."""


def _crc_table() -> Checksums:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


_TABLE = _crc_table()


def crc32c(chunks: Sequence[bytes]) -> Checksums:
    """Return the CRC-32C of each chunk, shape (n,)."""
    lengths = np.array([len(chunk) for chunk in chunks], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    flat = np.frombuffer(b"".join(chunks), np.uint8)
    starts = (np.cumsum(lengths) - lengths)[order]
    ordered = lengths[order]
    crc = np.full(len(chunks), 0xFFFFFFFF, np.uint32)
    for position in range(int(ordered[0]) if len(ordered) else 0):
        # Longest first, so that those that still have a byte stand in front.
        count = int(np.searchsorted(-ordered, -position, side="left"))
        part = crc[:count]
        crc[:count] = _TABLE[(part ^ flat[starts[:count] + position]) & 0xFF] ^ (part >> 8)
    result = np.empty_like(crc)
    result[order] = ~crc
    return result


def masked(crc: Checksums) -> Checksums:
    """Return the form in which TensorFlow stores checksums."""
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    return rotated + np.uint32(_MASK_DELTA)


def read_records(file: BinaryIO, longest: int = LONGEST) -> Iterator[list[bytes]]:
    """Yield the data of the records, up to `AT_ONCE` at a time, once their checksums are right.

    Args:
        file: opened for reading bytes.
        longest: bytes that a record may have.

    Raises:
        BadRecord: cut short, a wrong checksum, or a record that is too long.
    """
    number, ended = 0, False
    while not ended:
        heads: list[bytes] = []
        head_sums: list[int] = []
        data: list[bytes] = []
        data_sums: list[int] = []
        while len(data) < AT_ONCE:
            head = file.read(12)
            if not head:
                ended = True
                break
            length, head_sum = _length(head, number + len(data), longest)
            body = file.read(length + 4)
            if len(body) < length + 4:
                raise BadRecord(f"it is cut short in record {number + len(data) + 1}")
            heads.append(head[:8])
            head_sums.append(head_sum)
            data.append(body[:length])
            data_sums.append(int.from_bytes(body[length:], "little"))
        _verify(heads, head_sums, number)
        _verify(data, data_sums, number)
        number += len(data)
        if data:
            yield data


def _length(head: bytes, number: int, longest: int) -> tuple[int, int]:
    """Return the length of a record's data, and the checksum that it should have."""
    if len(head) < 12:
        raise BadRecord(f"it is cut short in record {number + 1}")
    length, checksum = struct.unpack("<QI", head)
    if length > longest:
        _verify([head[:8]], [checksum], number)
        raise BadRecord(f"record {number + 1} is larger than any of the official file")
    return length, checksum


def _verify(chunks: Sequence[bytes], sums: Sequence[int], before: int) -> None:
    wrong = np.flatnonzero(masked(crc32c(chunks)) != np.array(sums, np.uint32))
    if len(wrong):
        raise BadRecord(f"the checksum of record {before + int(wrong[0]) + 1} is wrong")
