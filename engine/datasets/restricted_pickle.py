"""Numbers out of an official pickle, read by a restricted reader in a separate process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.datasets.pickle_child import NUMBER_TYPES
from engine.spec.errors import DataError

CHILD = Path(__file__).with_name("pickle_child.py")
TIMEOUT_SECONDS = 120.0
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


def read_pickle(data: bytes, where: str) -> dict[str, npt.NDArray[np.generic]]:
    """Return the number arrays and lists of whole numbers in a pickled dictionary.

    This process never unpickles: `pickle_child` does, with limits, in a process of its own, and
    what it answers is JSON and raw bytes. Other entries of the dictionary are left out.

    Args:
        data: the pickle.
        where: name of the file, for messages.

    Raises:
        DataError: the pickle is damaged, asks for anything but numbers, or exceeds the limits.
    """
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-S", str(CHILD)],
            input=data,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            env={key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refused(where, "it takes too long to read") from None
    if answer.returncode != 0:
        raise _refused(where, f"its reader ended with status {answer.returncode}")
    try:
        return _parse(answer.stdout, where)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _refused(where, f"its reader answered nonsense ({error})") from None


def _parse(answer: bytes, where: str) -> dict[str, npt.NDArray[np.generic]]:
    """Turn the child's answer into arrays, trusting none of it."""
    start = 8 + int.from_bytes(answer[:8], "big")
    header = json.loads(answer[8:start])
    if "error" in header:
        raise _refused(where, header["error"])
    result: dict[str, npt.NDArray[np.generic]] = {}
    for entry in header["entries"]:
        if "ints" in entry:
            result[entry["key"]] = np.array(entry["ints"], dtype=np.int64)
            continue
        if entry["dtype"] not in NUMBER_TYPES:
            raise ValueError(f"an array of type {entry['dtype']}")
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        flat = np.frombuffer(answer, dtype, entry["bytes"] // dtype.itemsize, start)
        result[entry["key"]] = flat.reshape(entry["shape"])
        start += entry["bytes"]
    return result


def _refused(where: str, reason: str) -> DataError:
    return DataError(
        f"{where}: this pickle was not read: {reason}. Use the official archive, or its binary "
        f"version, which needs no pickle."
    )
