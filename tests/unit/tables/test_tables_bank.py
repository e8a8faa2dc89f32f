"""The results bank: append-only, many writers, and honest about damage."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.spec.errors import TableError
from engine.tables.bank import VERSION, Bank, BankRow

ROOT = Path(__file__).resolve().parents[3]
ROW = BankRow("nb201", "form", "|text|", "protocol", 0, 91.5, 90.25, 0.31, 12.125)


def row(number: int, **changes: Any) -> BankRow:
    return replace(ROW, canonical=f"form {number}", held_out=float(number), **changes)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def write(folder: Path, *lines: str | bytes, name: str = "other.jsonl") -> Path:
    """Write the file of another writer."""
    folder.mkdir(exist_ok=True)
    data = b"".join(line if isinstance(line, bytes) else f"{line}\n".encode() for line in lines)
    (folder / name).write_bytes(data)
    return folder / name


def text_of(one: BankRow, **changes: Any) -> str:
    return json.dumps(asdict(one) | changes)


texts = st.text(max_size=20)
reals = st.floats(allow_nan=False, allow_infinity=False)
rows = st.builds(
    BankRow, texts, texts, texts, texts, st.integers(0, 99), reals, reals, reals, reals
)


@given(st.lists(rows, max_size=5, unique_by=lambda one: one.key))
@settings(deadline=None, max_examples=40)
def test_rows_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[BankRow]
) -> None:
    folder = tmp_path_factory.mktemp("bank")
    bank = Bank(folder)
    for one in given_rows:
        bank.add(one)
    for other in (bank, Bank(folder)):
        assert sorted(other.rows(), key=lambda one: one.key) == sorted(
            given_rows, key=lambda one: one.key
        )
        for one in given_rows:
            assert other.get(*one.key) == one


def test_an_empty_bank_makes_no_folder(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "bank")
    assert len(bank) == 0 and bank.get(*ROW.key) is None
    assert not (tmp_path / "bank").exists()
    bank.add(ROW)
    assert (tmp_path / "bank").is_dir()


def test_the_key_is_space_form_protocol_and_replicate(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    bank.add(ROW)
    for name, value in (
        ("space", "other"),
        ("canonical", "other"),
        ("protocol", "other"),
        ("replicate", 1),
    ):
        other = replace(ROW, **{name: value})
        assert bank.get(*other.key) is None, name
        bank.add(other)
    assert len(bank) == 5
    assert bank.get(*replace(ROW, text="written otherwise").key) == ROW


def test_what_is_known_is_kept_and_nothing_is_written(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    bank.add(ROW)
    before = files(tmp_path)[0].read_bytes()
    bank.add(replace(ROW, held_out=1.0))
    assert bank.get(*ROW.key) == ROW
    assert files(tmp_path)[0].read_bytes() == before
    later = Bank(tmp_path)
    later.add(replace(ROW, held_out=2.0))
    assert len(files(tmp_path)) == 1, "a second writer that has nothing new writes no file"


def test_two_writers_only_ever_append_each_to_a_file_of_its_own(tmp_path: Path) -> None:
    first, second = Bank(tmp_path), Bank(tmp_path)
    contents: dict[Path, bytes] = {}
    for number in range(6):
        (first, second)[number % 2].add(row(number))
        for path in files(tmp_path):
            assert path.read_bytes().startswith(contents.get(path, b""))
            contents[path] = path.read_bytes()
    assert len(files(tmp_path)) == 2
    assert {one.held_out for one in first.rows()} == {0, 2, 4}
    first.refresh()
    assert {one.held_out for one in first.rows()} == {0, 1, 2, 3, 4, 5}
    second.add(row(6))
    first.refresh()
    assert first.get(*row(6).key) == row(6)


def test_two_processes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from engine.tables.bank import Bank, BankRow\n"
        "bank = Bank(Path(sys.argv[1]))\n"
        "for number in range(40):\n"
        "    bank.add(BankRow('s', f'{sys.argv[2]} {number}', 't' * 200, 'p', 0, 1, 2, 3, 4))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name], cwd=ROOT)
        for name in ("a", "b")
    ]
    watcher = Bank(tmp_path)
    while any(process.poll() is None for process in running):
        watcher.refresh()
    assert [process.returncode for process in running] == [0, 0]
    watcher.refresh()
    wanted = {f"{name} {number}" for name in "ab" for number in range(40)}
    assert (
        {one.canonical for one in watcher.rows()}
        == wanted
        == {one.canonical for one in Bank(tmp_path).rows()}
    )


def test_two_writers_of_one_key_agree_on_the_first_file(tmp_path: Path) -> None:
    write(tmp_path, text_of(replace(ROW, held_out=1.0)), name="a.jsonl")
    write(tmp_path, text_of(replace(ROW, held_out=2.0)), name="b.jsonl")
    found = Bank(tmp_path).get(*ROW.key)
    assert found is not None and found.held_out == 1.0


def test_a_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    whole, half = text_of(row(0)), text_of(row(1)).encode()
    path = write(tmp_path, whole, half[:30])
    bank = Bank(tmp_path)
    assert [one.held_out for one in bank.rows()] == [0]
    bank.refresh()
    with open(path, "ab") as file:
        file.write(half[30:] + b"\n" + text_of(row(2)).encode())
    bank.refresh()
    assert [one.held_out for one in bank.rows()] == [0, 1]
    bank.add(row(3))
    assert len(files(tmp_path)) == 2 and len(Bank(tmp_path)) == 3


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "",
        "[1, 2]",
        "3",
        "null",
        "{}",
        text_of(ROW, extra=1),
        json.dumps({key: value for key, value in asdict(ROW).items() if key != "test"}),
        text_of(ROW, canonical=["x"]),
        text_of(ROW, held_out="91.5"),
        text_of(ROW, loss=float("nan")),
        text_of(ROW, test=None),
        text_of(ROW, replicate=True),
        b"\xff\xfe\n",
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str | bytes) -> None:
    path = write(tmp_path, text_of(row(0)), text_of(row(1)), line, text_of(row(2)))
    with pytest.raises(TableError) as caught:
        Bank(tmp_path)
    assert f"line 3 of {path} is damaged" in str(caught.value)
    assert "remove that line" in str(caught.value)


def test_a_line_damaged_later_has_its_number_too(tmp_path: Path) -> None:
    path = write(tmp_path, text_of(row(0)), text_of(row(1)))
    bank = Bank(tmp_path)
    for more in (text_of(row(2)), text_of(row(3)) + "\nbroken"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(more + "\n")
        if "broken" not in more:
            bank.refresh()
    with pytest.raises(TableError, match=f"line 5 of {path}"):
        bank.refresh()


@pytest.mark.parametrize("more", [{}, {"a_field_of_the_future": 1}])
@pytest.mark.parametrize("version", [0, VERSION + 1, "2"])
def test_another_version_is_said_to_be_one(
    tmp_path: Path, version: object, more: dict[str, int]
) -> None:
    path = write(tmp_path, text_of(ROW, version=version, **more))
    with pytest.raises(TableError, match="another version") as caught:
        Bank(tmp_path)
    assert f"({version}; this one reads {VERSION})" in str(caught.value)
    assert str(path) in str(caught.value) and "Move the file away" in str(caught.value)


def test_every_line_says_its_version(tmp_path: Path) -> None:
    Bank(tmp_path).add(ROW)
    (line,) = files(tmp_path)[0].read_text().splitlines()
    assert json.loads(line) == asdict(ROW) | {"version": VERSION}


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TableError, match="Cannot write to the results bank.*NASW_DATA"):
        Bank(tmp_path / "file" / "bank").add(ROW)


def test_a_row_that_is_no_json_is_neither_written_nor_kept(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    with pytest.raises(ValueError):
        bank.add(replace(ROW, loss=float("nan")))
    assert len(bank) == 0 and files(tmp_path) == []


def test_weights_are_kept_and_found_by_others(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    bank.add(ROW)
    assert bank.weights_path(ROW) is None
    bank.keep_weights(ROW, b"old")
    bank.keep_weights(ROW, b"new")
    bank.keep_weights(replace(ROW, replicate=1), b"another")
    path = Bank(tmp_path).weights_path(replace(ROW, held_out=0.0))
    assert path is not None and path.read_bytes() == b"new"
    assert path.suffix == ".safetensors"
    assert len(list(path.parent.iterdir())) == 2, "nothing temporary stays"
    path.unlink()
    assert bank.weights_path(ROW) is None


def test_a_full_disk_leaves_the_old_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = Bank(tmp_path)
    bank.keep_weights(ROW, b"old")

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(TableError, match="No space left on device"):
        bank.keep_weights(ROW, b"new")
    path = bank.weights_path(ROW)
    assert path is not None and path.read_bytes() == b"old"
    assert len(list(path.parent.iterdir())) == 1
