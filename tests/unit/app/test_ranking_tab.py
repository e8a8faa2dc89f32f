"""The Ranking and Training tabs in use: slider, outliers, clicks, band, from the first data on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from page_help import Open, charts, words
from played_client import PlayedClient
from played_run import OWNER, played, small_spec
from streamlit.testing.v1 import AppTest

from app.widgets import evaluation_slider
from engine.events import Events
from engine.runs import FolderSink, RunFolder, create_run

EXPERIMENT = "screens/experiment.py"


def figure(test: AppTest, key: str) -> Any:
    (found,) = [c for c in charts(test) if c.key == key]
    return json.loads(found.proto.json)["figure"]


def slider(test: AppTest, folder: RunFolder) -> Any:
    return test.select_slider(key=f"evaluation-{folder.run_id}")


def test_an_earlier_evaluation_can_be_looked_at_and_sent_as_a_link(
    open_page: Open, runs: Path
) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id)
    newest = figure(test, "ranking-scatter")
    assert "evaluation" not in test.query_params
    slider(test, folder).set_value("10").run()
    assert test.query_params["evaluation"] == "10"
    earlier = figure(test, "ranking-scatter")
    told = next(e for e in folder.events() if e["type"] == "ranking" and e["epoch"] == 10)
    assert sorted(earlier["data"][0]["y"]) == sorted(told["scores"]) != newest["data"][0]["y"]
    again = open_page(EXPERIMENT, run=folder.run_id, evaluation="10")
    assert figure(again, "ranking-scatter") == earlier
    assert "At epoch 10 the super-net orders 60 architectures" in words(again)


def test_an_evaluation_that_is_not_there_is_the_newest(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id, evaluation="7", point="x-1")
    assert not test.exception and not test.error
    assert "At epoch 120 the super-net" in words(test)


def test_stops_stay_few_and_in_place_while_evaluations_arrive() -> None:
    every = evaluation_slider.stops
    assert every([5]) == ["newest"] and every([5, 10, 15]) == ["5", "10", "newest"]
    many = list(range(5, 5001, 5))
    assert len(every(many)) <= evaluation_slider.MOST_STOPS + 2
    assert set(every(many[:-1])) <= set(every(many))
    assert "10" not in every(many) and "10" in every(many, "10")
    assert every(many, "11") == every(many), "there is no such evaluation"


def test_a_chosen_architecture_is_drawn_with_what_is_known_of_it(
    open_page: Open, runs: Path
) -> None:
    folder = played(runs)
    events = folder.events()
    sample = next(e for e in events if e["type"] == "sample")["architectures"]
    last = [e for e in events if e["type"] == "ranking"][-1]
    named = "-".join(map(str, sample[3]["indices"]))
    test = open_page(EXPERIMENT, run=folder.run_id, point=named)
    said = words(test)
    assert "The architecture that you clicked on" in said and sample[3]["text"] in said
    assert f"{last['scores'][3]:.2f} %" in said and f"{last['truth'][3]:.2f} %" in said
    rank = 1 + sum(value > last["scores"][3] for value in last["scores"])
    assert f"{rank} of 60" in said
    test.button(key="picked-close").click().run()
    assert "point" not in test.query_params
    assert "Click on a point" in words(test)


def test_points_and_lines_can_be_clicked(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    test = open_page(EXPERIMENT, run=folder.run_id)
    sample = next(e for e in folder.events() if e["type"] == "sample")["architectures"]
    points = figure(test, "ranking-scatter")["data"][0]["customdata"]
    assert points == [entry["indices"] for entry in sample]
    ends = figure(test, "ranking-disorder")["data"][-1]["customdata"]
    assert sorted(ends) == sorted(points)


def test_the_other_seeds_make_a_band_that_can_be_left_away(open_page: Open, runs: Path) -> None:
    folder = played(runs, seed=0)
    alone = open_page(EXPERIMENT, run=folder.run_id)
    assert "seeds" not in str(figure(alone, "ranking-correlations"))
    played(runs, seed=1)
    st.cache_resource.clear()  # the list of runs is asked for every few seconds only
    test = open_page(EXPERIMENT, run=folder.run_id)
    control = test.segmented_control(key=f"band-{folder.run_id}")
    assert "over the seeds 0, 1" in control.label
    names = [trace["name"] for trace in figure(test, "ranking-correlations")["data"]]
    assert "Sparse Kendall τ, mean ± std of 2 seeds" in names
    control.set_value("spearman").run()
    names = [trace["name"] for trace in figure(test, "ranking-correlations")["data"]]
    assert "Spearman ρ, mean ± std of 2 seeds" in names
    test.segmented_control(key=f"band-{folder.run_id}").set_value(None).run()
    assert "mean ± std" not in str(figure(test, "ranking-correlations"))


def test_printed_figures_and_intervals_stand_beside_ours(open_page: Open, runs: Path) -> None:
    printed = {"sparse_kendall_tau": {"value": 0.802, "source": "Some paper, Table 1"}}
    folder = played(runs, published=printed)
    result = json.loads((folder.path / "result.json").read_text())
    result["intervals"] = {"sparse_kendall_tau": {"low": 0.61, "high": 0.92, "n": 60}}
    (folder.path / "result.json").write_text(json.dumps(result))
    test = open_page(EXPERIMENT, run=folder.run_id)
    drawn = figure(test, "ranking-correlations")["data"]
    assert [t["y"] for t in drawn if t["name"] == "Printed Sparse Kendall τ"] == [[0.802, 0.802]]
    assert any(t["name"] == "95 % interval" for t in drawn)
    said = words(test).replace("\\", "")
    assert "0.802 in print" in said and "Some paper, Table 1" in said
    assert "Sparse Kendall τ 0.610 to 0.920" in said


def begun(runs: Path, *epochs: dict[str, Any], scores: list[float] | None = None) -> RunFolder:
    """Make a run that is under way, with a sample and, if there are scores, one evaluation."""
    folder = create_run(runs, small_spec())
    folder.change_state("running", owner=OWNER)
    events = Events([FolderSink(folder)])
    count = len(scores or [])
    named = [{"text": f"a{i}", "indices": [i % 5] * 6} for i in range(count)]
    events.emit("sample", architectures=[one | {"params": 1e5, "flops": 1e6} for one in named])
    for fields in epochs:
        events.emit("epoch", **fields)
    if scores is not None:
        metrics = {"kendall_tau": None, "sparse_kendall_tau": None, "super_net_accuracy": 40.0}
        events.emit("ranking", epoch=1, metrics=metrics, scores=scores, truth=scores)
    return folder


def test_outliers_are_counted_and_shown_on_request(open_page: Open, runs: Path) -> None:
    folder = begun(runs, scores=[*(70.0 + i for i in range(12)), 10.0])
    test = open_page(EXPERIMENT, run=folder.run_id)
    toggle = test.toggle(key=f"whole-range-{folder.run_id}")
    assert "1 architecture lies far from the others" in toggle.label
    assert 10.0 not in figure(test, "ranking-scatter")["data"][0]["y"]
    toggle.set_value(True).run()
    assert 10.0 in figure(test, "ranking-scatter")["data"][0]["y"]


@pytest.mark.parametrize("scores", [[], [50.0], [50.0, 50.0]])
def test_the_ranking_is_shown_from_the_first_data_on(
    open_page: Open, runs: Path, scores: list[float]
) -> None:
    test = open_page(EXPERIMENT, run=begun(runs, scores=scores).run_id)
    assert not test.exception and not test.error
    assert "The ranking correlation is not defined yet" in words(test)


EPOCH = {
    "epoch": 1, "epochs": 9, "round": 1, "loss": 2.0, "accuracy": 20.0, "landmark_loss": None,
    "landmark_weight": 0.0, "learning_rate": 0.025, "forgetting": None,
    "measured": {"seconds": 1.0, "images_per_second": 900.0, "memory_mb": 1234.5},
}  # fmt: skip


def training(open_page: Open, folder: RunFolder) -> AppTest:
    test = open_page(EXPERIMENT, run=folder.run_id)
    test.session_state["tab"] = "Training"
    return test.run()


def test_training_shows_loss_accuracy_and_memory_beside_the_landmark_term(
    open_page: Open, runs: Path, lab: PlayedClient
) -> None:
    more = EPOCH | {"epoch": 2, "loss": 1.0, "landmark_loss": 0.25, "landmark_weight": 4.0}
    forgot = {"mean": 2.0, "top_mean": 1.0, "max": 5.0, "n": 3}
    test = training(open_page, begun(runs, EPOCH, more | {"forgetting": forgot}))
    drawn = {c.key for c in charts(test)}
    wanted = ("loss", "accuracy", "landmark", "forgetting", "learning_rate",
              "images_per_second", "memory_mb")  # fmt: skip
    assert drawn >= {f"training-{name}" for name in wanted}
    said = words(test)
    assert "The loss fell from 2 to 1" in said and "up to 1,234 MiB of memory" in said
    assert "The landmark term is 0.25, and counts with a weight λ of 4" in said


def test_the_first_epoch_of_a_warm_up_has_sentences_of_its_own(
    open_page: Open, runs: Path, lab: PlayedClient
) -> None:
    said = words(training(open_page, begun(runs, EPOCH)))
    assert "The landmark term does not act yet; its weight λ is 0" in said
    assert "The loss after the first epoch: 2" in said


def test_a_run_that_records_no_memory_says_so(
    open_page: Open, runs: Path, lab: PlayedClient
) -> None:
    old = EPOCH | {"measured": {"seconds": 1.0}, "landmark_weight": None}
    test = training(open_page, begun(runs, old))
    assert not test.exception and not test.error
    assert "This run does not record it." in words(test)
    assert "training-landmark" not in {c.key for c in charts(test)}
