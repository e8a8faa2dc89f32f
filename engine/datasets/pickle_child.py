"""Child process: read one official CIFAR pickle from standard input, write plain data.

Run as a script by `restricted_pickle`, with the standard library only. A pickle is a program;
this reader knows five of its words (the ones a numpy array of numbers is made with), gives them
harmless stand-ins that only keep what they are told, and refuses every other name. Limits on
memory, time and files are set before the first byte is looked at.

Output: the length of a JSON text in 8 bytes (big endian), the JSON text, then the bytes of the
arrays. The JSON is `{"error": "…"}`, or `{"entries": [{"key", "ints": […]} |
{"key", "dtype", "shape", "bytes": n}]}`; entries that are neither are left out.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
from typing import Any

MEMORY_BYTES = 3 * 2**30
CPU_SECONDS = 60
NUMBER_TYPES = frozenset({"u1", "i1", "u2", "i2", "i4", "u4", "i8", "u8"})


class Refused(Exception):
    """The pickle asks for something that the official files never need."""


class DtypeStandIn:
    """Keeps the code of a numpy number type, such as "u1"."""

    def __init__(self, code: bytes | str, *rest: object) -> None:
        self.code = code.decode("ascii", "replace") if isinstance(code, bytes) else str(code)
        if self.code not in NUMBER_TYPES:
            raise Refused(f"an array of type {self.code[:20]!r}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        order = order.decode("ascii", "replace") if isinstance(order, bytes) else order
        if order not in ("<", "|") or any(part is not None for part in state[2:5]):
            raise Refused("an array with an unusual number format")


class ArrayStandIn:
    """Keeps shape, type and bytes of a numpy array."""

    shape: tuple[int, ...]
    dtype: str
    data: bytes

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran_order, data = state
        if type(dtype) is not DtypeStandIn or type(data) is not bytes or fortran_order:
            raise Refused("an array that is not plain numbers in C order")
        if type(shape) is not tuple or any(type(n) is not int or n < 0 for n in shape):
            raise Refused("an array with an impossible shape")
        size = int(dtype.code[1])
        for length in shape:
            size *= length
        if size != len(data):
            raise Refused("an array whose bytes do not fit its shape")
        self.shape, self.dtype, self.data = shape, dtype.code, data


_NDARRAY = object()


def _reconstruct(kind: object, shape: object, code: object) -> ArrayStandIn:
    if kind is not _NDARRAY:
        raise Refused("a numpy object other than a plain array")
    return ArrayStandIn()


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): DtypeStandIn,
}


class RestrictedUnpickler(pickle.Unpickler):
    """Builds numbers, texts, bytes and containers; arrays become stand-ins."""

    def find_class(self, module: str, name: str, /) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise Refused(f"the name {f'{module}.{name}'[:100]!r}") from None


def entries_of(value: object) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return JSON-able entries of the unpickled dictionary, and the bytes of its arrays."""
    if type(value) is not dict:
        raise Refused("something other than a dictionary at the top")
    entries: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for raw_key, item in value.items():
        key = raw_key.decode("utf-8", "replace") if type(raw_key) is bytes else raw_key
        if type(key) is not str:
            raise Refused("a key that is not a text")
        if type(item) is ArrayStandIn and hasattr(item, "data"):
            shape, size = list(item.shape), len(item.data)
            entries.append({"key": key, "dtype": item.dtype, "shape": shape, "bytes": size})
            blobs.append(item.data)
        elif type(item) is list and all(type(n) is int and abs(n) < 2**53 for n in item):
            entries.append({"key": key, "ints": item})
    return entries, blobs


def _limit() -> None:
    import resource

    for kind, amount in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (amount, amount))


def _answer(header: dict[str, Any], blobs: list[bytes]) -> None:
    text = json.dumps(header).encode()
    out = sys.stdout.buffer
    out.write(len(text).to_bytes(8, "big"))
    out.write(text)
    for blob in blobs:
        out.write(blob)
    out.flush()


def main() -> None:
    """Read, answer, and never raise what the pickle brought about."""
    try:
        _limit()
    except (ImportError, ValueError, OSError) as error:
        _answer({"error": f"limits cannot be set on this system ({error})"}, [])
        return
    try:
        data = sys.stdin.buffer.read()
        value = RestrictedUnpickler(io.BytesIO(data), encoding="bytes").load()
        entries, blobs = entries_of(value)
    except Refused as error:
        _answer({"error": f"it asks for {error}, which no official file does"}, [])
    except MemoryError:
        _answer({"error": "it asks for too much memory"}, [])
    except Exception as error:  # damaged bytes raise almost anything; all of it means "damaged"
        _answer({"error": f"it is damaged ({type(error).__name__})"}, [])
    else:
        _answer({"entries": entries}, blobs)


if __name__ == "__main__":
    main()
