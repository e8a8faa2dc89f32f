"""What finished runs show beside each other: the table, box plots, ranking against accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import comparing, links
from app.comparing import Setting
from app.widgets import chart, compare_boxes, compare_scatter, compare_table, compare_take
from app.widgets.compare_boxes import QUANTITIES, Box
from app.widgets.compare_look import Look
from app.widgets.compare_scatter import Point
from app.widgets.empty import empty

if TYPE_CHECKING:
    from engine.compare import ComparisonTable
    from engine.compare.figures import RunFigures

_BOXES = (
    "One point a run; click it to open the run. The box reaches from the lower to the upper "
    "quartile, its line is the median, whiskers reach to the last point within 1.5 box lengths."
)
_GREY = (
    "Grey: single architectures drawn uniformly, which are the correlation samples; the other "
    "points are each the mean of the best 3 of a search."
)


def draw(
    settings: Sequence[Setting],
    shown: Mapping[str, Look],
    groups: Mapping[str, Sequence[RunFigures]],
) -> None:
    """Draw table and figures.

    Args:
        settings: all that were chosen.
        shown: their looks, by name.
        groups: figures of the finished runs, by name of the setting.
    """
    from engine.compare import tabulate

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Side by side", anchor=False, width="stretch")
        short = {one.short: one.name for one in settings if one.name in groups}
        baseline = st.selectbox(
            "Baseline of the tests", list(short), key="baseline", width=360, bind="query-params"
        )
    table = tabulate(groups, short.get(baseline or ""))
    _table(settings, shown, table)
    left, right = st.columns(2, gap="medium")
    with left:
        _boxes("final_accuracy", table, shown, comparing.pools(settings, table))
    with right:
        _boxes("sparse_kendall_tau", table, shown, {})
    _scatter(settings, table, shown)


def _table(settings: Sequence[Setting], shown: Mapping[str, Look], table: ComparisonTable) -> None:
    from engine.compare import landmark_rows

    rows = landmark_rows(table)
    st.html(compare_table.html(rows, shown, table.baseline))
    st.caption(compare_table.meaning(rows))
    labels = {one.name: one.short for one in settings}
    for sentence in compare_table.warnings(rows, labels):
        st.warning(sentence, icon=":material/warning:")
    if len({one.population for one in settings if one.name in table.runs}) > 1:
        st.warning(
            "These settings differ in space, data, network or ground truth, so their accuracies "
            "and ranks do not mean the same. S-KdT can be compared with care.",
            icon=":material/warning:",
        )
    compare_take.draw(table)


# -- figures ------------------------------------------------------------------------------------
def _boxes(
    quantity: str,
    table: ComparisonTable,
    shown: Mapping[str, Look],
    random: Mapping[str, Sequence[float]],
) -> None:
    known = {name: _known(table, name, quantity) for name in table.runs}
    boxes = [Box(name, shown[name], values) for name, values in known.items() if values]
    if not boxes:
        title = QUANTITIES[quantity].title
        empty(f"No {title}", f"None of the finished runs knows its {title}.")
        return
    note = f"{_BOXES} {_GREY}" if random else _BOXES
    _open(
        chart.show(
            compare_boxes.sentence(boxes, random, quantity),
            compare_boxes.figure(boxes, random, quantity),
            f"compare-boxes-{quantity.replace('_', '-')}",
            compare_boxes.columns(boxes, random, quantity),
            note,
        )
    )


def _known(table: ComparisonTable, group: str, figure: str) -> dict[str, float]:
    values = zip(table.runs[group], table.values[group][figure], strict=True)
    return {run_id: value for run_id, value in values if value is not None}


def _scatter(
    settings: Sequence[Setting], table: ComparisonTable, shown: Mapping[str, Look]
) -> None:
    points = _points(settings, table, shown)
    if not points:
        empty(
            "No run with both",
            "None of the finished runs knows both its sparse Kendall τ and its final accuracy.",
        )
        return
    _open(
        chart.show(
            compare_scatter.sentence(points),
            compare_scatter.figure(points),
            "compare-scatter",
            compare_scatter.columns(points),
            "One point a finished run. Click it to open the run.",
        )
    )


def _points(
    settings: Sequence[Setting], table: ComparisonTable, shown: Mapping[str, Look]
) -> list[Point]:
    seeds = {r: seed for one in settings for r, seed in zip(one.runs, one.seeds, strict=True)}
    points = []
    for name in table.runs:
        tau = _known(table, name, "sparse_kendall_tau")
        accuracy = _known(table, name, "final_accuracy")
        points += [
            Point(run_id, name, shown[name], seeds[run_id], tau[run_id], accuracy[run_id])
            for run_id in tau
            if run_id in accuracy
        ]
    return points


def _open(clicked: object) -> None:
    if isinstance(clicked, str):
        links.go_to_run(clicked)
