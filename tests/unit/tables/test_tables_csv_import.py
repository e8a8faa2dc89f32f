"""CSV files as tables: units, budgets, repeats, and what is refused instead of guessed."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from table_cases import CELLS, shared

from engine.spaces import SPACES, get_space
from engine.spec.errors import TableError
from engine.tables.builder import BuiltTable
from engine.tables.csv_import import CsvOptions, is_accuracy, read_csv

A, B, C = CELLS


def read(path: Path, *columns: str, unit: str | None = None, space: str = "nb201") -> BuiltTable:
    options = CsvOptions(columns, unit)
    return read_csv(path, get_space(space), options, lambda what, done, total: None)


def table(folder: Path, content: str, *columns: str, unit: str | None = None) -> BuiltTable:
    path = folder / "table.csv"
    path.write_text(content)
    return read(path, *columns, unit=unit)


def values(built: BuiltTable) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in built.values.items()}


def test_accuracies_are_found_by_name(tmp_path: Path) -> None:
    content = (
        f"index,arch,val_acc,test,params_M,train_time_s\n0,{A},90,91,1.5,7\n1,{B},80,81,2,8\n"
    )
    built = table(tmp_path, content)
    assert values(built) == {"val_acc": [90.0, 80.0], "test": [91.0, 81.0]}
    assert {column.unit for column in built.columns} == {"percent"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cifar10valid_val_200", True),
        ("cifar100_test_200_lastseed", True),
        ("Test Accuracy", True),
        ("test_acc_seed0", True),
        ("params_M", False),
        ("zen_score_cifar10", False),
        ("train_loss_12", False),
        ("cifar10_train_time_s_12", False),
        ("val_std", False),
        ("index", False),
        ("ops", False),
        ("interval", False),
    ],
)
def test_names_of_accuracies(name: str, expected: bool) -> None:
    assert is_accuracy(name) is expected


def test_columns_with_units(tmp_path: Path) -> None:
    content = f"arch,score,val,ms,n\n{A},0.5,90,3,1\n{B},0.25,80,4,2\n"
    built = table(tmp_path, content, "score:fraction", "val", "n:number", "ms:seconds")
    assert values(built) == {
        "score": [50.0, 25.0],
        "val": [90.0, 80.0],
        "n": [1.0, 2.0],
        "ms": [3.0, 4.0],
    }
    units = {column.name: column.unit for column in built.columns}
    assert units == {"score": "percent", "val": "percent", "n": "number", "ms": "seconds"}


def test_a_unit_for_all_accuracies(tmp_path: Path) -> None:
    content = f"arch,val,test\n{A},0.5,0.75\n{B},0.25,1\n"
    assert values(table(tmp_path, content, unit="fraction")) == {
        "val": [50.0, 25.0],
        "test": [75.0, 100.0],
    }
    assert values(table(tmp_path, content, unit="percent"))["val"] == [0.5, 0.25]


def test_budgets_data_sets_and_repeats(tmp_path: Path) -> None:
    content = (
        "arch,task,epochs,val\n"
        f"{A},cifar10,12,60\n{A},cifar10,12,62\n{A},cifar10,200,90\n{A},cifar100,200,70\n"
        f"{B},cifar10,12,50\n"
    )
    built = table(tmp_path, content)
    found = values(built)
    assert list(found) == ["cifar10/val@12", "cifar10/val@200", "cifar100/val@200"]
    assert found["cifar10/val@12"] == [61.0, 50.0]
    assert np.isnan(found["cifar10/val@200"][1]) and found["cifar10/val@200"][0] == 90.0
    column = built.columns[0]
    assert (column.dataset, column.epochs, column.fewest, column.most) == ("cifar10", 12, 1, 2)


@pytest.mark.parametrize(
    ("content", "columns", "unit", "words"),
    [
        (f"arch,val\n{A},0.5\n{B},1\n", (), None, "has values from 0.5 to 1, which can be fract"),
        (f"arch,val\n{A},90\n", (), "fraction", "no accuracies in fraction"),
        (f"arch,val\n{A},-1\n", (), "percent", "no accuracies in percent"),
        (f"arch,val\n{A},101\n", (), None, "values from 101 to 101, which are no accuracies in"),
        (f"arch,score\n{A},90\n", (), None, "No column of"),
        (f"arch,score\n{A},90\n", ("score",), None, "write score:UNIT with one of percent,"),
        (f"arch,val\n{A},90\n", ("val:inch",), None, "`inch` is no unit"),
        (f"arch,val\n{A},90\n", ("test",), None, "has no column `test`; it has arch, val"),
        (f"arch,val\n{A},\n", (), None, "The column `val` of"),
        (f"arch,val\n{A},high\n", (), None, "Line 2 of"),
        (f"arch,val\n{A},nan\n", (), None, "Line 2 of"),
        (f"arch,val\n{A},90\nnone,80\n", (), None, "Line 3 of"),
        (f"arch,epochs,val\n{A},many,80\n", (), None, "could not convert string to float: 'many'"),
        (f"cell,val\n{A},90\n", (), None, "has no architecture column; name it one of arch_str"),
        ("", (), None, "No column of"),
    ],
)
def test_what_is_refused(
    content: str, columns: tuple[str, ...], unit: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as caught:
        table(tmp_path, content, *columns, unit=unit)
    assert words in str(caught.value)


def test_a_unit_that_is_none() -> None:
    with pytest.raises(TableError, match="--unit: accuracies are `percent` or `fraction`"):
        CsvOptions(unit="percents")


def test_a_damaged_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(f"arch,val\n{A},90\n".encode())[:-9])
    with pytest.raises(TableError, match="cannot be read as a CSV table"):
        read(path)


# -- published files ----------------------------------------------------------------------------
def test_the_published_table_of_nb201() -> None:
    built = read(shared("nasbench201.csv.gz"), "cifar10_test_200", "cifar10valid_val_200")
    test, valid = built.values["cifar10_test_200"], built.values["cifar10valid_val_200"]
    assert len(test) == 15_625
    assert test.max() == pytest.approx(94.37, abs=0.005)
    assert (int(valid.argmax()), valid.max()) == (6111, pytest.approx(91.61, abs=0.005))


def test_published_cells_of_nb101() -> None:
    if "nb101" not in SPACES:
        pytest.skip("the space nb101 is not there")
    built = read(shared("nasbench101_500.csv.gz"), "val_accuracy", space="nb101")
    assert len(built.texts) == 500
    assert built.values["val_accuracy"].max() == pytest.approx(94.71, abs=0.005)
    path = shared("ecnas_nb101_4v.csv.gz")
    with pytest.raises(TableError, match="say which with --unit fraction"):
        read(path, space="nb101")
    built = read(path, unit="fraction", space="nb101")
    assert len(built.texts) == 91
    column = next(one for one in built.columns if one.name == "test_acc@108")
    assert (column.fewest, column.most, column.epochs) == (3, 3, 108)
    accuracy = built.values["test_acc@108"]
    assert accuracy.min() >= 79.1 and accuracy.max() <= 93.5
