"""The results bank for those who look: sound rows in spite of damage, protocols on record."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from engine.spec.errors import TableError
from engine.tables.bank import Bank, BankRow
from engine.tables.bank_reading import keep_protocol, read_bank, read_protocol, stamp

ROW = BankRow("nb201", "form", "|text|", "ab12", 0, 91.5, 90.25, 0.31, 12.125)
CONTENT = {"data": {"name": "digits"}, "network": {"cells": 1}, "training": {"epochs": 2}}


def line(row: BankRow) -> str:
    return json.dumps(asdict(row)) + "\n"


def test_a_sound_bank_reads_as_the_bank_does(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    for number in range(3):
        bank.add(replace(ROW, canonical=str(number)))
    found = read_bank(tmp_path)
    assert list(found.rows) == Bank(tmp_path).rows() and found.faults == ()
    assert read_bank(tmp_path / "nowhere").rows == ()


def test_damaged_lines_are_told_and_the_others_kept(tmp_path: Path) -> None:
    second = replace(ROW, canonical="other")
    text = line(ROW) + "{broken\n" + line(second) + '{"version": 99}\n' + line(ROW)[:20]
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "b.jsonl").write_text(line(replace(ROW, test=1.0)))  # known already
    found = read_bank(tmp_path)
    assert found.rows == (ROW, second)
    assert len(found.faults) == 2
    assert "line 2 of" in found.faults[0] and "damaged" in found.faults[0]
    assert "line 4 of" in found.faults[1] and "another version" in found.faults[1]
    with pytest.raises(TableError, match="line 2 of"):
        Bank(tmp_path)  # whoever trains must not go on as if nothing were known


def test_the_stamp_changes_with_every_row_and_protocol(tmp_path: Path) -> None:
    bank, seen = Bank(tmp_path), {stamp(tmp_path)}
    for number in range(2):
        bank.add(replace(ROW, canonical=str(number)))
        seen.add(stamp(tmp_path))
    keep_protocol(tmp_path, "ab12", CONTENT)
    seen.add(stamp(tmp_path))
    assert len(seen) == 4 and stamp(tmp_path) in seen


def test_protocols_are_kept_once(tmp_path: Path) -> None:
    assert read_protocol(tmp_path, "ab12") is None
    keep_protocol(tmp_path, "ab12", CONTENT)
    keep_protocol(tmp_path, "ab12", {"data": {}})
    assert read_protocol(tmp_path, "ab12") == CONTENT
    assert [path.name for path in (tmp_path / "protocols").iterdir()] == ["ab12.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"data": {}}', '{"data": 1, "network": {}}'])
def test_a_damaged_protocol_is_unknown(tmp_path: Path, text: str) -> None:
    keep_protocol(tmp_path, "ab12", CONTENT)
    (tmp_path / "protocols" / "ab12.json").write_text(text)
    assert read_protocol(tmp_path, "ab12") is None


@pytest.mark.parametrize("name", ["../ab12", "..", "", "a/b", "\x00"])
def test_a_row_cannot_name_a_path(tmp_path: Path, name: str) -> None:
    keep_protocol(tmp_path / "bank", "ab12", CONTENT)
    (tmp_path / "bank" / "ab12.json").write_text(json.dumps(CONTENT))
    assert read_protocol(tmp_path / "bank", name) is None
    assert read_protocol(tmp_path / "bank", "ab12") == CONTENT


def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "protocols").write_text("a file in the way")
    with pytest.raises(TableError, match="Cannot write to the results bank"):
        keep_protocol(tmp_path, "ab12", CONTENT)
