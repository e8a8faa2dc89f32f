"""The restricted reader: reads what official files hold, refuses and never runs the rest."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.datasets import restricted_pickle
from engine.datasets.restricted_pickle import read_pickle
from engine.spec.errors import DataError

ARRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def refused(data: bytes, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        read_pickle(data, "some/file")
    for word in ["some/file", *words]:
        assert word in str(caught.value)


def test_python_2_pickles_of_arrays_and_lists(python2_pickle: Callable[[object], bytes]) -> None:
    wide = np.array([[-5, 2**40]])
    content = {
        "data": ARRAY,
        "wide": wide,
        "labels": [3, 1, 2],
        "empty": [],
        "names": ["a", "b"],
        "text": "x",
    }
    data = python2_pickle(content)
    assert b"cnumpy.core.multiarray\n_reconstruct" in data
    np.testing.assert_array_equal(pickle.loads(data, encoding="bytes")[b"data"], ARRAY)
    result = read_pickle(data, "a file")
    assert sorted(result) == ["data", "empty", "labels", "wide"]
    np.testing.assert_array_equal(result["data"], ARRAY)
    np.testing.assert_array_equal(result["wide"], wide)
    assert result["data"].dtype == np.uint8
    assert result["wide"].dtype == np.int64
    assert result["labels"].tolist() == [3, 1, 2]


def test_python_3_pickles_of_arrays() -> None:
    result = read_pickle(pickle.dumps({"data": ARRAY}, protocol=4), "a file")
    np.testing.assert_array_equal(result["data"], ARRAY)


@pytest.mark.parametrize(
    ("protocol", "where"),
    [(protocol, "top") for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    + [(2, "key"), (2, "value"), (2, "list")],
)
def test_calls_are_refused_and_not_made(tmp_path: Path, protocol: int, where: str) -> None:
    marker = tmp_path / "executed"
    call = Call(os.system, f"touch {marker}")
    value: Any = {"top": call, "key": {call: 1}, "value": {"data": call}, "list": [call]}[where]
    data = pickle.dumps(value, protocol=protocol)
    refused(data, f"'{os.system.__module__}.system'", "binary version")
    assert not marker.exists()
    if where == "top":
        pickle.loads(data)
        assert marker.exists()  # the trap itself works


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (eval, ("__import__('os').getpid()",)),
        (exec, ("1",)),
        (open, ("/etc/hostname",)),
        (getattr, ("text", "upper")),
        (__import__, ("os",)),
        (subprocess.Popen, (["true"],)),
        (np.load, ("file.npy",)),
        (np.frombuffer, (b"12", "u1")),
        (pickle.loads, (b"N.",)),
        (bytearray, (10,)),
        (set, ([1],)),
        (complex, (1, 2)),
    ],
)
def test_every_other_name_is_refused(function: Any, arguments: tuple[Any, ...]) -> None:
    refused(pickle.dumps({"data": Call(function, *arguments)}, protocol=2), "it asks for the name")


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'exit 3'\ntR.",
        b"(S'exit 3'\nios\nsystem\n.",
        b"(cos\nsystem\nS'exit 3'\no.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x06exit 3\x85R.",
        b"\x80\x04\x8c\x05numpy\x8c\x09os.system\x93)R.",
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n.",
    ],
)
def test_calls_written_by_hand_are_refused(data: bytes) -> None:
    refused(data, "it asks for the name")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "damaged"),
        (b"garbage", "damaged"),
        (pickle.dumps({"data": ARRAY}, 4)[:-20], "damaged"),
        (b"Pfile\n.", "damaged"),
        (b"\x82\x01.", "damaged"),
        (b"N.", "a dictionary at the top"),
        (pickle.dumps([1, 2]), "a dictionary at the top"),
        (pickle.dumps({3: [1]}), "a key that is not a text"),
        (pickle.dumps({"a": np.array([None, {}])}, 4), "an array of type 'O8'"),
        (pickle.dumps({"a": np.zeros(2)}, 4), "an array of type 'f8'"),
        (pickle.dumps({"a": np.zeros(2, "M8[s]")}, 4), "an array of type 'M8'"),
        (pickle.dumps({"a": np.zeros(2, [("x", "u1")])}, 4), "an array of type 'V1'"),
        (pickle.dumps({"a": np.zeros(2, ">i8")}, 4), "unusual number format"),
        (pickle.dumps({"a": np.asfortranarray(ARRAY)}, 4), "C order"),
        (pickle.dumps({"a": ARRAY}, 4).replace(b"K\x03K\x04", b"K\x03K\x05"), "do not fit"),
        (b"\x80\x02cnumpy\nndarray\n)R.", "damaged"),
        (b"\x80\x02cnumpy\ndtype\n.", "a dictionary at the top"),
    ],
)
def test_everything_else_is_refused_with_a_reason(data: bytes, words: str) -> None:
    refused(data, words)


def test_skipping_a_constructor_or_planting_attributes_is_refused() -> None:
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    bare = b"cnumpy\ndtype\n)\x81"
    state = b"(K\x01(K\x01t" + bare + b"I00\nU\x08" + b"x" * 8 + b"tb"
    content = b"}U\x01a" + array + state + b"s."
    refused(b"\x80\x02" + content, "damaged (AttributeError)")
    plant = b"cnumpy\ndtype\n(N}U\x04codeU\x02O8stb0"
    refused(b"\x80\x02" + plant + content, "damaged (TypeError)")


def test_asking_for_much_memory_ends_the_reader_not_this_process() -> None:
    refused(b"\x80\x05\x96" + struct.pack("<Q", 2**38) + b"x.", "too much memory")


def test_a_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restricted_pickle, "TIMEOUT_SECONDS", 0.001)
    refused(pickle.dumps({"a": [1]}), "too long")


def test_a_reader_that_dies_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child.py"
    child.write_text("import os\nos._exit(9)\n")
    monkeypatch.setattr(restricted_pickle, "CHILD", child)
    refused(pickle.dumps({"a": [1]}), "status 9")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "nonsense"),
        (b"\x00" * 7 + b"\x02{}", "nonsense"),
        (b"\x00" * 7 + b"\x05hello", "nonsense"),
        (b'{"entries": [{"key": "a", "dtype": "O8", "shape": [1], "bytes": 8}]}', "type O8"),
        (b'{"entries": [{"key": "a", "dtype": "u1", "shape": [9], "bytes": 9}]}', "nonsense"),
        (b'{"entries": [{"key": "a", "ints": ["b"]}]}', "nonsense"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str
) -> None:
    if answer.startswith(b"{"):
        answer = len(answer).to_bytes(8, "big") + answer
    child = tmp_path / "child.py"
    child.write_text(f"import sys\nsys.stdout.buffer.write({answer!r})\n")
    monkeypatch.setattr(restricted_pickle, "CHILD", child)
    refused(pickle.dumps({"a": [1]}), words)


def test_limits_hold_in_the_child(tmp_path: Path) -> None:
    """The limits that the child sets keep it from memory and from writing files."""
    probe = (
        "import sys, resource\n"
        f"sys.path.insert(0, {str(restricted_pickle.CHILD.parent)!r})\n"
        "import pickle_child\n"
        "pickle_child._limit()\n"
        "try:\n"
        "    bytearray(pickle_child.MEMORY_BYTES)\n"
        "except MemoryError:\n"
        "    print('no memory')\n"
        "try:\n"
        f"    with open({str(tmp_path / 'file')!r}, 'w') as file:\n"
        "        file.write('x')\n"
        "except OSError:\n"
        "    print('no files')\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0] == pickle_child.CPU_SECONDS)\n"
    )
    command = [sys.executable, "-c", probe]
    out = subprocess.run(command, capture_output=True, text=True, check=False)
    assert out.stdout == "no memory\nno files\nTrue\n"
