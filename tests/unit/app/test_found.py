"""Found architectures of all runs: read once, filtered, recognised as equal, taken away."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from played_client import PlayedClient
from played_run import played, small_spec

from app import found as bridge
from app import found_files
from app.found import Filter, Found
from app.widgets import found_scatter, found_table
from engine.core.architecture import Architecture
from engine.runs import RunFolder, create_run, write_json
from engine.spaces import get_space

SPACE = get_space("nb201")
# Both are a 3x3 convolution from input to output: the rest of the first reaches nothing.
DEAD_ENDS, BARE = (3, 2, 0, 3, 0, 0), (0, 0, 0, 3, 0, 0)


def rewrite(folder: RunFolder, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a run's result."""
    value = json.loads((folder.path / "result.json").read_text())
    change(value)
    write_json(folder.path / "result.json", value)


def measured(value: dict[str, Any]) -> None:
    """Give a result latencies, as the engine writes them."""
    value["latency"] = {"device": "CPU (1 thread)"}
    for row in value["architectures"]:
        row["latency_ms"] = 0.1 * row["rank"]


def test_every_run_is_read_with_what_is_known(lab: PlayedClient, runs: Path) -> None:
    first, second = played(runs, name="Apples"), played(runs, name="Pears", seed=3)
    create_run(runs, small_spec(name="Not begun"))
    rewrite(first, measured)
    found = bridge.everything()
    assert len(found) == 10
    accuracies = [one.stand_alone for one in found]
    assert accuracies == sorted(accuracies, reverse=True), "the most accurate first"
    for folder in (first, second):
        result = folder.result()
        assert result is not None
        for row in result["architectures"]:
            (one,) = [o for o in found if o.key == f"{folder.run_id}/{row['rank']}"]
            assert (one.text, one.indices) == (row["text"], tuple(row["architecture"]))
            assert one.super_net == row["super_net_accuracy"]
            assert (one.params, one.flops) == (row["params"], row["flops"])
            assert one.form == SPACE.canonical(Architecture.of("nb201", one.indices))
            assert one.searcher == "evolution"
            assert one.folder == folder.path / "architectures" / str(row["rank"])
    here = {one.latency_on for one in found if one.run_id == first.run_id}
    assert here == {"CPU (1 thread)"}
    assert {one.latency_ms for one in found if one.run_id == second.run_id} == {None}


def test_only_changed_files_are_read_again(
    lab: PlayedClient, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [played(runs, seed=seed) for seed in (0, 1)]
    read: list[str] = []
    real = bridge._read
    monkeypatch.setattr(
        bridge, "_read", lambda run, path: read.append(path.name) or real(run, path)
    )
    index = bridge.FoundIndex()
    for _ in range(3):
        index.of(lab.list(), runs)
    assert sorted(read) == sorted(folder.run_id for folder in folders)
    rewrite(folders[0], measured)
    assert any(one.latency_ms for one in index.of(lab.list(), runs))
    assert read[2:] == [folders[0].run_id]
    lab.delete(folders[1].run_id)
    assert {one.run_id for one in index.of(lab.list(), runs)} == {folders[0].run_id}


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("architectures"),
        lambda value: value["architectures"][0].pop("params"),
        lambda value: value["architectures"][0].update(architecture=[0, 0, "x"]),
        lambda value: value.update(architectures=3),
        lambda value: value.update(latency="fast"),
    ],
)
def test_a_damaged_result_leaves_the_others(
    lab: PlayedClient, runs: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    damaged, whole = played(runs), played(runs, seed=1)
    rewrite(damaged, change)
    assert {one.run_id for one in bridge.everything()} == {whole.run_id}
    (damaged.path / "result.json").write_text("{")
    os.utime(damaged.path / "result.json", ns=(1, 1))
    assert {one.run_id for one in bridge.everything()} == {whole.run_id}


def one(**changes: Any) -> Found:
    """Return an architecture for the parts that need no run."""
    indices = changes.pop("indices", BARE)
    architecture = Architecture.of("nb201", indices)
    base = Found(
        "run-a", "Apples", "spos", "nb201", "digits", 0, 1.0, 1, SPACE.to_text(architecture),
        indices, SPACE.canonical(architecture), 80.0, 90.0, 30_000.0, 2e6, 0.5, "CPU", "evolution",
    )  # fmt: skip
    return replace(base, **changes)


def test_equal_networks_are_recognised_under_other_encodings() -> None:
    first, second = one(indices=DEAD_ENDS), one(run_id="run-b", run_name="Pears", seed=4)
    other = one(run_id="run-c", indices=(3, 0, 0, 3, 3, 0))
    assert first.indices != second.indices
    together = bridge.equal_networks([first, second, other])
    assert together[first.network] == [first, second]
    assert found_table.also(first, together[first.network]) == "1×: Pears (seed 4)"
    assert found_table.also(other, together[other.network]) == ""
    elsewhere = one(space="nb101")
    assert elsewhere.network != second.network, "another space, whatever the form is called"
    crowd = [one(run_id=f"r{n}", run_name=f"R{n}") for n in range(6)]
    told = found_table.also(crowd[0], crowd)
    assert told == "5×: R1 (seed 0), R2 (seed 0), R3 (seed 0) and 2 more"


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Filter(), "abcd"),
        (Filter(words="pears SEED 4"), "b"),
        (Filter(words="nor_conv_3x3~0"), "abcd"),
        (Filter(spaces=("nb101",)), "c"),
        (Filter(data=("cifar10", "digits")), "abcd"),
        (Filter(data=("cifar10",), algorithms=("darts",)), "d"),
        (Filter(accuracy=(90.0, 91.0)), "ab"),
        (Filter(accuracy=(0.0, 85.0), value="super_net"), "abc"),
        (Filter(params=(0.0, 29_999.0)), "d"),
    ],
)
def test_the_filter(wanted: Filter, kept: str) -> None:
    rows = {
        "a": one(),
        "b": one(run_name="Pears", seed=4, stand_alone=91.0),
        "c": one(space="nb101", stand_alone=None),
        "d": one(data="cifar10", algorithm="darts", super_net=85.1, stand_alone=92.0, params=1e4),
    }
    assert "".join(name for name, row in rows.items() if wanted.keeps(row)) == kept


