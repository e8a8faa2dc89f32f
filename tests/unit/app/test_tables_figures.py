"""Charts of ground truth: numbers against independent ones, and what plotly accepts."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from test_figures import contrast, resolved

from app import lab_tables
from app.sheet import POINTS
from app.widgets import palette, table_agreement, table_decline, table_histogram, table_ranks
from app.widgets import table_scatter as scatter
from app.widgets import table_units as units
from app.widgets.plot import Figure
from app.widgets.table_ink import ink
from app.widgets.table_top import first_rows
from engine.metrics import non_dominated
from engine.tables.columns import PERCENT, Column

RNG = np.random.default_rng(1)
TEST, PARAMS = Column("test", PERCENT), Column("params", "parameters")
ACCURACY = np.round(100 - RNG.gamma(2, 4, 500), 2)
SIZES = RNG.integers(1, 40, 500) * 1e5
NAMES = ["val", "test", "other"]
MATRIX = [[1.0, 0.98, 0.91], [0.98, 1.0, None], [0.91, None, 1.0]]
OPPOSED = [[1.0, -0.5], [-0.5, 1.0]]
RANKS = {name: table_ranks.ranks(RNG.random(500)) for name in NAMES}
DECLINE = [(1.0, 500, 0.9), (0.1, 50, 0.4), (0.05, 25, None)]
PAIR = (PARAMS, SIZES), (TEST, ACCURACY)


def figures() -> dict[str, Figure]:
    return {
        "histogram": table_histogram.figure(TEST, ACCURACY, 93.0, "r"),
        "scatter": scatter.figure(*PAIR, str, 7, "r"),
        "agreement": table_agreement.figure(NAMES, MATRIX, "spearman", "r"),
        "opposed": table_agreement.figure(NAMES[:2], OPPOSED, "kendall_tau", "r"),
        "ranks": table_ranks.figure(("val", RANKS["val"]), RANKS, str, "r"),
        "decline": table_decline.figure(DECLINE, "Spearman ρ", "r"),
    }


@pytest.mark.parametrize("name", list(figures()))
@pytest.mark.parametrize("theme", [1, 2])
def test_plotly_accepts_the_figure(name: str, theme: int) -> None:
    figure = go.Figure(resolved(figures()[name], theme))  # raises on anything unknown
    assert figure.layout.uirevision == "r" and figure.data


@pytest.mark.parametrize("name", list(figures()))
def test_axes_have_titles_and_keep_the_zoom(name: str) -> None:
    layout = figures()[name]["layout"]
    axes = [value for key, value in layout.items() if "axis" in key]
    assert len(axes) == 2
    assert all(axis["title"]["text"] and axis["autorange"] for axis in axes)
    json.dumps(figures()[name], allow_nan=False)


# -- histogram ------------------------------------------------------------------------------------
def test_bins_have_the_width_of_freedman_and_diaconis() -> None:
    counts, edges = table_histogram.bins(ACCURACY)
    theirs, their_edges = np.histogram(ACCURACY, bins="fd")
    assert counts.tolist() == theirs.tolist() and edges == pytest.approx(their_edges)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_bins_count_every_value(values: list[float]) -> None:
    counts, edges = table_histogram.bins(np.array(values))
    assert counts.sum() == len(values) and len(edges) == len(counts) + 1
    assert len(counts) <= table_histogram.MOST_BINS


def test_marks_are_the_best_the_median_and_yours() -> None:
    figure = table_histogram.figure(TEST, ACCURACY, 93.0, "r")
    places = [shape["x0"] for shape in figure["layout"]["shapes"]]
    assert places == [ACCURACY.max(), np.median(ACCURACY), 93.0]
    costs = table_histogram.figure(PARAMS, SIZES, None, "r")["layout"]
    assert [shape["x0"] for shape in costs["shapes"]] == [
        SIZES.min() / 1e6, np.median(SIZES) / 1e6,
    ]  # fmt: skip
    assert costs["annotations"][0]["text"].startswith("smallest")


def test_the_place_of_a_value_is_told() -> None:
    values = np.array([90.0, 91.0, 92.0, 93.0])
    said = table_histogram.place_of(TEST, values, 91.5)
    assert said == (
        "91.50 % would have rank 3: 2 of 4 architectures are better, and 50.0 % are behind it."
    )
    assert "would have rank 1: 0 of 4" in table_histogram.place_of(PARAMS, values, 1.0)


def test_sentences_of_columns() -> None:
    values = np.array([80.0, 90.0, 94.375])
    assert table_histogram.sentence(TEST, values) == (
        "Half of 3 architectures reach 90.00 % or more; the best reaches 94.38 %"
    )
    assert "stay below 2.00 M; the smallest has 1.00 M" in table_histogram.sentence(
        PARAMS, np.array([1e6, 2e6, 3e6])
    )


# -- scatter --------------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40))
def test_the_front_is_that_of_comparing_all_pairs(pairs: list[tuple[int, int]]) -> None:
    cost, gain = np.array(pairs, float).T
    found = scatter.front(cost, gain)
    inside = non_dominated(np.array(pairs, float), [False, True])
    assert {pairs[row] for row in found} == {pairs[row] for row in np.flatnonzero(inside)}
    assert len({pairs[row] for row in found}) == len(found), "equal ones stand once"
    assert list(cost[found]) == sorted(cost[found])


def test_the_front_leaves_out_what_is_unknown() -> None:
    cost, gain = np.array([1.0, math.nan, 2.0]), np.array([1.0, 9.0, math.nan])
    assert scatter.front(cost, gain).tolist() == [0]
    assert scatter.has_front(PARAMS, TEST) and not scatter.has_front(TEST, PARAMS)


def test_a_thinned_cloud_keeps_extremes_and_outline() -> None:
    x, y = RNG.normal(size=20_000), RNG.normal(size=20_000)
    x[5], y[77] = math.nan, math.inf
    rows = scatter.drawn_rows(x, y)
    known = np.isfinite(x) & np.isfinite(y)
    assert len(rows) == 1500 and len(set(rows.tolist())) == 1500 and known[rows].all()
    for values in (x, y):
        assert values[rows].min() == values[known].min()
        assert values[rows].max() == values[known].max()
    assert rows.tolist() == scatter.drawn_rows(x, y).tolist()

    def areas(chosen: Any) -> set[tuple[int, int]]:
        low, high = (f(np.stack([x[known], y[known]]), axis=1) for f in (np.min, np.max))
        part = (np.stack([x[chosen], y[chosen]]).T - low) / (high - low) * scatter.GRID
        return set(map(tuple, np.minimum(part.astype(int), np.array(scatter.GRID) - 1)))

    assert areas(rows) == areas(np.flatnonzero(known)), "no small area lost all of its points"


def test_points_carry_their_rows() -> None:
    points, front, ring = scatter.figure(*PAIR, str, 7, "r")["data"]
    assert points["customdata"] == list(range(500)) and ring["customdata"] == [7]
    assert points["x"] == pytest.approx(SIZES / 1e6) and ring["y"] == [ACCURACY[7]]
    assert front["x"] == sorted(front["x"])
    rows = scatter.columns(*PAIR, str)
    assert rows["params (parameters)"] == SIZES.tolist() and rows["architecture"][3] == "3"


# -- agreement ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "theirs"), [("spearman", stats.spearmanr), ("kendall_tau", stats.kendalltau)]
)
def test_correlations_are_those_of_scipy(method: str, theirs: Any) -> None:
    first, second = ACCURACY.copy(), SIZES.copy()
    first[:5], second[3:9] = math.nan, math.nan
    found = lab_tables.correlation(first, second, method)
    assert found == pytest.approx(theirs(ACCURACY[9:], SIZES[9:])[0])
    assert lab_tables.correlation(first[:4], second[:4], method) is None


def test_ranks_are_those_of_scipy() -> None:
    values = ACCURACY.copy()
    values[[3, 9]] = math.nan
    found, known = table_ranks.ranks(values), ~np.isnan(values)
    assert found[known].tolist() == stats.rankdata(-values[known], "min").tolist()
    assert np.isnan(found[~known]).all()


def test_the_matrix_says_its_numbers_and_pairs() -> None:
    figure = figures()["agreement"]
    (trace,) = figure["data"]
    assert trace["z"] == MATRIX and trace["customdata"][0][2] == ["val", "other"]
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert texts == ["1.000", "0.980", "0.910", "0.980", "1.000", "–", "0.910", "–", "1.000"]
    assert trace["zmin"] == 0.9 and figures()["opposed"]["data"][0]["zmin"] == -1
    said = table_agreement.sentence(NAMES, MATRIX, "spearman", 500)
    assert said == (
        "Spearman ρ over 500 architectures: from 0.910 (val, other) to 0.980 (val, test)"
    )
    assert "not defined" in table_agreement.sentence(["a"], [[None]], "spearman", 0)
    assert table_agreement.columns(NAMES, MATRIX)["other"] == [0.91, None, 1.0]


@pytest.mark.parametrize("full", [palette.ACCENT, palette.ORANGE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_can_be_read_on_their_cells(theme: palette.Theme, full: palette.Colour) -> None:
    ends = palette.BACKGROUND.on(theme), full.on(theme)

    def mixed(share: float) -> str:
        pairs = [[int(end[i : i + 2], 16) for end in ends] for i in (1, 3, 5)]
        return "#" + "".join(f"{round((1 - share) * p + share * f):02x}" for p, f in pairs)

    for share in np.linspace(0, 1, 41):
        assert contrast(mixed(float(share)), ink(full, float(share)).on(theme)) >= 4.5, share


def test_long_names_are_shortened_unless_they_clash() -> None:
    name = "imagenet16_test_200_randomseed"
    assert len(units.short(name)) <= units.SHORT and units.short(name).startswith("imagenet16")
    both = [name, name.replace("_test", "_tesT")]
    assert table_agreement.figure(both, OPPOSED, "spearman", "r")["data"][0]["x"] == both


def test_the_decline_is_told() -> None:
    assert table_decline.sentence("a", "b", DECLINE, "Kendall τ") == (
        "Kendall τ of a and b is 0.900 over all and 0.400 among the best 10 % (50)"
    )
    assert table_decline.columns(DECLINE)["best share (%)"] == [100.0, 10.0, 5.0]


# -- units and order ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (PERCENT, 94.3733, "94.37 %"),
        ("parameters", 1_073_466.0, "1.07 M"),
        ("multiply-adds", 153.27e6, "153.3 M"),
        ("seconds", 12.345, "12.3 s"),
        ("seconds", 3720.0, "1 h 02 min"),
        ("number", 1234.5, "1,234.5"),
        (POINTS, 0.1234, "0.12 points"),
        (PERCENT, math.nan, "–"),
    ],
)
def test_values_are_written_with_their_unit(unit: str, value: float, text: str) -> None:
    assert units.written(Column("c", unit), value) == text


def test_axes_name_their_unit_and_scale() -> None:
    assert units.axis_title(PARAMS) == "params (M)"
    assert units.scaled(PARAMS, np.array([2e6])).tolist() == [2.0]
    assert units.unscaled(PARAMS, 2.0) == 2e6
    assert units.axis_title(Column("zen", "number")) == "zen"


def test_the_first_rows_keep_the_order_of_equal_ones() -> None:
    values = np.array([5.0, math.nan, 9.0, 5.0, 1.0])
    assert first_rows(values, 3, largest=True).tolist() == [2, 0, 3]
    assert first_rows(values, 9, largest=False).tolist() == [4, 0, 3, 2]
