"""Band over seeds, disorder, overlap, outliers: figures against plain computations."""

from __future__ import annotations

import itertools
import json
import re
import statistics
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.digest import Epochs, RunDigest
from app.widgets import curves, disorder, palette, published, ranking, seed_band, top_k
from app.widgets.plot import Figure
from app.widgets.ranking import EVERYTHING, Point, points
from engine.metrics import top_k_overlap
from engine.spec.experiment import PublishedFigure

BOTH = re.compile(r"light-dark\((#[0-9A-Fa-f]{6}), (#[0-9A-Fa-f]{6})\)")
values = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=14)


def accepted(figure: Figure) -> Any:
    return go.Figure(json.loads(BOTH.sub(r"\1", json.dumps(figure))))  # raises on the unknown


def told(truth: list[float], score: list[float], metrics: dict[str, Any] | None = None) -> Any:
    digest = RunDigest()
    digest.sample = [
        {"text": f"a{i}", "indices": [i], "params": 1e6, "flops": 1e7} for i in range(len(truth))
    ]
    event = {"epoch": 5, "metrics": metrics or {}, "scores": score, "truth": truth}
    digest.rankings.add(event)
    return digest


def sample(truth: list[float], score: list[float]) -> list[Point]:
    return points(told(truth, score))


# -- top k ----------------------------------------------------------------------------------------
def by_brute_force(truth: list[float], score: list[float], k: int) -> float:
    def best(column: list[float]) -> set[int]:
        return set(sorted(range(len(column)), key=lambda i: (-column[i], i))[:k])

    return len(best(truth) & best(score)) / k


@given(values)
@settings(max_examples=60, deadline=None)
def test_overlap_is_that_of_brute_force_and_of_the_engine(rows: list[tuple[int, int]]) -> None:
    truth, score = [float(t) for t, _ in rows], [float(s) for _, s in rows]
    shares = top_k.overlaps(truth, score)
    for k, share in enumerate(shares, start=1):
        assert share == pytest.approx(by_brute_force(truth, score, k))
        assert share == pytest.approx(top_k_overlap(truth, score, k))
    assert shares[-1] == 1


def test_the_overlap_of_a_random_order_is_k_of_n_on_average() -> None:
    truth = [4.0, 3.0, 2.0, 1.0, 0.0]
    orders = [top_k.overlaps(truth, list(order)) for order in itertools.permutations(truth)]
    dashed = top_k.figure(orders[0], "r")["data"][1]
    assert dashed["line"]["dash"] == "dash"
    assert dashed["y"] == pytest.approx(100 * np.mean(orders, axis=0))
    assert top_k.columns(orders[0])["random_overlap"] == pytest.approx(np.mean(orders, axis=0))


def test_the_overlap_is_told_in_words() -> None:
    ten = [float(value) for value in range(20)]
    assert top_k.sentence(top_k.overlaps(ten, ten)).startswith(
        "The super-net's top 10 has 10 of the true top 10 (100 %; chance gives 50 %)"
    )
    assert "top 2 has 0 of" in top_k.sentence([0.0, 0.0])
    accepted(top_k.figure(top_k.overlaps(ten, ten), "r"))


# -- disorder -------------------------------------------------------------------------------------
def test_a_worked_disorder() -> None:
    found = sample([90, 80, 70, 60], [10, 40, 30, 20])
    assert [disorder.displacement(point) for point in found] == [3, -1, -1, -1]
    assert disorder.mean_displacement(found) == 1.5
    assert disorder.sentence(found) == (
        "An architecture is 1.5 of 4 places off on average; in a random order 1.2"
    )  # (16 - 1) / 12
    names = [disorder.bin_of(point, 4).name for point in found]
    assert names == ["Far too low", "Far too high", "Far too high", "Far too high"]
    assert disorder.columns(found)["displacement"] == [3, -1, -1, -1]


def test_bins_are_symmetric_and_change_at_their_limits() -> None:
    def name(away: int) -> str:
        return disorder.bin_of(Point("", (), 0, 0, 50, 50 + away, None, None), 100).name

    assert [name(d) for d in (-21, -20, -6, -5, 0, 5, 6, 20, 21)] == [
        "Far too high", "Too high", "Too high", "About right", "About right", "About right",
        "Too low", "Too low", "Far too low",
    ]  # fmt: skip


