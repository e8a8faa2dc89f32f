"""The Architectures page and a run's Architectures tab, rendered without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from page_help import Open, words
from played_client import PlayedClient
from played_run import played
from streamlit.testing.v1 import AppTest

from app import client, drafts
from engine.runs import RunFolder, write_json

PAGE, EXPERIMENT, NEW = (
    "screens/architectures.py", "screens/experiment.py", "screens/new_experiment.py",
)  # fmt: skip


def charts(test: AppTest) -> dict[str, Any]:
    return {c.key: json.loads(c.proto.json) for c in test.get("bidi_component")}


def table_key(test: AppTest) -> str:
    return str(test.dataframe[0].proto.id.split("-", 2)[-1])


def select(test: AppTest, rows: list[int]) -> None:
    key = table_key(test)
    test.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    test.run()


def test_an_empty_lab_says_what_will_stand_here(open_page: Open) -> None:
    test = open_page(PAGE)
    assert not test.exception and not test.error
    assert "No architecture has been found yet" in words(test)


def test_the_table_has_all_of_all_runs(open_page: Open, runs: Path) -> None:
    played(runs, name="Apples")
    played(runs, name="Pears", seed=3, algorithm="rsps")
    test = open_page(PAGE)
    assert not test.exception and not test.error
    table = test.dataframe[0].value
    assert len(table) == 10 and set(table["Run"]) == {"Apples", "Pears"}
    assert list(table["Stand-alone"]) == sorted(table["Stand-alone"], reverse=True)
    figure = charts(test)["found-stand_alone-params"]["figure"]
    dots = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    assert sorted(len(trace["x"]) for trace in dots) == [5, 5], "one colour an algorithm"


def test_filters_and_what_matches_nothing(open_page: Open, runs: Path) -> None:
    played(runs, name="Apples")
    played(runs, name="Pears", seed=3, algorithm="rsps")
    test = open_page(PAGE)
    test.multiselect(key="found-algorithm").set_value(["rsps"]).run()
    assert set(test.dataframe[0].value["Run"]) == {"Pears"}
    low, high = test.slider(key="found-accuracy").value
    test.slider(key="found-accuracy").set_value((low, (low + high) / 2)).run()
    shown = test.dataframe[0].value["Stand-alone"] if test.dataframe else []
    assert all(value <= (low + high) / 2 for value in shown)
    test.text_input(key="found-words").set_value("plums").run()
    assert "No architecture matches" in words(test) and not test.dataframe


def test_two_rows_are_compared_and_stand_in_the_address(open_page: Open, runs: Path) -> None:
    played(runs, name="Apples")
    test = open_page(PAGE)
    select(test, [1])
    assert "The selected architecture" in words(test)
    select(test, [1, 3])
    assert not test.exception and not test.error
    text = words(test)
    assert "Two architectures side by side" in text and "What differs" in text
    table = test.dataframe[0].value
    ranks = [table["Rank"][row] for row in (1, 3)]
    picked = test.query_params["pick"].split(",")
    assert [int(key.rsplit("/", 1)[1]) for key in picked] == ranks
    ringed = charts(test)["found-stand_alone-params"]["figure"]["data"][-1]
    assert (ringed["name"], len(ringed["x"])) == ("Selected", 2)


def test_an_address_shows_the_same_to_somebody_else(open_page: Open, runs: Path) -> None:
    folder = played(runs, name="Apples")
    picked = f"{folder.run_id}/2,{folder.run_id}/5,no-such-run/1,x"
    test = open_page(PAGE, pick=picked)
    assert not test.exception and not test.error
    assert "2 selected" in words(test)
    assert "rank 2" in words(test) and "rank 5" in words(test)


def test_latencies_that_are_not_there_are_told(open_page: Open, runs: Path) -> None:
    played(runs)
    test = open_page(PAGE)
    test.segmented_control(key="found-cost").set_value("latency_ms").run()
    assert "No architecture has both" in words(test)
    assert not charts(test) and len(test.dataframe[0].value) == 5


# -- a run's tab --------------------------------------------------------------------------------
def tab(open_page: Open, folder: RunFolder, **query: str) -> AppTest:
    test = open_page(EXPERIMENT, run=folder.run_id, **query)
    test.session_state["tab"] = "Architectures"
    return test.run()


def test_the_address_opens_the_tab_with_one_architecture(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id, architecture="3")
    assert not test.exception and not test.error
    assert "**Architecture 3**" in words(test)
    for wrong in ("99", "x", "0"):
        test = open_page(EXPERIMENT, run=folder.run_id, architecture=wrong)
        assert not test.exception and not test.error
        assert "**Architecture 1**" in words(test)


def test_the_run_becomes_landmarks_of_a_draft(open_page: Open, runs: Path) -> None:
    folder = played(runs, name="Apples", addons={"landmark": None})
    test = tab(open_page, folder)
    test.button(key="use-as-landmarks").click().run()
    assert not test.exception and not test.error
    base = test.session_state["draft-base"]
    assert base["addons"]["landmark"]["earlier_runs"] == [folder.run_id]
    assert base["space"] == "nb201" and base["name"].startswith("Apples")
    short = folder.spec()
    short.super_net.epochs = 2
    assert client.faults(drafts.with_landmarks_of(short, "x").model_dump(mode="json")) == []
    again = drafts.with_landmarks_of(drafts.with_landmarks_of(folder.spec(), "old"), "new")
    assert again.addons.landmark is not None
    assert again.addons.landmark.earlier_runs == ["new", "old"]
    assert drafts.with_landmarks_of(again, "old").addons.landmark.earlier_runs == ["old", "new"]  # type: ignore[union-attr]


class Started:
    """Stands in for the background tasks and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, list[str]]] = []

    def start(self, key: str, title: str, arguments: list[str]) -> None:
        self.asked.append((key, title, arguments))

    def all(self, prefix: str = "") -> list[Any]:
        return []


