"""`table`, and `rank --all` with a table that knows every architecture."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import EXAMPLE, SMALL, Command, call
from scipy import stats

from engine.core.architecture import Architecture
from engine.metrics import ranking_correlations
from engine.rank import COLUMNS
from engine.spaces import get_space

SIZE, NB201 = get_space("nats_size"), get_space("nb201")
TEXTS = ("8:8:8:8:8", "16:8:8:8:8", "8:8:8:8:64")
# Six cells of four networks: the second and the third build that of the first.
CELLS = [
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
    "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|",
    "|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
]


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def sizes(home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of an imported table of three architectures."""
    folder = tmp_path_factory.mktemp("csv")
    rows = [f"{text},0.{8 - k},{k}" for k, text in enumerate(TEXTS)]
    path = write(folder / "sizes.csv", "arch,val_acc,n", rows)
    said = call(
        *("table", "import", "csv", path, "--space", "nats_size", "--unit", "fraction"),
        *("--column", "val_acc", "--column", "n:number"),
    )
    assert (said.code, said.err) == (0, "")
    assert said.out == "sizes: 3 architectures of nats_size from sizes.csv (csv)\n"
    return "sizes"


def test_import_says_what_there_is(cli: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "arch,test", [f"{TEXTS[0]},90"])
    said = cli("table", "import", "csv", path, "--space", "nats_size", "--name", "one", "--json")
    found = json.loads(said.out)
    assert (found["name"], found["rows"], found["source"]) == ("one", 1, "t.csv")
    assert found["columns"][0]["name"] == "test"
    again = cli("table", "import", "csv", path, "--space", "nats_size", "--name", "one")
    assert again.refused().startswith("There is a table `one` already; give another --name")


def test_the_space_of_an_experiment(cli: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "arch,test", [f"{CELLS[0]},90"])
    said = cli("table", "import", "csv", path, "--spec", EXAMPLE, "--name", "of_spec", "--json")
    assert json.loads(said.out)["space"] == "nb201"


def test_list(sizes: str, cli: Command) -> None:
    assert "3 architectures of nats_size from sizes.csv (csv)" in cli("table", "list").out
    rows = {row["name"]: row for row in json.loads(cli("table", "list", "--json").out)}
    assert rows[sizes]["columns"][0]["unit"] == "percent"
    assert "Imported table" in cli("list", "tables").out
    rows = {row["name"]: row for row in json.loads(cli("list", "tables", "--json").out)}
    assert rows[sizes]["description"] == (
        "3 architectures of nats_size from sizes.csv, 1 accuracies"
    )


def test_query(sizes: str, cli: Command) -> None:
    assert cli("table", "query", sizes, TEXTS[1]).out.splitlines() == [
        TEXTS[1],
        "val_acc\t70 percent",
        "n\t1 number",
    ]
    found = json.loads(cli("table", "query", sizes, TEXTS[1], "--json").out)
    assert found["values"] == {"val_acc": 70.0, "n": 1.0}
    assert "has no row for 64:8:8:8:8" in cli("table", "query", sizes, "64:8:8:8:8").refused()
    assert "is 5 widths joined by" in cli("table", "query", sizes, CELLS[0]).refused()


def test_query_of_an_equal_network(cli: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "arch,test", [f"{CELLS[0]},90", f"{CELLS[3]},"])
    cli("table", "import", "csv", path, "--space", "nb201", "--name", "cells")
    said = cli("table", "query", "cells", CELLS[1])
    assert said.out.splitlines()[0] == f"{CELLS[0]}  (the same network as {CELLS[1]})"
    found = json.loads(cli("table", "query", "cells", CELLS[2], "--json").out)
    assert (found["text"], found["row"]) == (CELLS[2], CELLS[0])
    assert cli("table", "query", "cells", CELLS[3]).out.splitlines()[1] == "test\t-"
    found = json.loads(cli("table", "query", "cells", CELLS[3], "--json").out)
    assert found["values"] == {"test": None}


def test_stats(sizes: str, cli: Command) -> None:
    said = cli("table", "stats", sizes)
    assert f"best val_acc\t{TEXTS[0]}" in said.out
    found = json.loads(cli("table", "stats", sizes, "--json").out)
    assert found["columns"]["val_acc"]["mean"] == pytest.approx(70)
    assert found["spearman"] == []
    alone = json.loads(cli("table", "stats", sizes, "--column", "n", "--json").out)
    assert list(alone["columns"]) == ["n"]
    assert "has no column `x`" in cli("table", "stats", sizes, "--column", "x").refused()


def test_many_pairs_are_cut_short(cli: Command, tmp_path: Path) -> None:
    names = [f"test_{k}" for k in range(7)]
    rows = [
        f"{text},{','.join(str(50 + k * j) for j in range(7))}" for k, text in enumerate(TEXTS)
    ]
    path = write(tmp_path / "t.csv", ",".join(["arch", *names]), rows)
    cli("table", "import", "csv", path, "--space", "nats_size", "--name", "many")
    lines = cli("table", "stats", "many").out.splitlines()
    assert "Spearman 1.0000  test_1 ~ test_2  (n = 3)" in lines
    assert "Spearman undefined  test_0 ~ test_1  (n = 3)" in lines
    assert lines[-1].startswith("15 of 21 pairs; choose columns with --column")


