"""The Pareto front against brute force, and what its figure draws."""

from __future__ import annotations

import json
import re
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.widgets import palette, pareto
from app.widgets.chart import MOST_POINTS
from app.widgets.pareto import Dot, front

small = some.integers(0, 6).map(float) | some.floats(allow_nan=False, allow_infinity=False)


def dominated(points: list[tuple[float, float]], i: int) -> bool:
    cost, value = points[i]
    return any(
        c <= cost and v >= value and (c, v) != (cost, value) for c, v in points
    )  # the definition, over all pairs


@given(some.lists(some.tuples(small, small), max_size=40))
def test_the_front_is_what_nothing_dominates(points: list[tuple[float, float]]) -> None:
    found = front([cost for cost, _ in points], [value for _, value in points])
    assert set(found) == {i for i in range(len(points)) if not dominated(points, i)}
    assert len(found) == len(set(found))
    assert [points[i][0] for i in found] == sorted(points[i][0] for i in found)


def test_a_front_worked_by_hand() -> None:
    costs = [1.0, 2.0, 2.0, 3.0, 3.0, float("nan"), 0.5]
    values = [70.0, 80.0, 75.0, 80.0, 90.0, 99.0, float("inf")]
    assert front(costs, values) == [0, 1, 4]
    assert front([], []) == []


def dots(count: int, within: tuple[str, ...] = ("",)) -> list[Dot]:
    groups = ("spos", "darts")
    return [
        Dot(i % 97, (i * 31) % 101, groups[i % 2], f"dot {i}", i, within[i % len(within)])
        for i in range(count)
    ]


def checked(figure: dict[str, Any]) -> Any:
    """Return the figure as plotly reads it; it raises for what it does not know."""
    plain = re.sub(r"light-dark\((#\w{6}), #\w{6}\)", r"\1", json.dumps(figure))
    return go.Figure(json.loads(plain))


def test_the_figure_has_the_front_as_steps_and_colours_by_algorithm() -> None:
    shown = [
        Dot(1, 70, "spos", "a", "a"), Dot(2, 60, "spos", "b", "b"), Dot(4, 90, "darts", "c", "c"),
        Dot(9, 80, "darts", "d", "d"),
    ]  # fmt: skip
    figure = pareto.figure(shown, "r", "parameters", "accuracy (%)", str.upper, chosen={"b"})
    line, spos, darts, ring = figure["data"]
    assert line["line"]["shape"] == "hv"
    assert (line["x"], line["y"]) == ([1, 4, 9], [70, 90, 90])
    assert (spos["name"], darts["name"]) == ("SPOS", "DARTS")
    assert spos["marker"]["color"] == palette.algorithm("spos")[0].css
    assert darts["customdata"] == ["c", "d"]
    assert (ring["x"], ring["y"]) == ([2], [60])
    assert figure["layout"]["xaxis"]["title"]["text"] == "parameters"
    checked(figure)


def test_accuracies_of_other_data_have_a_front_of_their_own() -> None:
    figure = pareto.figure(dots(60, ("CIFAR-10", "Digits")), "r", "x", "y")
    lines = [trace for trace in figure["data"] if trace["mode"] == "lines"]
    assert [line["name"] for line in lines] == ["Front: CIFAR-10", "Front: Digits"]
    assert len({line["line"]["dash"] for line in lines}) == 2
    symbols = {s for t in figure["data"] if t["mode"] == "markers" for s in t["marker"]["symbol"]}
    assert len(symbols) == 2, "shape carries the data set"


@pytest.mark.parametrize("count", [MOST_POINTS, 5_000])
def test_few_points_are_drawn_and_none_of_the_front_is_lost(count: int) -> None:
    many = dots(count)
    figure = pareto.figure(many, "r", "x", "y", chosen={4_321})
    drawn = [k for t in figure["data"] if "customdata" in t for k in t["customdata"]]
    assert len(drawn) == len(set(drawn)) == MOST_POINTS
    best = front([dot.cost for dot in many], [dot.value for dot in many])
    assert {many[i].key for i in best} <= set(drawn)
    assert count < 5_000 or 4_321 in drawn
