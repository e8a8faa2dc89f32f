"""`list`, `catalog`, `presets`, `space`, `data`: what the engine offers."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli_cases import EXAMPLE, Command

from engine.lab_folders import data_folder
from engine.spaces import get_space
from engine.spec.files import load
from engine.spec.network import NetworkSpec
from engine.tables.bank import Bank

SPACE = get_space("nb201")
TEXT = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|skip_connect~1|avg_pool_3x3~2|"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("spaces", "nb201"),
        ("algorithms", "spos"),
        ("datasets", "digits"),
        ("addons", "landmark"),
        ("metrics", "sparse_kendall_tau"),
    ],
)
def test_list(kind: str, name: str, cli: Command) -> None:
    said = cli("list", kind)
    assert (said.code, said.err) == (0, "")
    assert name in said.out
    rows = json.loads(cli("list", kind, "--json").out)
    assert name in {row["name"] for row in rows}


def test_the_bank_is_listed(cli: Command, run_dirs: list[Path]) -> None:
    listed = json.loads(cli("list", "tables", "--json").out)
    rows = [row for row in listed if row["title"] == "Results bank"]
    assert {tuple(row["name"].split("/")[:2]) for row in rows} == {("bank", "nb201")}
    counts = [int(row["description"].split()[0]) for row in rows]
    assert sum(counts) == len(list(Bank(data_folder() / "bank").rows())) > 12
    assert "Results bank" in cli("list", "tables").out


def test_catalog(cli: Command) -> None:
    found = json.loads(cli("catalog").out)
    assert {"spaces", "algorithms", "datasets", "addons", "metrics", "schema"} <= set(found)
    sizes = {space["name"]: space["size"] for space in found["spaces"]}
    assert sizes["nb201"] == 15625


def test_presets(cli: Command) -> None:
    assert EXAMPLE.stem in cli("presets").out
    assert json.loads(cli("presets", "--json").out)[EXAMPLE.stem] == str(EXAMPLE)
    assert cli("presets", EXAMPLE.stem).out == EXAMPLE.read_text()


def test_the_example_is_valid_and_complete(cli: Command) -> None:
    said = cli("validate", EXAMPLE)
    assert (said.code, said.out) == (0, f"{EXAMPLE} can run.\n")
    assert "ready" in load(EXAMPLE).tags


def test_validate_names_every_fault(cli: Command) -> None:
    faults = ["--set=super_net.epoch=3", "--set=seed=-1"]
    said = cli("validate", EXAMPLE, *faults)
    assert (said.code, said.out) == (2, "")
    assert [line.split(":")[1].strip() for line in said.err.splitlines()] == [
        "super_net.epoch",
        "seed",
    ]
    said = cli("validate", EXAMPLE, *faults, "--json")
    found = json.loads(said.out)
    assert (said.code, found["valid"]) == (2, False)
    assert [fault["field"] for fault in found["problems"]] == ["super_net.epoch", "seed"]
    said = cli("validate", EXAMPLE, "--set=search.parents=99", "--json")
    assert [fault["field"] for fault in json.loads(said.out)["problems"]] == ["search.parents"]
    assert json.loads(cli("validate", EXAMPLE, "--json").out) == {"valid": True, "problems": []}


# -- space --------------------------------------------------------------------------------------
def test_space_size(cli: Command) -> None:
    assert cli("space", "nb201", "size").out == "15625\n"
    found = json.loads(cli("space", "nb201", "size", "--json").out)
    assert found == {"space": "nb201", "size": 15625}
    lines = cli("space", "darts", "size").out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "9119789245425254400",
        "1076746950455072400",
        "33232930569601",
    ]
    found = json.loads(cli("space", "darts", "size", "--json").out)
    assert list(found["counts"].values()) == [1076746950455072400, 33232930569601]


def test_space_sample(cli: Command) -> None:
    first = cli("space", "nb201", "sample", "--count", 5, "--seed", 3).out.splitlines()
    assert len(first) == 5
    assert cli("space", "nb201", "sample", "--count", 5, "--seed", 3).out.splitlines() == first
    assert cli("space", "nb201", "sample", "--count", 5, "--seed", 4).out.splitlines() != first
    for text in first:
        assert SPACE.to_text(SPACE.parse(text)) == text


def test_space_parse(cli: Command) -> None:
    assert cli("space", "nb201", "parse", TEXT).out == TEXT + "\n"
    found = json.loads(cli("space", "nb201", "parse", TEXT, "--json").out)
    assert found["indices"] == list(SPACE.parse(TEXT).indices)
    assert found["canonical"] == SPACE.canonical(SPACE.parse(TEXT))
    assert found["choices"]["0->1"] == "nor_conv_3x3"


def test_space_cost(cli: Command) -> None:
    published = SPACE.cost(SPACE.parse(TEXT), NetworkSpec())
    said = cli("space", "nb201", "cost", TEXT)
    assert (
        said.out
        == f"{published.params:,} parameters, {published.flops:,} multiply-adds per image\n"
    )
    small = json.loads(cli("space", "nb201", "cost", TEXT, "--spec", EXAMPLE, "--json").out)
    expected = SPACE.cost(SPACE.parse(TEXT), load(EXAMPLE).network)
    assert small == {"params": expected.params, "flops": expected.flops}
    assert small["params"] < published.params


def test_space_draw(cli: Command, tmp_path: Path) -> None:
    drawing = cli("space", "nb201", "draw", TEXT).out
    assert ElementTree.fromstring(drawing).tag.endswith("svg")
    said = cli("space", "nb201", "draw", TEXT, "--out", "deep/cell.svg")
    assert said.out == "deep/cell.svg\n"
    assert (tmp_path / "deep/cell.svg").read_text().strip() == drawing.strip()
    Path("file").write_text("")
    assert "Cannot write" in cli("space", "nb201", "draw", TEXT, "--out", "file/x.svg").refused()


# -- data ---------------------------------------------------------------------------------------
def test_data_list(cli: Command) -> None:
    said = cli("data", "list")
    assert said.code == 0
    assert "cifar100" in said.out
    rows = {row["name"]: row for row in json.loads(cli("data", "list", "--json").out)}
    assert rows["npz"]["needs_path"]
    assert not rows["digits"]["needs_path"]


def test_data_fetch(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(name: str, folder: Path, progress: object) -> Path:
        asked.append((name, folder.name))
        progress(1, 2)  # type: ignore[operator]
        progress(2, 2)  # type: ignore[operator]
        return tmp_path / "archive.tar.gz"

    monkeypatch.setattr("engine.cli.data.fetch", fetch)
    said = cli("data", "fetch", "cifar10")
    assert (said.code, said.out) == (0, f"{tmp_path}/archive.tar.gz\n")
    assert asked == [("cifar10", "datasets")]
