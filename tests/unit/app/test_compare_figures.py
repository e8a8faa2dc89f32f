"""What the Compare page draws, against numbers computed in another way."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.comparing import Setting
from app.digest import RunDigest
from app.widgets import compare_boxes, compare_curves, compare_scatter
from app.widgets.compare_boxes import Box
from app.widgets.compare_curves import Runs, band
from app.widgets.compare_look import DASHES, SYMBOLS, Look, looks, wrapped
from app.widgets.compare_scatter import Point

SEEDS = st.lists(st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4), min_size=3, max_size=6)


def setting(name: str, algorithm: str, *runs: str) -> Setting:
    return Setting(name, name, algorithm, runs, tuple(range(len(runs))), "same")


def look(algorithm: str = "spos") -> Look:
    return looks([setting(algorithm, algorithm, "r")])[algorithm]


# -- looks --------------------------------------------------------------------------------------
def test_settings_of_one_algorithm_share_its_colour_and_differ_in_words() -> None:
    found = looks([setting("a", "spos"), setting("b", "gdas"), setting("c", "spos")])
    assert found["a"].colour == found["c"].colour != found["b"].colour
    assert found["a"].dash != found["c"].dash and found["a"].symbol != found["c"].symbol
    assert found["c"].label == f"c ({DASHES[found['c'].dash]}, {SYMBOLS[found['c'].symbol]})"
    assert found["b"].label == "b", "alone it needs no words"


def test_many_settings_never_look_alike() -> None:
    many = [
        setting(f"{name}{number}", name)
        for number, name in product(range(12), ("spos", "evolution", "rsps", "darts", "gdas"))
    ]
    seen = {(one.colour, one.dash, one.symbol) for one in looks(many).values()}
    assert len(seen) == len(many)


def test_long_names_are_broken_and_never_markup() -> None:
    assert wrapped("spos + landmark on nb201", 12) == "spos +<br>landmark on<br>nb201"
    assert wrapped("<b>x</b>") == "&lt;b>x&lt;/b>"


# -- curves -------------------------------------------------------------------------------------
@given(SEEDS)
def test_three_runs_or_more_have_mean_and_deviation(seeds: list[list[float]]) -> None:
    found = band([([1, 2, 3, 4], values) for values in seeds])
    assert found.n == [len(seeds)] * 4
    mean, std = np.mean(seeds, axis=0), np.std(seeds, axis=0, ddof=1)
    assert found.mean == pytest.approx(list(mean), abs=1e-9)
    assert found.low == pytest.approx(list(mean - std), abs=1e-6)
    assert found.high == pytest.approx(list(mean + std), abs=1e-6)


def test_two_runs_have_a_range_and_one_has_none() -> None:
    found = band([([5, 10, 15], [0.2, None, 0.6]), ([5, 10], [0.4, 0.5])])
    assert found.x == [5, 10, 15] and found.n == [2, 1, 1]
    assert found.mean == pytest.approx([0.3, 0.5, 0.6])
    assert (found.low, found.high) == ([0.2, 0.5, 0.6], [0.4, 0.5, 0.6])


def test_nothing_told_yet_is_no_band() -> None:
    assert band([((), ()), ([1], [None])]).x == []


def groups(length: int) -> list[Runs]:
    epochs = list(range(1, length + 1))
    curves = {f"r{seed}": (epochs, [seed + 0.01 * e for e in epochs]) for seed in range(3)}
    return [Runs("one", look(), curves), Runs("two", look("gdas"), {"q": (epochs, epochs)})]


@pytest.mark.parametrize("apart", [False, True])
def test_the_zoom_and_the_traces_stay_while_data_arrives(apart: bool) -> None:
    short, long = (compare_curves.figure(groups(n), "loss", apart) for n in (2, 900))
    assert short["layout"]["uirevision"] == long["layout"]["uirevision"]
    assert [t["uid"] for t in short["data"]] == [t["uid"] for t in long["data"]]
    other = compare_curves.figure(groups(2), "spearman", apart)
    assert other["layout"]["uirevision"] != short["layout"]["uirevision"]
    json.dumps(long, allow_nan=False)


def test_runs_by_themselves_can_be_clicked() -> None:
    lines = compare_curves.figure(groups(5), "loss", apart=True)["data"]
    assert [line["customdata"][0] for line in lines] == ["r0", "r1", "r2", "q"]
    assert [line["showlegend"] for line in lines] == [True, False, False, True]


def test_the_sentence_names_the_one_ahead() -> None:
    assert (
        compare_curves.sentence(groups(5), "loss") == "spos has the lowest training loss, 1.0500"
    )
    assert "gdas has the highest Spearman ρ, 5.000" in compare_curves.sentence(
        groups(5), "spearman"
    )
    assert compare_curves.sentence(groups(0), "best") == (
        "No run has told its best score of the search yet"
    )


def test_the_csv_has_every_point_of_every_run() -> None:
    columns = compare_curves.columns(groups(2000), "best")
    assert list(columns) == ["setting", "run", "architectures_evaluated", "best"]
    assert len(columns["best"]) == 4 * 2000


def test_curves_come_from_the_events() -> None:
    digest = RunDigest()
    common = {"time": 0.0, "generations": 2, "mean_score": 1.0, "best_text": ""}
    told = [("evolution", 20, 70.0), ("evolution", 40, 75.0), ("random", 20, 60.0)]
    digest.take_all(
        {"seq": seq, "type": "generation", "searcher": name, "evaluated": count, **common,
         "generation": 1, "best_score": best}
        for seq, (name, count, best) in enumerate(told)
    )  # fmt: skip
    assert compare_curves.series(digest, "best") == ([20, 40], [70.0, 75.0])
    assert compare_curves.series(digest, "loss") == ([], [])
    assert compare_curves.series(digest, "sparse_kendall_tau") == ([], [])


# -- boxes and scatter --------------------------------------------------------------------------
def test_boxes_show_every_run_and_the_random_draws() -> None:
    boxes = [Box("one", look(), {"a": 90.0, "b": 92.0, "c": 94.0})]
    random = {"Random architectures": [70.0, 80.0, 75.0]}
    drawn = compare_boxes.figure(boxes, random, "final_accuracy")
    ours, draws = drawn["data"]
    assert (ours["x"], ours["customdata"]) == ([90.0, 92.0, 94.0], ["a", "b", "c"])
    assert ours["boxpoints"] == "all" and "customdata" not in draws
    assert compare_boxes.sentence(boxes, random, "final_accuracy") == (
        "spos has a median final accuracy of 92.00 %; half of the random architectures reach "
        "75.00 %"
    )
    columns = compare_boxes.columns(boxes, random, "final_accuracy")
    assert columns["run"] == ["a", "b", "c", "", "", ""]


def test_leaving_draws_out_keeps_the_quartiles() -> None:
    values = list(np.random.default_rng(0).normal(80, 5, 20_000))
    drawn = compare_boxes.figure([], {"Random architectures": values}, "final_accuracy")
    kept = drawn["data"][0]["x"]
    assert len(kept) <= 1500
    for share in (0, 25, 50, 75, 100):
        assert np.percentile(kept, share) == pytest.approx(np.percentile(values, share), abs=0.05)


def test_the_scatter_opens_runs_and_tells_their_agreement() -> None:
    rng = np.random.default_rng(1)
    tau, accuracy = rng.random(7), rng.random(7)
    points = [
        Point(f"r{i}", "one" if i % 2 else "two", look(), i, float(tau[i]), float(accuracy[i]))
        for i in range(7)
    ]
    drawn = compare_scatter.figure(points)
    assert [trace["name"] for trace in drawn["data"]] == ["spos", "spos"]
    assert drawn["data"][0]["customdata"] == ["r0", "r2", "r4", "r6"]
    expected = f"{stats.kendalltau(tau, accuracy)[0]:.3f}".replace("-", "−")
    assert compare_scatter.sentence(points).endswith(f"agree with Kendall τ = {expected}")
    assert compare_scatter.sentence(points[:2]) == ("Ranking quality and final accuracy of 2 runs")


def test_runs_that_do_not_differ_agree_in_nothing() -> None:
    points = [Point(f"r{i}", "one", look(), i, 0.5, 90.0) for i in range(5)]
    assert "which do not differ" in compare_scatter.sentence(points)
