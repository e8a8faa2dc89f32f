"""Importing a table from its page: what is asked, what is refused, what is left of uploads."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page_help import Open
from streamlit.testing.v1 import AppTest

from app import client, table_imports
from app.background import Task, TaskError, Tasks
from app.table_imports import Request
from engine.spec.errors import TableError
from engine.tables.csv_import import CsvOptions
from engine.tables.csv_preview import preview
from engine.tables.importing import SpaceChoice, import_table

PAGE = "screens/tables.py"
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
OTHER = "|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def write_csv(path: Path) -> Path:
    path.write_text(f"arch_str,val_acc,test_acc\n{CELL},60,70\n{OTHER},61,7\n")
    return path


@pytest.fixture
def table(data: Path, tmp_path: Path) -> str:
    path = write_csv(tmp_path / "mine.csv")
    import_table("csv", path, data, "mine", SpaceChoice("nb201"), CsvOptions())
    return "mine"


def sound(test: AppTest) -> AppTest:
    assert not test.exception and not test.error
    return test


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
    assert list(test.dataframe[0].value["test_acc"]) == ["70", "7"]
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
