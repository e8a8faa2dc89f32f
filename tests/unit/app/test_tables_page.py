"""The page of tables: empty, with tables, one table, the results bank, and for viewers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from page_help import Open, words
from streamlit.testing.v1 import AppTest

from app import client, table_imports
from app.background import Task, TaskError, Tasks
from app.table_imports import Request
from engine.spaces import get_space
from engine.spec.errors import TableError
from engine.tables.bank import Bank, BankRow
from engine.tables.bank_reading import keep_protocol
from engine.tables.csv_import import CsvOptions
from engine.tables.csv_preview import preview
from engine.tables.importing import SpaceChoice, import_table
from engine.tables.store import imported, open_table

PAGE = "screens/tables.py"
VIEWS = {"Distribution": 1, "Best": 0, "Compromises": 1, "Agreement": 3, "Look up": 0}
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NB201 = get_space("nb201")
CELLS = [
    f"|{a}~0|+|{b}~0|nor_conv_3x3~1|+|skip_connect~0|{c}~1|nor_conv_1x1~2|"
    for a in OPERATIONS
    for b in OPERATIONS
    for c in OPERATIONS
]
NETWORKS = list({NB201.canonical(NB201.parse(cell)): cell for cell in CELLS}.values())
# Two encodings of one network.
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
EQUAL = "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def write_csv(path: Path) -> Path:
    rows = [
        f"{cell},{60 + number / 5},{(number * 7) % 100}"
        for number, cell in enumerate([*CELLS, CELL])
    ]
    path.write_text("arch_str,val_acc,test_acc\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def table(data: Path, tmp_path: Path) -> str:
    path = write_csv(tmp_path / "mine.csv")
    import_table("csv", path, data, "mine", SpaceChoice("nb201"), CsvOptions())
    return "mine"


def row(cell: str, replicate: int, test: float) -> BankRow:
    canonical = NB201.canonical(NB201.parse(cell))
    return BankRow("nb201", canonical, cell, "ab12", replicate, test - 1, test, 0.5, 3.0)


@pytest.fixture
def bank(data: Path) -> Path:
    kept = Bank(data / "bank")
    for number, cell in enumerate(NETWORKS[:20]):
        for replicate in range(2):
            kept.add(row(cell, replicate, 50.0 + number + replicate))
    kept.add(replace(row(NETWORKS[0], 0, 10.0), protocol="cd34"))
    content = {
        "data": {"name": "digits", "train_images": 400},
        "network": {"channels": 4, "cells": 1},
        "training": {"epochs": 3, "batch_size": 64},
    }
    keep_protocol(data / "bank", "ab12", content)
    return data / "bank"


def sound(test: AppTest) -> AppTest:
    assert not test.exception and not test.error
    return test


def chart_of(test: AppTest, key: str) -> Any:
    (found,) = [c for c in test.get("bidi_component") if c.key == key]
    return json.loads(found.proto.json)["figure"]


# -- the list -------------------------------------------------------------------------------------
def test_an_empty_lab_says_what_tables_are_for(open_page: Open) -> None:
    said = words(sound(open_page(PAGE)))
    assert "No table has been imported yet" in said and "nasbench_only108.tfrecord" in said
    assert "Nothing has been trained by itself yet" in said


def test_a_card_says_what_a_table_is(open_page: Open, table: str, data: Path) -> None:
    said = words(sound(open_page(PAGE)))
    header = open_table(data, table).header
    for fact in (
        "126", "NAS-Bench-201", "2 in percent: val_acc, test_acc", "mine.csv",
        header.sha256[:16],
    ):  # fmt: skip
        assert fact in said, fact


def test_a_damaged_table_can_only_be_deleted(open_page: Open, table: str, data: Path) -> None:
    (data / "tables" / table / "table.json").write_text("{")
    test = open_page(PAGE)
    assert not test.exception
    assert "is damaged" in words(test) and test.button(key="really-mine")


def test_deleting_asks_once(open_page: Open, table: str, data: Path) -> None:
    test = open_page(PAGE)
    assert imported(data) == [table], "drawing the question deletes nothing"
    test.button(key="really-mine").click().run()
    sound(test)
    assert imported(data) == [] and "No table has been imported yet" in words(test)


def test_viewers_can_neither_import_nor_delete(
    open_page: Open, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    for query in ({}, {"table": table}):
        test = sound(open_page(PAGE, **query))
        keys = [button.key or "" for button in test.button]
        assert not [key for key in keys if key.startswith(("really-", "import-"))]
        assert not [box for box in test.text_input if box.label == "File or folder"]
    assert "only shows" in words(open_page(PAGE))


# -- one table ------------------------------------------------------------------------------------
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_a_table(open_page: Open, table: str, view: str) -> None:
    test = sound(open_page(PAGE, table=table, view=view))
    assert "126 architectures" in words(test)
    assert len(test.get("bidi_component")) == VIEWS[view], "charts"


def test_the_address_says_what_is_shown(open_page: Open, table: str) -> None:
    test = sound(open_page(PAGE, table=table, column="test_acc", share="Best 10 %", value="98.5"))
    assert test.selectbox(key="column").value == "test_acc"
    values = sorted((number * 7) % 100 for number in range(126))[::-1]
    kept = [value for value in values if value >= values[12]]
    said = words(test)
    assert f"Half of {len(kept)} architectures" in said and "98.50 % would have rank" in said
    bars = chart_of(test, "table-histogram")["data"][0]
    assert sum(bars["y"]) == len(kept)


def test_the_scatter_has_counted_parameters_and_the_clicked_row(
    open_page: Open, table: str
) -> None:
    test = sound(open_page(PAGE, table=table, view="Compromises", row="3"))
    points, _, ring = chart_of(test, "table-scatter")["data"]
    assert len(points["x"]) == 126 and ring["customdata"] == [3]
    assert "The one you clicked on" in words(test) and CELLS[3] in words(test)
    best = sound(open_page(PAGE, table=table, view="Compromises", row="999"))
    assert "The best one" in words(best)


def test_the_best_rows_come_first(open_page: Open, table: str) -> None:
    test = sound(open_page(PAGE, table=table, view="Best"))
    shown = test.dataframe[0].value
    assert list(shown["val_acc"]) == [60 + number / 5 for number in range(125, 115, -1)]
    assert shown["Architecture"][0] == CELL


def test_the_matrix_of_two_columns(open_page: Open, table: str) -> None:
    test = sound(open_page(PAGE, table=table, view="Agreement", method="Kendall τ"))
    (heat,) = chart_of(test, "table-agreement")["data"]
    assert heat["y"] == ["val_acc", "test_acc"] and heat["z"][0][0] == pytest.approx(1)
    assert "Kendall τ" in words(test)
    ranks = chart_of(test, "table-ranks")["data"][0]
    assert sorted(ranks["x"]) == list(range(1, 127))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CELL, "a row for exactly this text"),
        (EQUAL, "The same network is in the table under another text"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "Not in this table"),
    ],
)
def test_looking_up_a_text(open_page: Open, table: str, text: str, said: str) -> None:
    assert said in words(sound(open_page(PAGE, table=table, view="Look up", arch=text)))


def test_a_wrong_text_is_told_what_is_wrong_with_it(open_page: Open, table: str) -> None:
    wrong = CELL.replace("skip_connect", "skip_conect")
    test = open_page(PAGE, table=table, view="Look up", arch=wrong)
    assert not test.exception
    assert any("skip\\_conect" in error.value for error in test.error)


def test_tables_that_are_not_there(open_page: Open, table: str) -> None:
    assert "no table of this name" in words(sound(open_page(PAGE, table="../bank")))
    test = sound(open_page(PAGE, table=table, column="gone", view="gone", share="gone"))
    assert test.selectbox(key="column").value == "val_acc"


# -- the results bank ---------------------------------------------------------------------------
def test_the_bank_is_listed_by_space_and_protocol(open_page: Open, bank: Path) -> None:
    said = words(sound(open_page(PAGE)))
    assert "Handwritten digits, 400 training images, 3 epochs of batch 64" in said
    assert "Protocol cd34: its settings are not on record" in said
    assert "41 stand-alone trainings" in said


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_the_bank(open_page: Open, bank: Path, view: str) -> None:
    test = sound(open_page(PAGE, bank="nb201/cd34", view=view))
    assert "1 network of NAS\\-Bench\\-201" in words(test)


def test_replicates_are_averaged(open_page: Open, bank: Path) -> None:
    test = open_page(PAGE, bank="nb201/ab12", view="Best")
    shown = test.dataframe[0].value
    assert shown["test"][0] == 69.5 and shown["Architecture"][0] == NETWORKS[19]
    assert len(sound(test).dataframe[0].value) == 10


def test_damage_is_told_and_the_rest_is_shown(open_page: Open, bank: Path) -> None:
    text = json.dumps(asdict(row(NETWORKS[40], 0, 70.0)))
    (bank / "z.jsonl").write_text(f"{{broken\n{text}\n")
    for query in ({}, {"bank": "nb201/ab12"}):
        test = sound(open_page(PAGE, **query))
        assert "A line of the results bank cannot be read" in test.warning[0].value
    assert "21 networks" in words(test)


def test_a_protocol_that_is_not_there(open_page: Open, bank: Path) -> None:
    assert "nothing of this protocol" in words(sound(open_page(PAGE, bank="nb201/ffff")))


# -- importing ------------------------------------------------------------------------------------
class Noted(Tasks):
    """Starts nothing and notes what would have been started."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[str, list[str]]] = []
        self.after: list[Callable[[Task], None]] = []

    def start(
        self,
        key: str,
        title: str,
        arguments: Sequence[str],
        after: Callable[[Task], None] = lambda task: None,
    ) -> Task:
        self.started.append((key, list(arguments)))
        self.after.append(after)
        return Task(key, title)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Noted:
    noted = Noted()
    monkeypatch.setattr(client, "tasks", lambda: noted)
    return noted