def test_everything_of_a_selection_is_in_the_zip(lab: PlayedClient, runs: Path) -> None:
    first, second = played(runs, name="Apples, red"), played(runs, seed=1)
    rewrite(first, measured)
    found = [f for f in bridge.everything() if f.rank <= 2]
    (second.path / "architectures" / "2" / "weights.safetensors").write_bytes(b"w" * 1000)
    with zipfile.ZipFile(io.BytesIO(found_files.zipped(found))) as bundle:
        names = set(bundle.namelist())
        listed = {
            f"{folder.run_id}/{path.relative_to(folder.path / 'architectures').as_posix()}"
            for folder in (first, second)
            for rank in ("1", "2")
            for path in (folder.path / "architectures" / rank).iterdir()
        }
        assert names == listed | {"architectures.csv"}
        read = f"{second.run_id}/2/weights.safetensors"
        assert bundle.read(read) == b"w" * 1000
        table = list(csv.DictReader(io.StringIO(bundle.read("architectures.csv").decode())))
    assert [f"{row['run_id']}/{row['rank']}" for row in table] == [f.key for f in found]
    apples = next(row for row in table if row["run_id"] == first.run_id and row["rank"] == "1")
    assert (apples["run"], apples["latency_ms"]) == ("Apples, red", "0.1")
    assert next(row for row in table if row["run_id"] == second.run_id)["latency_ms"] == ""
    assert found_files.size_of(found) == (
        len(names) - 1,
        sum((runs / name.replace("/", "/architectures/", 1)).stat().st_size for name in listed),
    )


def test_a_folder_that_is_gone_is_left_out(lab: PlayedClient, runs: Path) -> None:
    played(runs)
    gone = replace(bridge.everything()[0], rank=99)
    with zipfile.ZipFile(io.BytesIO(found_files.zipped([gone]))) as bundle:
        assert bundle.namelist() == ["architectures.csv"]


def test_dots_are_those_whose_numbers_are_known() -> None:
    rows = [one(), one(latency_ms=None), one(stand_alone=None), one(data="cifar10")]
    dots = found_scatter.dots(rows, "stand_alone", "latency_ms")
    assert [(dot.cost, dot.value) for dot in dots] == [(0.5, 90.0)] * 2
    assert dots[0].within != dots[1].within, "accuracies of other data are not compared"
    assert "on CPU" in dots[0].hover
    (evil,) = found_scatter.dots([one(run_name="<b>x</b>")], "stand_alone", "params")
    assert "<b>" not in evil.hover and evil.within == ""


def test_the_sentence_says_what_the_front_spans() -> None:
    rows = [one(), one(rank=2, params=20_000.0, stand_alone=70.0), one(stand_alone=60.0)]
    dots = found_scatter.dots(rows, "stand_alone", "params")
    told = found_scatter.sentence(dots, "params", "stand_alone")
    assert told == (
        "3 architectures: the best trade-offs lead from 70.00 % to 90.00 % stand-alone at "
        "30.0 k parameters"
    )
    single = found_scatter.sentence(dots[:1], "params", "stand_alone")
    assert single == "One architecture: none beats 90.00 % stand-alone at 30.0 k parameters"
