"""`table delete`, settings of the space, and an import that is asked to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_cases import ROOT, Command
from typer import Abort

from engine.cli.ending import TERMINATED, tidy_ending
from engine.lab_folders import data_folder

LINE = "arch,test\n8:8:8:8:8,90\n"


def imported(cli: Command, name: str) -> None:
    Path("t.csv").write_text(LINE)
    said = cli("table", "import", "csv", "t.csv", "--space", "nats_size", f"--name={name}")
    assert said.code == 0, said.err


def test_a_table_is_deleted(cli: Command) -> None:
    imported(cli, "doomed")
    assert cli("table", "delete", "doomed", "--yes").out == "doomed was deleted.\n"
    assert not (data_folder() / "tables" / "doomed").exists()
    assert [
        p.name for p in (data_folder() / "tables").iterdir() if p.name.startswith(".doomed")
    ] == []
    said = cli("table", "delete", "doomed", "--yes")
    assert said.refused().startswith("There is no imported table `doomed`")


def test_a_damaged_table_is_deleted_too(cli: Command) -> None:
    imported(cli, "damaged")
    (data_folder() / "tables" / "damaged" / "table.json").write_text("{")
    assert cli("table", "delete", "damaged", "--yes").code == 0


@pytest.mark.parametrize("name", ["..", "../doomed", "", "."])
def test_only_tables_are_deleted(cli: Command, name: str) -> None:
    assert cli("table", "delete", name, "--yes").refused().startswith("There is no imported table")


def test_it_asks_first(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(cli, "asked")
    asked: list[str] = []

    def no(text: str, abort: bool) -> None:
        asked.append(text)
        assert abort
        raise Abort

    monkeypatch.setattr("engine.cli.table.typer.confirm", no)
    assert cli("table", "delete", "asked").code != 0
    assert asked == ["Delete the table asked for good?"]
    assert (data_folder() / "tables" / "asked").is_dir()


def test_settings_of_the_space_are_kept(cli: Command) -> None:
    Path("s.csv").write_text("adjacency,ops,val_acc\n0100,IO,90\n")
    settings = json.dumps({"nodes": 5})
    said = cli(
        *("table", "import", "csv", "s.csv", "--space=nb101", f"--space-settings={settings}"),
        *("--name=small", "--json"),
    )
    assert said.code == 0, said.err
    assert json.loads(said.out)["space_settings"] == {"nodes": 5}
    wrong = cli("table", "import", "csv", "s.csv", "--space=nb101", "--space-settings={nodes: 99}")
    assert "space_settings.nodes" in wrong.refused()


def test_sigterm_leaves_the_block_as_an_exception() -> None:
    before = signal.getsignal(signal.SIGTERM)
    tidied = []
    with pytest.raises(SystemExit) as ended, tidy_ending():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            tidied.append(True)
    assert ended.value.code == TERMINATED and tidied
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_cancelled_import_leaves_nothing(tmp_path: Path) -> None:
    cell = "{}:{}:{}:{}:{}"
    widths = (8, 16, 24, 32, 40, 48, 56, 64)
    rows = [cell.format(a, b, c, d, e) for a in widths for b in widths for c in widths
            for d in widths for e in widths]  # fmt: skip
    (tmp_path / "t.csv").write_text("arch,test\n" + "".join(f"{row},90\n" for row in rows))
    command = [sys.executable, "-m", "engine", "table", "import", "csv", str(tmp_path / "t.csv")]
    environment = os.environ | {"NASW_DATA": str(tmp_path / "data"), "NASW_PROGRESS": "json"}
    process = subprocess.Popen(
        [*command, "--space=nats_size"], cwd=ROOT, env=environment, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    assert b"progress" in process.stderr.readline(), "it has begun"
    process.terminate()
    process.stderr.read()
    assert process.wait(30) == TERMINATED
    left = [p for p in (tmp_path / "data").rglob("*") if p.is_file()]
    assert left == []
