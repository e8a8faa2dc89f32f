"""Official files of NAS-Bench-201 and NATS-Bench: every form, and every kind of damage."""

from __future__ import annotations

import bz2
import csv
import gzip
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from table_cases import (
    CELLS,
    benchmark,
    raw_benchmark,
    raw_records,
    results,
    shared,
    training,
    write_bz2,
    write_new_torch,
    write_old_torch,
)
from test_tables_pickle_machine import Calls

from engine.spaces import get_space
from engine.spec.errors import TableError
from engine.tables.builder import BuiltTable
from engine.tables.nats_official import read_nats


def read(path: Path, space: str = "nb201") -> BuiltTable:
    return read_nats(path, get_space(space), lambda what, done, total: None)


def refusal(path: Path, space: str = "nb201") -> str:
    with pytest.raises(TableError) as caught:
        read(path, space)
    assert str(path) in str(caught.value)
    return str(caught.value)


def folder(path: Path, content: Any) -> Path:
    path.mkdir()
    meta = {key: content[key] for key in ("meta_archs", "evaluated_indexes")}
    write_bz2(path / "meta.pickle.pbz2", meta)
    for index, record in content["arch2infos"].items():
        write_bz2(path / f"{index:06d}.pickle.pbz2", record)
    return path


@pytest.mark.parametrize("form", ["pbz2", "old torch", "new torch", "folder"])
def test_every_form_gives_the_same_means(form: str, tmp_path: Path) -> None:
    write = {
        "pbz2": write_bz2,
        "old torch": write_old_torch,
        "new torch": write_new_torch,
        "folder": folder,
    }[form]
    hps = ("less", "full") if "torch" in form else ("12", "200")
    table = read(write(tmp_path / "benchmark", benchmark(hps=hps)))
    assert [table.texts[row] for row in range(3)] == list(CELLS)
    values = {name: column.tolist() for name, column in table.values.items()}
    assert values == {
        "cifar10-valid/x-valid@3": [40.0, 41.0, 42.0],
        "cifar10-valid/ori-test@3": [39.0] * 3,
        "cifar10-valid/train@3": [52.0] * 3,
        "cifar10-valid/training_time@3": [7.5] * 3,
        "cifar10-valid/x-valid@5": [61.0, 62.0, 63.0],
        "cifar10-valid/train@5": [54.0] * 3,
        "cifar10-valid/training_time@5": [12.5] * 3,
        "cifar10-valid/latency": pytest.approx([0.015] * 3),
        "cifar10-valid/params": pytest.approx([129_306.0] * 3),
        "cifar10-valid/flops": pytest.approx([15_647_370.0] * 3),
    }
    column = {one.name: one for one in table.columns}["cifar10-valid/x-valid@5"]
    assert (column.dataset, column.split, column.epochs) == ("cifar10-valid", "x-valid", 5)
    assert (column.unit, column.filled, column.fewest, column.most) == ("percent", 3, 3, 3)


@pytest.mark.parametrize("space", ["topology", "size"])
def test_published_raw_records(space: str, tmp_path: Path) -> None:
    path = write_bz2(tmp_path / "raw.pickle.pbz2", raw_benchmark(space))
    table = read(path, {"topology": "nb201", "size": "nats_size"}[space])
    assert len(table.texts) == 3
    sums: dict[tuple[str, str], list[float]] = {}
    for one in raw_records():
        if one["space"] == space:
            for split, values in one["eval_acc"].items():
                name = f"{one['dataset']}/{split}@{one['budget_epochs']}"
                sums.setdefault((one["arch"], name), []).append(values[-1][1])
    for (text, name), ends in sums.items():
        row = [table.texts[row] for row in range(3)].index(text)
        assert table.values[name][row] == pytest.approx(sum(ends) / len(ends), abs=1e-6)


def test_raw_records_agree_with_the_published_table(tmp_path: Path) -> None:
    table = read(write_bz2(tmp_path / "raw.pickle.pbz2", raw_benchmark("topology")))
    pairs = {
        "cifar10valid_val_200": "cifar10-valid/x-valid@200",
        "cifar10_test_200": "cifar10/ori-test@200",
        "cifar100_test_200": "cifar100/x-test@200",
        "imagenet16_test_200": "ImageNet16-120/x-test@200",
        "cifar10valid_val_12": "cifar10-valid/x-valid@12",
    }
    with gzip.open(shared("nasbench201.csv.gz"), "rt") as file:
        rows = {row["arch_str"]: row for row in csv.DictReader(file)}
    for row in range(3):
        for ours, theirs in pairs.items():
            published = float(rows[table.texts[row]][ours])
            assert table.values[theirs][row] == pytest.approx(published, abs=1e-4)


