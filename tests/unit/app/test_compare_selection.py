"""The list of experiments: filters, and what is done with several selected runs."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from page_help import Open, words
from played_client import PlayedClient
from played_run import OWNER, played, small_spec
from streamlit.testing.v1 import AppTest

from app import selection
from engine.runs import RunFolder, create_run
from engine.spec.errors import ExportError, RunError

EXPERIMENTS = "screens/experiments.py"


@pytest.fixture
def queued(lab: PlayedClient, runs: Path) -> list[RunFolder]:
    """Three runs that wait, the oldest first."""
    specs = [
        {"name": "Apples", "algorithm": "spos", "tags": ["fruit", "red"]},
        {"name": "Pears", "algorithm": "fairnas", "addons": {}, "tags": ["fruit"]},
        {"name": "Leeks", "algorithm": "gdas", "addons": {}, "tags": []},
    ]
    return [
        create_run(runs, small_spec(**spec), f"r{number}") for number, spec in enumerate(specs)
    ]


def names(test: AppTest) -> list[str]:
    return sorted(test.dataframe[0].value["Name"])


def select(test: AppTest, *wanted: str) -> AppTest:
    """Tick the rows of these names."""
    key = test.dataframe[0].proto.id.rpartition("-all-runs-")[2]
    shown = list(test.dataframe[0].value["Name"])
    rows = [shown.index(name) for name in wanted]
    state = {"selection": {"rows": rows, "columns": [], "cells": []}}
    test.session_state[f"all-runs-{key}"] = state
    return test.run()


# -- columns and filters ------------------------------------------------------------------------
def test_the_columns_are_those_of_the_result(open_page: Open, lab: object, runs: Path) -> None:
    folder = played(runs)
    result = folder.result()
    assert result is not None
    (row,) = open_page(EXPERIMENTS).dataframe[0].value.to_dict("records")
    best = max(one["stand_alone_accuracy"] for one in result["architectures"])
    assert row["Best accuracy"] == best
    assert row["Cost"] == timedelta(seconds=12 + 96 + 20)
    assert row["Sparse Kendall τ"] == result["metrics"]["sparse_kendall_tau"]


@pytest.mark.parametrize(
    ("key", "value", "left"),
    [
        ("algorithm", ["gdas", "spos"], ["Apples", "Leeks"]),
        ("tag", ["fruit"], ["Apples", "Pears"]),
        ("tag", ["red"], ["Apples"]),
        ("space", ["nb201"], ["Apples", "Leeks", "Pears"]),
    ],
)
def test_filters(
    open_page: Open, queued: object, key: str, value: list[str], left: list[str]
) -> None:
    test = open_page(EXPERIMENTS)
    test.multiselect(key=key).set_value(value).run()
    assert names(test) == left


def test_filters_work_together(open_page: Open, queued: list[RunFolder]) -> None:
    queued[0].change_state("stopped")
    test = open_page(EXPERIMENTS)
    test.text_input(key="search").set_value("fruit").run()
    assert names(test) == ["Apples", "Pears"]
    test.button_group(key="state").set_value(["stopped"]).run()
    assert names(test) == ["Apples"]
    test.multiselect(key="algorithm").set_value(["fairnas"]).run()
    assert "No experiment matches" in words(test)


# -- selected runs ------------------------------------------------------------------------------
def test_selected_runs_are_compared(open_page: Open, queued: object) -> None:
    test = select(open_page(EXPERIMENTS), "Leeks", "Apples")
    assert "2 selected" in words(test)
    test.button(key="compare-chosen").click().run()
    assert set(test.query_params["runs"].split(",")) == {"r0", "r2"}


def test_a_new_run_moves_no_selection(open_page: Open, queued: object, runs: Path) -> None:
    test = select(open_page(EXPERIMENTS), "Pears")
    create_run(runs, small_spec(name="Newer"), "r9")
    from app import client

    client.changed()
    test.run()
    assert "Newer" in names(test) and "1 selected" in words(test)
    test.button(key="delete-chosen").click().run()
    assert names(test) == ["Apples", "Leeks", "Newer"]


def test_deleting_several_is_undone_at_once(
    open_page: Open, lab: PlayedClient, queued: list[RunFolder]
) -> None:
    for folder in queued:
        folder.change_state("stopped")
    test = select(open_page(EXPERIMENTS), "Leeks", "Apples")
    test.button(key="delete-chosen").click().run()
    assert names(test) == ["Pears"]
    assert "Deleted 2 runs" in words(test)
    next(b for b in test.button if b.label == "Undo").click().run()
    assert names(test) == ["Apples", "Leeks", "Pears"]
    assert [run.state for run in lab.list()] == ["stopped"] * 3
    assert not [b for b in test.button if b.label == "Undo"]


def test_a_running_one_is_not_deleted_and_says_why(
    open_page: Open, lab: PlayedClient, queued: list[RunFolder]
) -> None:
    queued[0].change_state("running", owner=OWNER)
    test = select(open_page(EXPERIMENTS), "Leeks", "Apples")
    test.button(key="delete-chosen").click().run()
    assert names(test) == ["Apples", "Pears"]
    assert any("stop it first" in toast.value for toast in test.toast)


def test_who_may_not_edit_deletes_nothing(
    open_page: Open, queued: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    test = select(open_page(EXPERIMENTS), "Leeks")
    assert "delete-chosen" not in [b.key for b in test.button]
    assert test.button(key="compare-chosen")


# -- the parts without a page -------------------------------------------------------------------
def test_all_selected_folders_are_in_one_zip(queued: list[RunFolder]) -> None:
    with selection.zipped(queued[:2]) as file:
        found = zipfile.ZipFile(io.BytesIO(file.read()))
    assert {name.partition("/")[0] for name in found.namelist()} == {"r0", "r1"}
    spec = (queued[1].path / "spec.yaml").read_bytes()
    assert found.read("r1/spec.yaml") == spec
    assert not [name for name in found.namelist() if name.endswith(".lock")]


def test_a_folder_that_has_gone_is_named(queued: list[RunFolder], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="There is no run folder"):
        selection.zipped([queued[0], RunFolder(tmp_path / "gone")])


def test_one_that_refuses_does_not_keep_the_others() -> None:
    def act(run_id: str) -> None:
        if run_id == "b":
            raise RunError("b is busy")

    assert selection.each(act, ["a", "b", "c"]) == (["a", "c"], ["b is busy"])
