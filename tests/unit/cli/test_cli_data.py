"""`data import|list|show|delete` on the command line, and a run on what was imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import EXAMPLE, ROOT, SMALL, Command

from engine.datasets import load
from engine.spec.data import DataSpec


@pytest.fixture
def own(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A lab of this test's own, and an npz file of the digits beside it."""
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "lab"))
    digits = load(DataSpec())
    np.savez(tmp_path / "mine.npz", x_train=digits.images, y_train=digits.labels)
    return tmp_path / "lab"


def test_import_list_show_run_delete(cli: Command, own: Path) -> None:
    said = cli("data", "import", "npz", "mine.npz", "--name", "mine", "--title", "M", "--json")
    assert said.code == 0, said.err
    made = json.loads(said.out)
    assert (made["title"], made["kind"], sum(made["counts"]["train"])) == ("M", "npz", 1797)
    rows = json.loads(cli("data", "list", "--json").out)
    assert rows[-1]["path"] == "mine"
    assert rows[-1]["name"] == "imported"
    shown = json.loads(cli("data", "show", "mine", "--json").out)
    assert shown["fingerprint"] == made["fingerprint"] == load(DataSpec()).fingerprint
    assert shown["left_out"] == {"count": 0, "files": []}
    assert "classes\t[" in cli("data", "show", "mine").out

    wanted = ["--set", "data.name=imported", "--set", "data.path=mine"]
    said = cli("run", EXAMPLE, *SMALL, *wanted, "--runs", "runs", "--quiet")
    assert (said.code, said.err) == (0, "")

    assert cli("data", "delete", "mine").out == "mine was deleted.\n"
    refused = cli("validate", EXAMPLE, *wanted)
    assert "there is no imported data set `mine`; there are: none." in refused.err
    assert list((own / "datasets" / "imported").iterdir()) == []
    assert list((own / "datasets" / "previews").iterdir()) == []


def test_problems_of_files_are_json_too(cli: Command, own: Path, tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/1.png"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True)
        (tmp_path / "tree" / name).write_bytes(b"no picture")
    said = cli("data", "import", "folder", "tree", "--name", "tree", "--json")
    assert said.code == 2
    problems = json.loads(said.out)["problems"]
    assert problems["count"] == 2
    assert [file["file"] for file in problems["files"]] == ["cat/1.png", "dog/1.png"]
    assert said.err.startswith("error: 2 of 2 files cannot be used: cat/1.png: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("data import frob x --name y", "`frob` cannot be imported; known are: zip"),
        ("data import zip none.zip --name y", "none.zip: there is no such file."),
        ("data import zip none.zip", "--name: a data set's name has up to 80 letters"),
        ("data import official none.tgz", "none.tgz: there is no such file."),
        ("data import folder none --name y", "none: there is no such folder."),
        ("data show none", "There is no data set `none`"),
        ("data delete digits", "there is no imported data set `digits`"),
    ],
)
def test_refusals(cli: Command, own: Path, words: str, said: str) -> None:
    assert said in cli(*words.split()).refused()


def test_an_import_that_is_cancelled_leaves_nothing(own: Path, tmp_path: Path) -> None:
    """The import is terminated while it writes."""
    script = (
        "import sys, time\n"
        "from engine.cli import main\n"
        "from engine.datasets import imported\n"
        "def slow(path, **arrays):\n"
        "    path.write_bytes(b'half')\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
        "imported.np.savez = slow\n"
        "sys.argv = ['engine', 'data', 'import', 'npz', 'mine.npz', '--name', 'mine']\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert list((own / "datasets" / "imported").iterdir()) == []