def give_path(test: AppTest, path: Path) -> AppTest:
    test.segmented_control(key="import-from").set_value("Path on the server").run()
    return test.text_input(key="import-path-0").set_value(str(path)).run()


def test_a_csv_file_is_shown_before_it_is_imported(
    open_page: Open, tasks: Noted, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "own table.csv")
    test = sound(give_path(open_page(PAGE), path))
    assert test.selectbox(key="import-0-own table.csv-space").value == "nb201"
    assert test.text_input(key="import-0-own table.csv-name").value == "own-table"
    assert list(test.dataframe[0].value["test_acc"]) == ["0", "7", "14", "21", "28"]
    test.button(key="import-start").click().run()
    ((key, arguments),) = tasks.started
    assert key == "table:own-table"
    assert arguments[:4] == ["table", "import", "csv", str(path)]
    assert arguments[4:] == [
        "--name=own-table", "--json", "--space=nb201",
        "--column=val_acc:percent", "--column=test_acc:percent",
    ]  # fmt: skip
    assert test.text_input(key="import-path-1").value == "", "the form is empty again"


def test_what_is_wrong_is_said_before(open_page: Open, tasks: Noted, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"arch,val_acc\n{CELL},0.5\n")
    test = give_path(open_page(PAGE), path)
    assert "Choose the unit of val\\_acc" in test.warning[0].value
    assert test.button(key="import-start").disabled
    gone = give_path(open_page(PAGE), tmp_path / "gone.csv")
    assert "There is no file or folder" in gone.error[0].value


