"""The Search tab: populations, Pareto front, random search beside the others, and learners."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_help import Open, words
from played_run import played
from scipy.stats import entropy as scipy_entropy
from streamlit.testing.v1 import AppTest
from test_figures import resolved

from app.digest import Generations, Learning, RunDigest
from app.evaluated import Evaluated, evaluated, texts
from app.widgets import (
    best_so_far,
    chart,
    heat_map,
    learner_history,
    learner_lines,
    population,
    run_learner,
    search_front,
    search_outcome,
)
from engine.events import Event
from engine.spaces import get_space

EXPERIMENT = "screens/experiment.py"
OPTIONS = [("none", "conv"), ("none", "skip_connect", "conv")]
NAMES = ["0->1", "0->2"]


@pytest.fixture(scope="module")
def gdas(tmp_path_factory: pytest.TempPathFactory) -> RunDigest:
    found = RunDigest()
    folder = played(Path(tmp_path_factory.mktemp("runs")), algorithm="gdas",
                    addons={"landmark": None})  # fmt: skip
    found.take_all(folder.events())
    return found


def told(reports: list[list[list[float]]], **extra: float) -> Learning:
    learning = Learning()
    for epoch, report in enumerate(reports, start=1):
        learning.add({"epoch": epoch, "entropy": 1 / epoch, "probabilities": report, **extra})
    return learning


def generation(scores: list[float], evaluated_: int, first: int = 0) -> Event:
    count = len(scores)
    return {
        "evaluated": evaluated_,
        "best_score": max(scores),
        "mean_score": sum(scores) / count,
        "best_text": "x",
        "population": {
            "indices": [[first + place] * 6 for place in range(count)],
            "scores": scores,
            "params": [100 - place for place in range(count)],
            "flops": [10 * place for place in range(count)],
        },
    }


def searches(**told_: list[Event]) -> dict[str, Generations]:
    found = {}
    for name, events in told_.items():
        found[name] = Generations()
        for event in events:
            found[name].add(event)
    return found


# -- what was evaluated -------------------------------------------------------------------------
def test_every_evaluation_of_a_run_is_gathered(gdas: RunDigest) -> None:
    found = evaluated(gdas.searches)
    assert found.of("derived") == [0, 1, 2]
    assert len(found) == 3 + 20 * 8, "three that were derived, eight generations of twenty"
    assert max(found.score[row] for row in found.of("random")) == pytest.approx(
        gdas.searches["random"].best_score[-1], abs=0.01
    )


def test_texts_are_those_of_the_space() -> None:
    space = get_space("nb201")
    assert texts("nb201", {}, [[0] * 6, (3,) * 6]) == [
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        space.to_text(space.parse("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
                                  "|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|")),
    ]  # fmt: skip


def test_median_and_best_of_a_generation() -> None:
    """By hand: the medians of (1, 5, 2) and (4, 6, 9, 8) are 2 and 7, the best 5 and 9."""
    found = evaluated(searches(random=[generation([1, 5, 2], 3), generation([4, 6, 9, 8], 7, 3)]))
    rows = population.shown(found, "random")
    figure = population.figure(found, "random", rows, ["t"] * 7, "r", chosen=4)
    points, best, middle, ring = figure["data"]
    assert (best["y"], middle["y"]) == ([5, 9], [2, 7])
    assert points["customdata"] == rows == list(range(7))
    assert [round(x) for x in points["x"]] == [1] * 3 + [2] * 4
    assert (ring["x"], ring["y"]) == ([points["x"][4]], [6])
    go.Figure(resolved(figure, 1))
    assert population.sentence(found, "random").endswith("rose from 2.00 % to 7.00 %")


def test_large_populations_are_thinned_but_keep_their_extremes() -> None:
    many = [[float((7919 * place) % 2000 + 10 * n) for place in range(2000)] for n in (1, 2)]
    found = evaluated(searches(random=[generation(scores, len(scores)) for scores in many]))
    rows = population.shown(found, "random")
    assert len(rows) <= chart.MOST_POINTS and rows == sorted(rows)
    for number, low in ((1, 10), (2, 20)):
        scores = [found.score[row] for row in rows if found.generation[row] == number]
        assert (min(scores), max(scores)) == (low, low + 1999)


def test_very_many_generations_are_thinned_too() -> None:
    found = evaluated(searches(random=[generation([1, 9, 5], 3)] * 5000))
    rows = population.shown(found, "random")
    assert len(rows) <= chart.MOST_POINTS
    drawn = {found.generation[row] for row in rows}
    assert min(drawn) == 1 and max(drawn) > 4990 and len(drawn) > 500
    assert {found.score[row] for row in rows} == {1, 9}, "the extremes of each"
    figure = population.figure(found, "random", rows, ["t"] * len(rows), "r")
    assert len(figure["data"][1]["x"]) == chart.MOST_POINTS


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=40))
def test_the_front_is_what_nothing_dominates(pairs: list[tuple[int, int]]) -> None:
    """Against the definition, pair by pair."""
    found = Evaluated(score=[float(value) for _, value in pairs])
    known = dict(enumerate(float(cost) for cost, _ in pairs))
    expected = {
        row
        for row, (cost, value) in enumerate(pairs)
        if not any(c <= cost and v >= value and (c, v) != (cost, value) for c, v in pairs)
    }
    on_front = search_front.front(found, known)
    assert set(on_front) == expected
    assert set(search_front.shown(known, on_front)) == set(known)


def test_latency_is_that_of_the_found_architectures() -> None:
    found = evaluated(searches(random=[generation([50.0, 60.0, 70.0], 3)]))
    events = {
        1: {"indices": [2] * 6, "latency_ms": 1.5},
        2: {"indices": [0] * 6, "latency_ms": None},
        3: {"indices": [9] * 6, "latency_ms": 3.0},
    }
    known = search_front.costs(found, "latency_ms", events)
    assert known == {2: 1.5}
    assert search_front.front(found, known) == [2]
    (dot,) = search_front.dots(found, known, [2], ["its text"])
    assert (dot.cost, dot.value, dot.key) == (1.5, 70.0, 2) and "its text" in dot.hover
    table = search_front.columns(found, known, [2], "latency_ms")
    assert table["latency_ms"] == [1.5] and table["on_front"] == [True]


# -- beside random search -----------------------------------------------------------------------
def test_a_searcher_is_compared_with_random_search() -> None:
    found = searches(
        derived=[generation([70.0, 60.0], 2)],
        random=[generation([50.0, 65.5], 2), generation([40.0, 68.0], 4)],
    )
    assert best_so_far.sentence(found) == (
        "The learner's choice found 70.00 % with 2 evaluations, 2.00 points more than random "
        "search with 4"
    )
    figure = best_so_far.figure(found, "r")
    curve, onward, random = figure["data"]
    assert onward["x"] == [2, 4] and onward["y"] == [70.0, 70.0]
    assert curve["line"]["dash"] != random["line"]["dash"]
    go.Figure(resolved(figure, 2))
    assert best_so_far.columns(found)["searcher"] == ["derived", "random", "random"]


def test_the_outcome_is_laid_beside_published_figures() -> None:
    entry = {"evaluated": 9, "top3_accuracy": 91.0, "best_accuracy": 92.0, "best_rank": 2,
             "best_rank_of": 60, "surpass_random": 0.966}  # fmt: skip
    found = {"evolution": entry, "random": entry | {"top3_accuracy": 91.5}}
    assert search_outcome.sentence(found).endswith(
        "best of evolution reach 91.00 %, 0.50 points less than those of random search"
    )
    rows = search_outcome.table(found, {"final_accuracy": {"value": 93.5, "source": "s"}})
    assert rows[1] == {"": "Best 3, mean accuracy", "Evolution": "91.00 %", "Random": "91.50 %",
                       "Published": "93.50 %"}  # fmt: skip
    assert rows[3] == {"": "Rank of the best", "Evolution": "2 of 60", "Random": "2 of 60",
                       "Published": "–"}  # fmt: skip


# -- learners -----------------------------------------------------------------------------------
@given(st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda row: sum(row) > 0.1))
def test_entropy_is_that_of_scipy(row: list[float]) -> None:
    total = sum(row)
    assert learner_history.entropy([p / total for p in row]) == pytest.approx(
        float(scipy_entropy(row)), abs=1e-9
    )


def test_the_entropies_of_choices_average_to_the_reported_one(gdas: RunDigest) -> None:
    learning = gdas.learning
    rows = learner_history.entropies(learning.history, range(6))
    mean = sum(row[-1] for row in rows) / 6
    assert mean == pytest.approx(learning.entropy[-1], abs=1e-4)


def test_skip_connections_are_counted() -> None:
    reports = [[[0.5, 0.5], [0.4, 0.4, 0.2]], [[0.1, 0.9], [0.2, 0.5, 0.3]]]
    learning = told(reports)
    assert learner_history.skip_counts(learning, OPTIONS) == ([1, 2], [0, 1], False)
    own = told(reports, skip_connections=4)
    assert learner_history.skip_counts(own, OPTIONS) == ([1, 2], [4, 4], True)
    assert run_learner.skip_sentence(1, 2, False).startswith("1 of 2 choices has a skip")
    assert run_learner.skip_sentence(0, 2, True).endswith("has no skip connections")
    assert not learner_history.has_skips([("a", "b")])


def test_the_heat_map_has_a_cell_per_choice_and_option() -> None:
    rows = [[0.2, 0.8], [0.5, 0.3, 0.2]]
    columns, table = heat_map.by_option(rows, OPTIONS)
    assert columns == ["none", "conv", "skip_connect"]
    assert table == [[0.2, 0.8, None], [0.5, 0.2, 0.3]]
    figure = heat_map.figure(table, NAMES, columns, ("option", "choice", "p"), (0, 0.8), "r")
    go.Figure(resolved(figure, 1))
    (trace,) = figure["data"]
    assert trace["customdata"] == [[0, 0, 0], [1, 1, 1]], "a cell tells its row"
    assert "1 of 2 choices give an option a gate above one half" in run_learner.heat_sentence(
        rows, 3, "gate (0 to 1)"
    )
    assert run_learner.long_table(rows, NAMES, OPTIONS)["value"] == [0.2, 0.8, 0.5, 0.3, 0.2]


def test_colours_mean_the_same_at_every_epoch() -> None:
    assert learner_history.span([[[0.5, 0.5]], [[0.1, 0.9], [0.3]]]) == (0.1, 0.9)
    assert learner_history.span([[[0.5, 0.5]]]) == (0.0, 0.5)


def test_only_the_strongest_options_are_followed() -> None:
    history = [[[0.3, 0.3, 0.4]], [[0.5, 0.1, 0.4]]]
    assert learner_history.option_lines(history, 0, 2) == {0: [0.3, 0.5], 2: [0.4, 0.4]}


def test_further_numbers_have_charts_of_their_own() -> None:
    charts = learner_lines.told(["reward", "temperature", "something_new", "baseline"])
    assert [list(one.lines) for one in charts] == [
        ["temperature"], ["reward", "baseline"], ["something_new"],
    ]  # fmt: skip
    figure = learner_lines.figure([1, 2], {"a": [1, 2], "b": [3, None]}, "x (s)", "r")
    go.Figure(resolved(figure, 1))
    assert figure["data"][0]["line"]["dash"] != figure["data"][1]["line"]["dash"]


def test_sentences_of_the_entropy() -> None:
    assert run_learner.entropy_sentence(told([[[1.0]], [[1.0]]])).endswith("1.00 to 0.50 nats")
    steady = told([[[1.0]]])
    assert "after the first epoch" in run_learner.entropy_sentence(steady)


# -- the tab ------------------------------------------------------------------------------------
def opened(open_page: Open, run_id: str, **query: str) -> AppTest:
    test = open_page(EXPERIMENT, run=run_id, **query)
    test.session_state["tab"] = "Search"
    test.run()
    assert not test.exception and not test.error
    return test


def charts(test: AppTest) -> dict[str, Any]:
    mine = [c for c in test.get("bidi_component") if (c.key or "").startswith("search-")]
    return {c.key: json.loads(c.proto.json)["figure"] for c in mine}


def test_a_learner_is_shown_over_its_epochs(open_page: Open, runs: Path) -> None:
    folder = played(runs, algorithm="gdas", addons={"landmark": None})
    reports = [e["probabilities"] for e in folder.events() if e["type"] == "learner"]
    test = opened(open_page, folder.run_id)
    drawn = charts(test)
    assert drawn["search-probabilities"]["data"][0]["z"] == reports[-1]
    assert drawn["search-temperature"]["data"][0]["y"][-1] == pytest.approx(0.1)
    assert "search-skips" in drawn and "search-entropies" in drawn
    test.select_slider(key="learned-at").set_value("40").run()
    assert charts(test)["search-probabilities"]["data"][0]["z"] == reports[39]
    test.selectbox(key="choice").set_value("1->3").run()
    lines = charts(test)["search-options"]["data"]
    assert [line["y"][0] for line in lines] == reports[0][4]


def test_a_link_names_searcher_and_cost(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    drawn = charts(opened(open_page, folder.run_id))
    points = sum(len(t["x"]) for t in drawn["search-front"]["data"] if t["mode"] == "markers")
    assert points == 2 * 160
    test = opened(open_page, folder.run_id)
    test.segmented_control(key="searcher").set_value("random").run()
    test.segmented_control(key="cost").set_value("flops").run()
    drawn = charts(test)
    assert len(drawn["search-population"]["data"][0]["x"]) == 160
    assert drawn["search-front"]["layout"]["xaxis"]["title"]["text"].startswith("FLOPs")


def test_an_older_run_says_that_it_has_no_populations(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    lines = (folder.path / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        event.pop("population", None)
    (folder.path / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    test = opened(open_page, folder.run_id)
    assert "made before populations were recorded" in words(test)
    assert set(charts(test)) == {"search-best-so-far"}


def test_many_choices_are_paged(open_page: Open, runs: Path) -> None:
    chain = {
        "kind": "chain",
        "stem": 8,
        "operations": ["skip_connect", "nor_conv_1x1", "nor_conv_3x3"],
        "blocks": [{"repeat": 40}],
    }
    folder = played(
        runs, space="custom", space_settings=chain, algorithm="darts", addons={"landmark": None},
        super_net={"epochs": 20}, evaluation={"sample": 10, "every": 10},
    )  # fmt: skip
    test = opened(open_page, folder.run_id)
    assert "Choices 1 to 30 of 40 are drawn; the CSV has all." in words(test)
    assert len(charts(test)["search-probabilities"]["data"][0]["y"]) == run_learner.PAGE
    test.session_state["choices-page"] = 2
    test.run()
    assert not test.exception and not test.error
    assert len(charts(test)["search-entropies"]["data"][0]["y"]) == 10