def test_few_traces_draw_many_architectures_best_on_top() -> None:
    rng = np.random.default_rng(0)
    found = sample(rng.normal(size=900).tolist(), rng.normal(size=900).tolist())
    figure = disorder.figure(found, "r")
    drawn = accepted(figure)
    lines = [t for t in figure["data"] if t["mode"] == "lines"]
    ends = [t for t in figure["data"] if t["mode"] == "markers"]
    assert len(lines) <= 5 and len(ends) == 2
    assert sum(t["x"].count(None) for t in lines) == disorder.MOST_LINES == len(ends[0]["y"])
    assert min(ends[0]["y"]) == 1 and max(ends[0]["y"]) == 900, "from the best to the worst"
    assert drawn.layout.yaxis.autorange == drawn.layout.yaxis2.autorange == "reversed"
    assert drawn.layout.yaxis2.title.text and drawn.layout.xaxis.ticktext
    assert drawn.layout.yaxis.tickvals[0] == 1 and drawn.layout.yaxis.tickvals[-1] == 900
    assert "200 are drawn" in disorder.note(900) and "200" not in disorder.note(100)


def test_a_line_joins_the_two_ranks_of_one_architecture() -> None:
    found = sample([90, 80, 70], [50, 60, 40])
    figure = disorder.figure(found, "r")
    segments = {
        tuple(t["y"][i : i + 2])
        for t in figure["data"]
        if t["mode"] == "lines"
        for i in range(0, len(t["y"]), 3)
    }
    assert segments == {(1, 2), (2, 1), (3, 3)}
    right = figure["data"][-1]
    assert right["yaxis"] == "y2" and right["customdata"] == [[0], [1], [2]]
    assert "1 place too low" in right["text"][0] and "In its true place" in right["text"][2]


# -- scatter --------------------------------------------------------------------------------------
ORDINARY = [70.0 + i for i in range(12)]


def test_outliers_stand_at_the_edge_as_triangles() -> None:
    found = sample([*ORDINARY, 10.0, 75.0], [*ORDINARY, 12.0, 200.0])
    inside = ranking.frame(found)
    assert ranking.outside_count(found, [], inside) == 2
    figure = ranking.scatter(found, [], "r", inside)
    accepted(figure)
    outside = figure["data"][-1]
    assert outside["marker"]["symbol"] == ["triangle-down", "triangle-up"]
    assert 60 < outside["x"][0] < 70 and 60 < outside["y"][0] < 70 and outside["y"][1] < 90
    assert "10.00 %" in outside["text"][0], "the words keep the true number"
    everything = [y for trace in figure["data"] for y in trace["y"]]
    assert min(everything) > 60 and max(everything) < 90, "axes that find their range are tight"


def test_the_whole_range_can_be_seen() -> None:
    found = sample([*ORDINARY, 10.0], [*ORDINARY, 12.0])
    figure = ranking.scatter(found, [], "r", EVERYTHING)
    assert len(figure["data"]) == 2 and 12.0 in figure["data"][0]["y"]


@pytest.mark.parametrize(
    ("truth", "why"),
    [
        (ORDINARY, "evenly spread"),
        ([10.0, 90.0, 91.0], "too few to tell"),
        ([80.0] * 11 + [10.0], "most are equal"),
    ],
)
def test_nothing_is_cut_off_without_outliers(truth: list[float], why: str) -> None:
    found = sample(truth, truth)
    assert ranking.outside_count(found, [], ranking.frame(found)) == 0, why


def test_a_landmark_far_away_is_counted_too() -> None:
    found = sample([*ORDINARY, 10.0], [*ORDINARY, 12.0])
    landmark = {"text": "l", "indices": [1], "value": 11.0, "score": 11.0, "round": 1}
    assert ranking.outside_count(found, [landmark], ranking.frame(found)) == 2
    figure = ranking.scatter(found, [landmark], "r", ranking.frame(found))
    assert figure["data"][-1]["marker"]["color"][-1] == palette.LANDMARK.css