@pytest.fixture
def started(lab: PlayedClient, monkeypatch: pytest.MonkeyPatch) -> Started:
    tasks = Started()
    monkeypatch.setattr(client, "tasks", lambda: tasks)
    return tasks


def test_training_from_scratch_is_asked_of_the_engine(
    open_page: Open, runs: Path, started: Started
) -> None:
    folder = played(runs)
    test = tab(open_page, folder, architecture="2")
    key = f"{folder.run_id}-2"
    test.number_input(key=f"train-epochs-{key}").set_value(7)
    test.number_input(key=f"train-replicates-{key}").set_value(4)
    next(b for b in test.button if b.label == "Train from scratch").click().run()
    assert not test.exception and not test.error
    ((key, _, arguments),) = started.asked
    assert key == f"train:{folder.run_id}:2:"
    assert arguments == [
        "train", str(folder.path.resolve()), "--rank", "2", "--json", "--epochs", "7",
        "--replicates", "4", "--device", folder.spec().device,
    ]  # fmt: skip


def test_a_viewer_without_rights_changes_nothing(
    open_page: Open, runs: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    folder = played(runs)
    test = tab(open_page, folder)
    assert test.button(key="use-as-landmarks").disabled
    assert next(b for b in test.button if b.label == "Train from scratch").disabled
    assert started.asked == []


def test_what_was_trained_is_shown_with_mean_and_deviation(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    place = folder.path / "architectures" / "1"
    for epochs, std in ((3, 1.5), (20, None)):
        (place / f"trained-{epochs}").mkdir()
        record = {
            "epochs": epochs, "device": "CPU (1 thread)",
            "replicates": [{"seconds": 40.0}] * (3 if std else 1),
            "test": {"mean": 91.25, "std": std, "n": 3}, "held_out": {"mean": 92.0, "std": std},
        }  # fmt: skip
        write_json(place / f"trained-{epochs}" / "training.json", record)
    (place / "trained-damaged").mkdir()
    (place / "trained-damaged" / "training.json").write_text("{")
    text = words(tab(open_page, folder))
    assert "**3 epochs**, 3 replicates" in text and "91.25 ± 1.50 %" in text
    assert "2 min 00 s of training" in text
    assert "**20 epochs**, 1 replicate" in text
    assert text.index("**20 epochs**") < text.index("**3 epochs**")