# -- rank with a whole table --------------------------------------------------------------------
@pytest.fixture(scope="module")
def table_run(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small run whose ground truth is an imported table of all cells."""
    folder = tmp_path_factory.mktemp("table_run")
    rng = np.random.default_rng(0)
    rows = [f"{NB201.to_text(one)},{rng.uniform(10, 95):.4f}" for one in NB201.enumerate()]
    path = write(folder / "whole.csv", "arch,test", rows)
    assert call("table", "import", "csv", path, "--space", "nb201").code == 0
    truth = "evaluation.ground_truth={source: table, table: whole, column: test}"
    said = call(
        *("run", EXAMPLE, *SMALL, f"--set={truth}", "--set=addons.landmark.per_round=2"),
        *("--runs", folder / "runs", "--quiet"),
    )
    assert (said.code, said.err) == (0, "")
    return Path(said.out.strip())


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the whole space six cells, and its interval quick."""
    wanted = [NB201.parse(text) for text in CELLS]
    monkeypatch.setattr(type(NB201), "enumerate", lambda self: iter(wanted))

    def quick(*arguments: object, **words: object) -> object:
        return ranking_correlations(*arguments, **{**words, "resamples": 20})  # type: ignore

    monkeypatch.setattr("engine.rank_figures.ranking_correlations", quick)


@pytest.mark.usefixtures("few")
def test_a_whole_space_is_compared_with_its_table(table_run: Path, cli: Command) -> None:
    said = cli("rank", table_run, "--all", "--json")
    assert (said.code, said.err) == (0, "")
    found = json.loads(said.out)
    rows = found["ranking"]
    assert [row["text"] for row in sorted(rows, key=lambda row: CELLS.index(row["text"]))] == [
        CELLS[0],
        *CELLS[3:],
    ], "of equal networks the first"
    truth = [row["ground_truth"] for row in rows]
    known = {row["text"]: float(row["ground_truth"]) for row in rows}
    whole = json.loads(cli("table", "query", "whole", CELLS[3], "--json").out)
    assert known[CELLS[3]] == whole["values"]["test"]
    assert [row["true_rank"] for row in rows] == stats.rankdata(
        [-value for value in truth], method="min"
    ).tolist()
    scores = [row["super_net_accuracy"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert (found["n"], found["known"], found["landmarks"]) == (4, 4, 0)
    assert set(found["correlations"]["kendall_tau"]) == {"value", "n", "low", "high"}
    if len(set(scores)) > 1:
        tau = stats.kendalltau(truth, scores).statistic
        assert found["correlations"]["kendall_tau"]["value"] == pytest.approx(tau)
    assert found["correlations"]["spearman"]["n"] == 4


@pytest.mark.usefixtures("few")
def test_every_encoding(table_run: Path, cli: Command) -> None:
    said = cli("rank", table_run, "--all", "--encodings", "--out", "all.csv", "--json")
    found = json.loads(said.out)
    assert "ranking" not in found and found["n"] == 6
    with open("all.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert sorted(row["text"] for row in rows) == sorted(CELLS)
    assert sorted(int(row["true_rank"]) for row in rows) == [1, 2, 3, 4, 5, 6]


def test_landmarks_are_left_out(
    table_run: Path, cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(table_run / "landmarks.csv", newline="") as file:
        told = [row["text"] for row in csv.DictReader(file)]
    assert told
    listed = [NB201.parse(text) for text in [*told, CELLS[3], CELLS[4]]]
    monkeypatch.setattr(type(NB201), "enumerate", lambda self: iter(listed))
    found = json.loads(cli("rank", table_run, "--all", "--encodings", "--json").out)
    assert (found["n"], found["landmarks"]) == (2, len(told))
    marked = {row["text"] for row in found["ranking"] if row["is_landmark"]}
    assert marked == set(told)


@pytest.mark.usefixtures("few")
def test_the_figures_in_words(table_run: Path, run_dirs: list[Path], cli: Command) -> None:
    said = cli("rank", table_run, "--all")
    assert len(said.out.splitlines()) == 4
    assert said.err.splitlines()[0] == "4 architectures"
    assert "sparse kendall tau: " in said.err
    said = cli("rank", run_dirs[0], "--all")
    assert "is known, so that there is no correlation over all of them" in said.err


def test_a_space_without_end(run_dirs: list[Path], cli: Command) -> None:
    space = type(NB201)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "provides", frozenset(space.provides) - {"enumerable"})
        message = cli("rank", run_dirs[0], "--all").refused()
    assert message.startswith("The space `nb201` has too many architectures to rank all of them")


def test_the_architectures_of_a_table(table_run: Path, cli: Command) -> None:
    """A space that cannot be listed is ranked as far as its table goes."""
    space = type(NB201)
    few = [Architecture("nb201", (2, 0, 0, k, 0, 0)) for k in range(5)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(space, "provides", frozenset(space.provides) - {"enumerable"})
        patch.setattr("engine.tables.lookup.TableLookup.architectures", lambda self: few)
        found = json.loads(cli("rank", table_run, "--all", "--json").out)
    networks = {NB201.canonical(one) for one in few}
    assert len(found["ranking"]) == len(networks)
