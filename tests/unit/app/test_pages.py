"""Each page: empty, in use, and when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from page_help import Open, words
from played_client import AWAY, PlayedClient
from played_run import OWNER, play, played, small_spec

from engine.runs import create_run

OVERVIEW, NEW = "screens/overview.py", "screens/new_experiment.py"
EXPERIMENTS, EXPERIMENT = "screens/experiments.py", "screens/experiment.py"
SYSTEM = "screens/system.py"
TABS = ("Ranking", "Training", "Search", "Architectures", "Spec & environment", "Log", "Files")


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (OVERVIEW, "Start with a ready experiment"),
        (NEW, "New experiment"),
        (EXPERIMENTS, "No experiments yet"),
        (EXPERIMENT, "No experiment is chosen"),
        (SYSTEM, "The queue is empty"),
    ],
)
def test_an_empty_lab_says_what_to_do(open_page: Open, page: str, said: str) -> None:
    test = open_page(page)
    assert not test.exception and not test.error
    assert said in words(test)


@pytest.mark.parametrize("page", [OVERVIEW, EXPERIMENTS, SYSTEM])
def test_a_store_that_is_away_is_told_in_words(
    open_page: Open, lab: PlayedClient, runs: Path, page: str
) -> None:
    (runs / ".store-away").touch()
    test = open_page(page)
    assert not test.exception and not test.error
    assert page == EXPERIMENTS or AWAY in words(test)


def test_the_ready_experiment_is_one_click_away(open_page: Open, lab: PlayedClient) -> None:
    test = open_page()
    test.button(key="run-nb201_digits_landmarks.yaml").click().run()
    (run,) = lab.list()
    assert run.state == "queued" and run.tags == ("ready", "landmarks")
    assert test.query_params["run"] == run.run_id
    assert "Waiting for a free worker" in words(test)


def test_recent_runs_are_searched(open_page: Open, lab: PlayedClient, runs: Path) -> None:
    played(runs, name="Apples")
    played(runs, name="Pears", seed=3)
    test = open_page()
    assert set(test.dataframe[0].value["Name"]) == {"Apples", "Pears"}
    test.text_input(key="recent-search").set_value("pears seed 3").run()
    assert list(test.dataframe[0].value["Name"]) == ["Pears"]
    test.text_input(key="recent-search").set_value("plums").run()
    assert "No experiment matches" in words(test)


def test_a_running_run_has_a_card_with_its_progress(open_page: Open, runs: Path) -> None:
    folder = create_run(runs, small_spec(name="Busy"))
    seen = []
    play(folder, wish=lambda: "stop" if seen.append(1) or len(seen) == 150 else None)
    folder.change_state("running", owner=OWNER)
    text = words(open_page())
    assert 'role="progressbar"' in text and "Training the super-net" in text
    assert "<polyline" in text, "the sparkline of the ranking quality"


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_a_finished_run(open_page: Open, runs: Path, tab: str) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id)
    test.session_state["tab"] = tab
    test.run()
    assert not test.exception and not test.error
    assert "Finished" in words(test)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_a_run_that_has_not_begun(open_page: Open, runs: Path, tab: str) -> None:
    folder = create_run(runs, small_spec())
    test = open_page(EXPERIMENT, run=folder.run_id)
    test.session_state["tab"] = tab
    test.run()
    assert not test.exception and not test.error
    assert not test.get("bidi_component"), "a chart without data"


def test_the_charts_of_the_ranking_hold_the_events(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id)
    charts = {c.key: json.loads(c.proto.json) for c in test.get("bidi_component")}
    rankings = [e for e in folder.events() if e["type"] == "ranking"]
    curve = charts["ranking-correlations"]["figure"]["data"][0]
    assert curve["x"] == [event["epoch"] for event in rankings]
    assert curve["y"] == [event["metrics"]["sparse_kendall_tau"] for event in rankings]
    sample, top, landmarks = charts["ranking-scatter"]["figure"]["data"]
    assert (len(sample["x"]), len(top["x"]), len(landmarks["x"])) == (60, 3, 20)
    assert sample["y"] == rankings[-1]["scores"]
    assert landmarks["marker"]["symbol"] == "diamond"
    assert max(sample["y"]) in top["y"]


def test_an_earlier_evaluation_can_be_looked_at(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id)
    test.selectbox(key=f"scatter-epoch-{folder.run_id}").set_value("10").run()
    (chart,) = [c for c in test.get("bidi_component") if c.key == "ranking-scatter"]
    at_ten = next(e for e in folder.events() if e["type"] == "ranking" and e["epoch"] == 10)
    assert json.loads(chart.proto.json)["figure"]["data"][0]["y"] == at_ten["scores"]


def test_a_failed_run_says_why_and_can_go_on(
    open_page: Open, lab: PlayedClient, runs: Path
) -> None:
    folder = create_run(runs, small_spec())
    folder.change_state("running", owner=OWNER)
    folder.change_state("failed", "The loss is not finite after epoch 3. Lower the rate.")
    test = open_page(EXPERIMENT, run=folder.run_id)
    assert [e.value for e in test.error] == [
        "The loss is not finite after epoch 3. Lower the rate."
    ]
    test.button(key="do-resume").click().run()
    assert folder.state().state == "queued"
    assert not test.error


def test_failures_are_listed_with_a_retry(open_page: Open, runs: Path) -> None:
    folder = create_run(runs, small_spec(name="Unlucky"))
    folder.change_state("running", owner=OWNER)
    folder.change_state("failed", "There is no file pictures.zip.")
    test = open_page(SYSTEM)
    assert r"There is no file pictures\.zip\." in words(test)
    test.button(key=f"retry-{folder.run_id}").click().run()
    assert folder.state().state == "queued"


@pytest.mark.parametrize("run_id", ["no-such-run", "../../etc/passwd", "<b>x</b>"])
def test_an_unknown_run_is_a_sentence(open_page: Open, run_id: str) -> None:
    test = open_page(EXPERIMENT, run=run_id)
    assert not test.exception
    assert len(test.error) == 1
    assert "Traceback" not in test.error[0].value


def test_a_damaged_run_is_a_sentence(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    (folder.path / "events.jsonl").write_text("not json\n")
    test = open_page(EXPERIMENT, run=folder.run_id)
    assert not test.exception
    assert "is damaged" in test.error[0].value


def test_a_run_is_deleted_and_brought_back(open_page: Open, lab: PlayedClient, runs: Path) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id)
    next(b for b in test.button if b.label == "Delete").click().run()
    assert lab.list() == [] and len(lab.list(deleted=True)) == 1
    assert "Its folder is kept" in words(test)
    test.switch_page(EXPERIMENTS).run()
    next(b for b in test.button if b.label == "Undo").click().run()
    assert [run.state for run in lab.list()] == ["finished"]


def test_repeating_queues_the_same_experiment(
    open_page: Open, lab: PlayedClient, runs: Path
) -> None:
    folder = played(runs, seed=7)
    test = open_page(EXPERIMENT, run=folder.run_id)
    next(b for b in test.button if b.label == "Repeat").click().run()
    again = next(run for run in lab.list() if run.run_id != folder.run_id)
    assert lab.folder(again.run_id).spec() == folder.spec()
    assert test.query_params["run"] == again.run_id


def test_a_users_name_is_never_markup(open_page: Open, runs: Path) -> None:
    folder = played(runs, name="<script>alert(1)</script> **bold** [x](http://e.vil)")
    test = open_page(EXPERIMENT, run=folder.run_id)
    assert "<script>alert" not in words(test)
    assert r"\*\*bold\*\*" in test.header[0].value
