"""Background tasks: real commands of the engine in processes of their own."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.background import Task, TaskError, Tasks

SPACE = ["space", "nb201", "size", "--json"]


def ended(tasks: Tasks, key: str) -> Task:
    deadline = time.monotonic() + 60
    while (task := tasks.get(key)) is not None and task.state == "running":
        assert time.monotonic() < deadline, "the command hangs"
        time.sleep(0.05)
    assert task is not None
    return task


def test_a_table_is_imported_with_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    file = tmp_path / "mine.csv"
    cell = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|"
    rows = [f"{cell.format(op)},{value}" for op, value in (("none", 10.0), ("skip_connect", 80.5))]
    file.write_text("arch,accuracy\n" + "\n".join(rows) + "\n")
    tasks, over = Tasks(), list[str]()
    arguments = ["table", "import", "csv", str(file), "--space", "nb201", "--unit", "percent"]
    tasks.start(
        "table:mine", "Import", [*arguments, "--json"], lambda task: over.append(task.state)
    )
    task = ended(tasks, "table:mine")
    assert (task.state, task.error) == ("done", "")
    assert task.output["rows"] == 2
    assert task.words not in ("", "Starting"), "progress was reported"
    assert [one.key for one in tasks.all("table:")] == ["table:mine"] and tasks.all("data:") == []
    tasks.forget("table:mine")
    assert tasks.get("table:mine") is None


def test_a_fault_is_told_in_the_engines_own_sentence(tmp_path: Path) -> None:
    tasks = Tasks()
    tasks.start("t", "Import", ["table", "import", "csv", str(tmp_path / "gone.csv")])
    task = ended(tasks, "t")
    assert task.state == "failed"
    assert "gone.csv" in task.error and "Traceback" not in task.error


def test_one_task_of_a_kind_at_a_time_and_a_cancelled_one_ends() -> None:
    tasks, over = Tasks(), list[str]()
    tasks.start("t", "Catalogue", ["catalog"], lambda task: over.append(task.state))
    with pytest.raises(TaskError, match="Catalogue is under way"):
        tasks.start("t", "Again", ["catalog"])
    tasks.cancel("t")
    deadline = time.monotonic() + 30
    while not over and time.monotonic() < deadline:
        time.sleep(0.05)
    assert over == ["cancelled"]