def test_a_kind_that_the_name_does_not_say_is_asked_for(
    open_page: Open, tasks: Noted, tmp_path: Path
) -> None:
    (tmp_path / "results").mkdir()
    test = give_path(open_page(PAGE), tmp_path / "results")
    assert not [b for b in test.button if b.key == "import-start"]
    test.selectbox(key="import-0-results-kind").set_value("darts").run()
    test.button(key="import-start").click().run()
    assert tasks.started[0][1][:3] == ["table", "import", "darts"]


CSV = f"arch,val_acc\n{CELL},50\n"


def seen(text: str) -> Any:
    return preview(io.BytesIO(text.encode()), "t.csv")


@pytest.mark.parametrize(
    ("request_", "text", "said"),
    [
        (Request("csv", "a b", "nb201", columns=(("val_acc", "percent"),)), CSV, "a table's name"),
        (Request("csv", "a", "nb201"), CSV, "Tick at least one column"),
        (Request("csv", "a", "nats_size", columns=(("val_acc", "percent"),)), CSV, "first row"),
        (Request("csv", "a", "nb201", columns=(("val_acc", ""),)), CSV, "Choose the unit"),
        (Request("csv", "a", "nb201"), "arch,val_acc\n", "no rows"),
        (Request("csv", "a", "nb201", columns=(("b", "number"),)), "a,b\n1,2\n", "No column has"),
        (
            Request("csv", "a", "nb101", {"nodes": 99}, (("val_acc", "percent"),)),
            CSV,
            "space_settings.nodes",
        ),
    ],
)
def test_problems_before_an_import(request_: Request, text: str, said: str) -> None:
    assert any(said in problem for problem in table_imports.problems(request_, seen(text)))


