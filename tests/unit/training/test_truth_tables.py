"""The results bank and accuracy tables: files that many write and that can be damaged."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from training_cases import MIXED, OTHER, SPACE

from engine.spec.errors import TableError
from engine.tables.bank import Bank, BankRow
from engine.tables.csv_table import read_accuracies

ROW = BankRow("nb201", "form", "text", "p", 0, 90.0, 80.0, 0.5, 1.0)
A, B = SPACE.to_text(MIXED), SPACE.to_text(OTHER)


def test_rows_outlive_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    bank = Bank(folder)
    assert not folder.exists(), "reading makes no folder"
    bank.add(ROW)
    assert (len(bank), bank.get(*ROW.key)) == (1, ROW)
    again = Bank(folder)
    assert again.rows() == [ROW]
    for key in (
        ("nb202", "form", "p", 0),
        ("nb201", "other", "p", 0),
        ("nb201", "form", "q", 0),
        ("nb201", "form", "p", 1),
    ):
        assert again.get(*key) is None


def test_the_first_result_stays(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    bank.add(ROW)
    bank.add(replace(ROW, test=10.0))
    assert bank.get(*ROW.key) == ROW
    assert Bank(tmp_path).rows() == [ROW]


def test_every_writer_has_a_file_and_reads_the_others(tmp_path: Path) -> None:
    first, second = Bank(tmp_path), Bank(tmp_path)
    first.add(ROW)
    second.add(replace(ROW, replicate=1))
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    first.add(replace(ROW, replicate=2))
    assert len(second) == 1
    second.refresh()
    assert {row.replicate for row in second.rows()} == {0, 1, 2}
    first.refresh()
    first.refresh()
    assert len(first) == 3


def test_a_half_written_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    Bank(tmp_path).add(ROW)
    path = next(tmp_path.glob("*.jsonl"))
    line = path.read_text().replace('"replicate": 0', '"replicate": 1')
    with open(path, "a") as file:
        file.write(line[:40])
    bank = Bank(tmp_path)
    assert len(bank) == 1
    with open(path, "a") as file:
        file.write(line[40:])
    bank.refresh()
    assert {row.replicate for row in bank.rows()} == {0, 1}


@pytest.mark.parametrize("line", ["{", "[]", '{"space": "nb201"}', '{"unknown": 1}', "null"])
def test_a_damaged_line_is_a_sentence(line: str, tmp_path: Path) -> None:
    Bank(tmp_path).add(ROW)
    path = next(tmp_path.glob("*.jsonl"))
    with open(path, "a") as file:
        file.write(line + "\n")
    with pytest.raises(TableError, match=rf"line 2 of .*{path.name}"):
        Bank(tmp_path)


def test_a_row_of_another_version_is_a_sentence(tmp_path: Path) -> None:
    Bank(tmp_path).add(replace(ROW, version=99))
    with pytest.raises(TableError, match="line 1 of .* was written by another version"):
        Bank(tmp_path)


def test_weights_are_kept_per_row(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    assert bank.weights_path(ROW) is None
    bank.keep_weights(ROW, b"one")
    path = bank.weights_path(ROW)
    assert path is not None
    assert path.read_bytes() == b"one"
    assert bank.weights_path(replace(ROW, replicate=1)) is None
    assert bank.weights_path(replace(ROW, text="another encoding")) is None
    assert bank.weights_path(replace(ROW, test=1.0)) == path, "the result is no part of the key"
    bank.keep_weights(ROW, b"two")
    assert path.read_bytes() == b"two"
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def table(
    path: Path, text: str, columns: tuple[str, ...] = ("acc",)
) -> dict[str, tuple[float, ...]]:
    path.write_text(text)
    found = read_accuracies(path, SPACE, columns)
    return {SPACE.to_text(architecture): values for architecture, values in found.items()}


@pytest.mark.parametrize("column", ["arch_str", "architecture", "text", "arch"])
def test_a_table_is_read_by_its_column_names(column: str, tmp_path: Path) -> None:
    text = f"index,acc,{column},other\n0,90.5,{A},1\n1,80,{B},2\n"
    assert table(tmp_path / "t.csv", text) == {A: (90.5,), B: (80.0,)}
    assert table(tmp_path / "t.csv", text, ("other", "acc"))[A] == (1.0, 90.5)


def test_a_table_may_be_compressed_or_come_from_a_spreadsheet(tmp_path: Path) -> None:
    text = f"arch,acc\r\n{A},90\r\n"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert read_accuracies(tmp_path / "t.csv.gz", SPACE, ["acc"]) == {MIXED: (90.0,)}
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_accuracies(tmp_path / "t.csv", SPACE, ["acc"]) == {MIXED: (90.0,)}


def test_rows_without_a_value_are_left_out_and_the_last_of_a_kind_counts(tmp_path: Path) -> None:
    text = f"arch,acc\n{A},90\n{B},\n{A},91\n"
    assert table(tmp_path / "t.csv", text) == {A: (91.0,)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,acc\nx,1\n", "has no architecture column; name it one of arch_str,"),
        ("", "has no architecture column"),
        (f"arch,other\n{A},1\n", "has no column `acc`; it has arch, other"),
        (f"arch,acc\n{A},1\nnonsense,2\n", "Line 3 of .*: A NAS-Bench-201 string"),
        (f"arch,acc\n{A},ninety\n", "Line 2 of .*ninety"),
        (f"arch,acc\n{A},nan\n", "Line 2 of .* is not a number"),
        (f"arch,acc\n{A},inf\n", "Line 2 of .* is not a number"),
        (f"arch,acc\n{A},\n", "has no complete row"),
    ],
)
def test_a_wrong_table_is_a_sentence(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=message):
        table(tmp_path / "t.csv", text)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", gzip.compress(b"arch,acc", mtime=0)[:-4]])
def test_what_is_no_text_is_a_sentence(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(TableError, match="cannot be read as a CSV table"):
        read_accuracies(path, SPACE, ["acc"])
    with pytest.raises(TableError, match="cannot be read as a CSV table"):
        read_accuracies(tmp_path / "none.csv", SPACE, ["acc"])