def test_a_chosen_architecture_is_marked_in_both_charts() -> None:
    found = sample(ORDINARY, ORDINARY)
    square = ranking.scatter(found, [], "r", EVERYTHING, [3])["data"][-1]
    assert square["x"] == [ORDINARY[3]] and square["marker"]["symbol"] == "square-open"
    line = disorder.figure(found, "r", [3])["data"][-1]
    assert line["y"] == [9, 9, None] and line["name"] == "Chosen"
    none = ranking.scatter(found, [], "r", EVERYTHING, [99])
    assert all(trace["name"] != "Chosen" for trace in none["data"])


# -- band and printed figures ---------------------------------------------------------------------
def test_the_band_is_mean_and_sample_deviation_where_two_seeds_are() -> None:
    found = seed_band.band([{5: 0.1, 10: 0.4, 15: 0.5}, {5: 0.3, 10: 0.8}, {10: 0.6}, {}])
    assert (found.seeds, found.epoch, found.count) == (3, [5, 10], [2, 3])
    assert found.mean == pytest.approx([0.2, 0.6])
    spread = [statistics.stdev([0.1, 0.3]), statistics.stdev([0.4, 0.8, 0.6])]
    assert found.deviation == pytest.approx(spread)
    area, middle = seed_band.traces(found, "Kendall τ", palette.ORANGE)
    assert area["x"] == [5, 10, 10, 5]
    assert area["y"] == pytest.approx([0.2 + spread[0], 0.8, 0.4, 0.2 - spread[0]])
    assert middle["y"] == found.mean and "3 seeds" in area["name"]
    assert seed_band.columns(found, "m", [5, 7])["m_seeds"] == [2, None]


def test_one_seed_makes_no_band() -> None:
    assert seed_band.traces(seed_band.band([{5: 0.1}, {}]), "x", palette.ORANGE) == []


def test_a_printed_figure_is_a_dashed_line_that_names_its_source() -> None:
    source = "A long reference with <b>letters</b>, a paper and its table, row and column"
    printed = {
        "sparse_kendall_tau": PublishedFigure(value=0.802, source=source),
        "final_accuracy": PublishedFigure(value=92.08, source="Table 1"),
    }
    (line,) = published.lines(printed, curves.CORRELATIONS, [5, 10])
    assert line["y"] == [0.802, 0.802] and line["x"] == [0, 10]
    assert line["line"]["dash"] == "longdash" and line["text"][0].startswith("0.802 · A long")
    assert "column" in line["hovertext"][0], "the whole source is under the pointer"
    assert "<b>" not in line["text"][0] + line["hovertext"][0]
    words = published.sentence(printed, {"final_accuracy": 91.0}, {"final_accuracy": "Final"})
    assert "Final 92.08 % in print, 91.00 % here (Table 1)" in words
    assert "sparse_kendall_tau 0.802 in print, – here" in words


def test_the_interval_of_the_last_evaluation_is_an_error_bar() -> None:
    digest = told([1.0], [1.0], {"sparse_kendall_tau": 0.5})
    known = {"sparse_kendall_tau": {"low": 0.4, "high": 0.7, "n": 60}}
    bar = curves.correlations(digest.rankings, "r", (), known)["data"][-1]
    assert bar["error_y"]["array"] == pytest.approx([0.2])
    assert bar["error_y"]["arrayminus"] == pytest.approx([0.1])
    words = curves.intervals_sentence(known)
    assert "60 architectures" in words and "Sparse Kendall τ 0.400 to 0.700" in words
    assert curves.intervals_sentence({}) == ""


def test_term_and_weight_have_scales_of_their_own() -> None:
    epochs = Epochs()
    epochs.add({"epoch": 1, "landmark_loss": None, "landmark_weight": 0.0})
    epochs.add({"epoch": 2, "landmark_loss": 0.3, "landmark_weight": 10.0})
    drawn = accepted(curves.landmark(epochs, "r"))
    upper, lower = drawn.layout.yaxis.domain, drawn.layout.yaxis2.domain
    assert lower[1] < upper[0], "they do not overlap"
    assert drawn.data[1].yaxis == "y2" and list(drawn.data[1].y) == [0.0, 10.0]