def test_a_sound_request_has_no_problem(table: str) -> None:
    request = Request("csv", "other", "nb201", columns=(("val_acc", "percent"),))
    assert table_imports.problems(request, seen(CSV)) == []
    taken = table_imports.problems(replace(request, name=table), seen(CSV))
    assert taken and "already; give another name" in taken[0]
    assert table_imports.free_name(table) == "mine-2" and table_imports.free_name("--") == "table"


# -- uploaded files -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.csv", "a.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\b c.csv", "b-c.csv"),
        (".hidden", "hidden"),
        ("..", "upload"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_uploaded_names_lead_nowhere(name: str, safe: str) -> None:
    assert table_imports.safe_name(name) == safe


def test_a_staged_file_is_removed_when_its_import_ends(data: Path, tasks: Noted) -> None:
    path = table_imports.stage(io.BytesIO(b"arch,val\n"), "../t.csv")
    assert path.read_bytes() == b"arch,val\n" and path.parent.parent == data / "uploads"
    table_imports.start(tasks, Request("csv", "t"), path, staged=True)
    task = Task("table:t", "Importing t", error=f"Line 1 of {path}: no.")
    tasks.after[0](task)
    assert list((data / "uploads").iterdir()) == []
    assert task.error == "Line 1 of t.csv: no."


def test_a_staged_file_is_removed_when_its_import_cannot_begin(data: Path) -> None:
    class Busy(Tasks):
        def start(self, *_: Any, **__: Any) -> Task:
            raise TaskError("busy")

    path = table_imports.stage(io.BytesIO(b"x"), "t.csv")
    with pytest.raises(TaskError):
        table_imports.start(Busy(), Request("csv", "t"), path, staged=True)
    assert list((data / "uploads").iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing(data: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(TableError, match="No space left"):
        table_imports.stage(Broken(b"x"), "t.csv")
    assert list((data / "uploads").iterdir()) == []


def test_files_on_the_server_stay(tmp_path: Path, tasks: Noted) -> None:
    path = write_csv(tmp_path / "mine.csv")
    table_imports.start(tasks, Request("csv", "t"), path, staged=False)
    tasks.after[0](Task("table:t", "Importing t"))
    assert path.exists()


def test_uploads_of_a_dead_server_are_swept(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = table_imports.stage(io.BytesIO(b"x"), "old.csv")
    monkeypatch.setattr(table_imports, "STALE_SECONDS", -1)
    new = table_imports.stage(io.BytesIO(b"x"), "new.csv")
    assert new.exists() and not old.exists()
