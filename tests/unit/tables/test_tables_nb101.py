"""The official file of NAS-Bench-101."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from table_cases import nb101_record, shared, tf_record, write_records

from engine.spaces import SPACES, get_space
from engine.spec.errors import TableError
from engine.tables.builder import BuiltTable
from engine.tables.importing import import_table
from engine.tables.lookup import open_lookup
from engine.tables.nb101_official import read_nb101

if "nb101" not in SPACES:
    pytest.skip("the space nb101 is not there", allow_module_level=True)

SPACE = SPACES["nb101"]
CONV, POOL = "conv3x3-bn-relu", "maxpool3x3"
CELLS = (
    ("010001000", f"input,{CONV},output"),
    ("010001000", f"input,{POOL},output"),
    ("0110000100010000", f"input,{CONV},{POOL},output"),
)


def fingerprint(adjacency: str, operations: str) -> str:
    return SPACE.canonical(SPACE.parse(f"{adjacency} {operations}"))


def records() -> list[bytes]:
    """Return three trainings per cell and budget, in the file's order."""
    return [
        nb101_record(
            fingerprint(*cell), epochs, *cell, (0.99, 0.9 + 0.01 * number, 0.8 + repeat / 100)
        )
        for number, cell in enumerate(CELLS)
        for epochs in (4, 108)
        for repeat in range(3)
    ]


def read(path: Path) -> BuiltTable:
    return read_nb101(path, SPACE, lambda what, done, total: None)


def refusal(path: Path) -> str:
    with pytest.raises(TableError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_means_in_percent(tmp_path: Path) -> None:
    table = read(write_records(tmp_path / "x.tfrecord", records()))
    assert [SPACE.canonical(SPACE.parse(table.texts[row])) for row in range(3)] == [
        fingerprint(*cell) for cell in CELLS
    ]
    assert set(table.values) == {
        "cifar10/params",
        *(f"cifar10/{name}@{e}" for e in (4, 108) for name in ("train", "valid", "test")),
        *(f"cifar10/training_time@{epochs}" for epochs in (4, 108)),
    }
    assert table.values["cifar10/valid@108"].tolist() == [90.0, 91.0, 92.0]
    assert table.values["cifar10/test@4"].tolist() == [81.0] * 3
    assert table.values["cifar10/training_time@108"].tolist() == [100.0] * 3
    assert table.values["cifar10/params"].tolist() == [2_694_282.0] * 3
    assert {column.most for column in table.columns if column.epochs} == {3}


def test_published_fingerprints() -> None:
    """The hash of a record is the canonical form under which its row is found."""
    with gzip.open(shared("ecnas_nb101_4v.csv.gz"), "rt") as file:
        rows = {row["hash"]: row for row in csv.DictReader(file)}
    assert len(rows) == 91
    for expected, row in rows.items():
        text = f"{row['adjacency']} {row['ops']}"
        assert SPACE.canonical(SPACE.parse(text)) == expected


def test_a_sub_space_has_a_part_of_the_table(tmp_path: Path) -> None:
    path = write_records(tmp_path / "x.tfrecord", records())
    import_table("nb101", path, tmp_path)
    small = get_space("nb101", {"nodes": 3})
    lookup = open_lookup("x", small, ["cifar10/valid@108"], tmp_path)
    assert lookup.everything() == [90.0, 91.0]
    assert len(lookup.architectures()) == 2
    assert lookup.get(small.parse(" ".join(CELLS[1]))) == (91.0,)
    # With a vertex that no path passes, it is still the network of the first row.
    whole = open_lookup("x", SPACE, ["cifar10/valid@108"], tmp_path)
    dead = SPACE.parse(f"0110000100000000 input,{CONV},{POOL},output")
    assert whole.get(dead) == (90.0,)
    assert len(whole.everything()) == 3


def test_damage_is_named(tmp_path: Path) -> None:
    path = write_records(tmp_path / "x.tfrecord", records())
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert "it is cut short in record 18" in refusal(path)
    broken = bytearray(whole)
    broken[100] ^= 1
    path.write_bytes(bytes(broken))
    assert "the checksum of record 1 is wrong" in refusal(path)
    path.write_bytes(b"")
    assert "has no results" in refusal(path)
    path.write_bytes(b"text that is no record at all")
    assert "the checksum of record 1 is wrong" in refusal(path)
    assert "it cannot be read" in refusal(tmp_path / "none")


@pytest.mark.parametrize(
    "record",
    [b"{}", b"[1, 2]", b"text", b'["a", "b", "c", "d", "e"]', b'["a", 4, "01", "x", "/w=="]'],
)
def test_records_of_something_else(record: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.tfrecord"
    path.write_bytes(tf_record(record))
    assert "a record is none of this benchmark" in refusal(path)


def test_a_wrong_cell_or_hash(tmp_path: Path) -> None:
    bad = nb101_record("0" * 32, 108, *CELLS[0], (0.9, 0.9, 0.9))
    message = refusal(write_records(tmp_path / "x.tfrecord", [bad]))
    assert f"should have {fingerprint(*CELLS[0])}" in message
    bad = nb101_record("0" * 32, 108, "0100", "input,output", (0.9, 1.9, 0.9))
    assert "no accuracy in percent" in refusal(write_records(tmp_path / "y.tfrecord", [bad]))
    bad = nb101_record("0" * 32, 108, "010001000", "input,conv9x9,output", (0.9, 0.9, 0.9))
    assert "not of the space `nb101`" in refusal(write_records(tmp_path / "z.tfrecord", [bad]))