def test_records_that_share_objects_are_read_twice_and_right(tmp_path: Path) -> None:
    """A latency list that all records share is forgotten by the first reading."""
    content, latency = benchmark(), [0.5]
    for record in content["arch2infos"].values():
        for budget in record.values():
            for run in budget["all_results"].values():
                run["latency"] = latency
    table = read(write_bz2(tmp_path / "shared.pickle.pbz2", content))
    assert table.values["cifar10-valid/latency"].tolist() == [0.5] * 3
    assert {one.most for one in table.columns if one.name.endswith("x-valid@5")} == {3}


# -- what is refused ----------------------------------------------------------------------------
def test_a_file_that_would_run_something(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = benchmark()
    content["arch2infos"][2]["12"]["all_results"]["x", 1] = Calls(os.system, f"touch {trace}")
    for name, write in (("a", write_bz2), ("b", write_old_torch), ("c", write_new_torch)):
        message = refusal(write(tmp_path / name, content))
        assert "it asks for the name 'posix.system'" in message
    content["arch2infos"][2] = Calls(os.system, f"touch {trace}")
    assert "posix.system" in refusal(folder(tmp_path / "folder", content))
    assert not trace.exists()


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    path = write_bz2(tmp_path / "x.pickle.pbz2", benchmark())
    whole = path.read_bytes()
    for length in (len(whole) // 2, len(whole) - 20, 3, 0):
        path.write_bytes(whole[:length])
        assert "was not read" in refusal(path)
    old = write_old_torch(tmp_path / "x.pth", benchmark())
    old.write_bytes(old.read_bytes()[:-1000])
    assert "it is damaged" in refusal(old)
    new = write_new_torch(tmp_path / "y.pth", benchmark())
    new.write_bytes(new.read_bytes()[:-50])
    assert "it is damaged" in refusal(new)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"arch,acc\n", "begins neither like a `.pbz2` nor like a `.pth` file"),
        (bz2.compress(b"text"), "it is damaged"),
        (bz2.compress(pickle.dumps([1])), "it has no `meta_archs`"),
        (bz2.compress(pickle.dumps({"a": 1})), "it has no `meta_archs`"),
        (bz2.compress(pickle.dumps({"meta_archs": [3]})), "an architecture that is no text"),
        (bz2.compress(pickle.dumps({"meta_archs": ["a"]})), "has no results"),
        (b"PK\x03\x04" + bytes(30), "it is damaged"),
    ],
)
def test_another_file(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pickle.pbz2"
    path.write_bytes(data)
    assert words in refusal(path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "it cannot be read (No such file or directory)" in refusal(tmp_path)
    path = folder(tmp_path / "bench", benchmark())
    (path / "000001.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"12": {}})))
    assert "000001.pickle.pbz2 has no results" in refusal(path)


def test_part_of_a_folder_is_a_smaller_table(tmp_path: Path) -> None:
    path = folder(tmp_path / "bench", benchmark())
    (path / "000001.pickle.pbz2").unlink()
    table = read(path)
    assert [table.texts[row] for row in range(2)] == [CELLS[0], CELLS[2]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"eval_names": ["x-valid", "x-test"]}, "lacks the accuracy on `x-test` at its end"),
        ({"epochs": 9}, "lacks the accuracy on `x-valid` at its end"),
        ({"epochs": 0}, "an impossible number of epochs"),
        ({"params": "many"}, "`params` is no number"),
        ({"eval_acc1es": {"x-valid@1": 101.5}}, "101.5, which is no accuracy in percent"),
        ({"eval_acc1es": {"x-valid@1": float("nan")}}, "which is no number"),
    ],
)
def test_a_training_that_is_wrong(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    run = training("cifar10", 1, 2, {"x-valid": 50.0}) | change
    content = {
        "meta_archs": list(CELLS[:1]),
        "arch2infos": {0: {"12": results(0, CELLS[0], [run])}},
        "evaluated_indexes": [0],
    }
    assert words in refusal(write_bz2(tmp_path / "x.pickle.pbz2", content))


def test_records_that_are_missing_or_unknown(tmp_path: Path) -> None:
    content = benchmark()
    content["evaluated_indexes"] = list(range(5))
    path = write_bz2(tmp_path / "x.pickle.pbz2", content)
    assert "it has the results of 3 of 5 architectures" in refusal(path)
    content = benchmark()
    content["meta_archs"].pop()
    path = write_bz2(tmp_path / "y.pickle.pbz2", content)
    assert "results of an architecture 2 that it does not list" in refusal(path)


def test_the_table_of_another_space(tmp_path: Path) -> None:
    path = write_bz2(tmp_path / "x.pickle.pbz2", benchmark())
    message = refusal(path, "nats_size")
    assert "an architecture that is not of the space `nats_size`" in message


def test_a_file_that_asks_for_too_much_memory(tmp_path: Path) -> None:
    """One instruction that announces two gigabytes; the reader may have one."""
    path = tmp_path / "x.pth"
    path.write_bytes(b"\x80\x04\x8e" + (2**31).to_bytes(8, "little"))
    assert "it asks for too much memory" in refusal(path)
