"""The reader of pickles that runs nothing: what it builds, forgets and refuses."""

from __future__ import annotations

import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tables.pickle_machine import OPAQUE, Machine, Refused

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=300)
)
KEYS = st.text() | st.integers() | st.tuples(st.text(), st.integers())
DATA = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(KEYS, inner)
        | st.tuples(inner, inner)
        | st.lists(inner).map(tuple)
        | st.frozensets(st.integers())
        | st.sets(st.text())
    ),
    max_leaves=30,
)


def read(data: bytes, **options: Any) -> Any:
    return Machine(io.BytesIO(data), **options).load()


@settings(max_examples=150, deadline=None)
@given(DATA, st.sampled_from([4, 5]))
def test_data_is_read_as_the_standard_library_reads_it(value: Any, protocol: int) -> None:
    assert read(pickle.dumps(value, protocol)) == value


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(KEYS, st.lists(st.floats(allow_nan=False) | st.text() | st.integers())))
def test_protocol_2_as_torch_writes_it(value: Any) -> None:
    assert read(pickle.dumps(value, 2)) == value
    assert read(pickle.dumps(set(value), 2)) == set(value)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_official_files_contain_besides(protocol: int) -> None:
    shared = ["once"]
    value = {
        "ordered": OrderedDict([(0, 1.5), (1, 2.5)]),
        "numbers": [np.float64(1.25), np.float32(0.5), np.int64(-3)],
        "twice": [shared, shared],
        "long": list(range(3000)),
    }
    found = read(pickle.dumps(value, protocol))
    assert found == {**value, "numbers": [1.25, 0.5, -3]}
    assert all(type(number) in (int, float) for number in found["numbers"])
    assert found["twice"][0] is found["twice"][1]


def test_pickles_one_after_the_other() -> None:
    reader = Machine(io.BytesIO(pickle.dumps([1], 2) + pickle.dumps({"a": 2}, 4) + b"rest"))
    assert (reader.load(), reader.load()) == ([1], {"a": 2})


class Calls:
    """Pickles into a call of anything."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.parts = function, arguments

    def __reduce__(self) -> Any:
        return self.parts


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_is_run(protocol: int, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    data = pickle.dumps({"a": Calls(os.system, f"touch {trace}")}, protocol)
    with pytest.raises(Refused, match="system|instruction"):
        read(data)
    assert not trace.exists()
    pickle.loads(data)
    assert trace.exists(), "the usual reader would have run it"


class Own:
    pass


@pytest.mark.parametrize(
    "value",
    [
        Own(),
        np.zeros(3),
        Calls(eval, "1"),
        Calls(getattr, 1, "real"),
        Path("x"),
        complex(1, 2),
        bytearray(b"x"),
        np.datetime64("2020-01-01"),
    ],
    ids=("own", "array", "eval", "getattr", "path", "complex", "bytearray", "datetime"),
)
def test_other_objects_are_refused(value: Any) -> None:
    with pytest.raises(Refused):
        read(pickle.dumps([value], 4))


@pytest.mark.parametrize(
    "data",
    [
        b"cposix\nsystem\n.",
        b"\x80\x02ccollections\nOrderedDict\n}b.",  # state for a name
        b"\x80\x02(lctorch.storage\n_load_from_bytes\n}R.",  # arguments that are no tuple
        b"\x80\x02Q.",  # instructions that read another registry
        b"\x80\x02\x82\x01.",
        b"(iposix\nsystem\n.",
    ],
)
def test_odd_programs_are_refused(data: bytes) -> None:
    with pytest.raises((Refused, IndexError)):
        read(data)


def test_weights_are_passed_over() -> None:
    import torch

    stream = io.BytesIO()
    torch.save({"weights": torch.ones(2), "kept": 3}, stream, _use_new_zipfile_serialization=False)
    stream.seek(0)
    reader = Machine(stream)
    for _ in range(3):
        reader.load()
    assert reader.load() == {"weights": OPAQUE, "kept": 3}


@pytest.mark.parametrize("cut", [1, 20, 60, 100])
def test_a_cut_is_an_error(cut: int) -> None:
    data = pickle.dumps({"a": [1.5] * 10, "b": "text"}, 4)
    with pytest.raises((ValueError, EOFError, IndexError)):
        read(data[: len(data) - cut])


# -- forgetting ---------------------------------------------------------------------------------
def records(count: int, shared: Any) -> list[dict[str, Any]]:
    return [{"done": index, f"x@{index}": [shared, float(index)]} for index in range(count)]


def test_a_record_is_forgotten_when_it_is_complete() -> None:
    seen: list[int] = []
    reader = Machine(
        io.BytesIO(pickle.dumps(records(50, "short"), 4)),
        lambda entries: seen.append(entries["done"]),
        "done",
    )
    assert reader.load() == records(50, "short"), "short texts are shared by all records"
    assert (seen, reader.missed) == (list(range(50)), set())
    assert len(reader._kept) < 10 and len(reader._fresh) < 10


def test_what_was_forgotten_too_early_comes_back_in_a_second_reading() -> None:
    value = records(20, ["a list that all records share"])
    data = pickle.dumps(value, 4)
    first = Machine(io.BytesIO(data), record_key="done")
    first.load()
    assert len(first.missed) == 1
    second = Machine(io.BytesIO(data), record_key="done", wanted=frozenset(first.missed))
    assert second.load() == value
    assert not second.missed


def test_the_hook_rests_once_something_was_missed() -> None:
    seen: list[int] = []
    reader = Machine(
        io.BytesIO(pickle.dumps(records(20, ["shared"]), 4)),
        lambda entries: seen.append(entries["done"]),
        "done",
    )
    reader.load()
    assert seen == [0]


def test_a_reference_to_nothing_is_damage() -> None:
    with pytest.raises(ValueError, match="reference to nothing"):
        read(b"\x80\x04h\x05.")
