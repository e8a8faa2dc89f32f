"""How alike accuracy columns rank: data sets, validation and test (001, Figures 5.2 to 5.5)."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import lab_tables
from app import table_address as address
from app.sheet import Mask, Sheet, Values, best_rows
from app.widgets import table_agreement, table_decline
from app.widgets import table_ranks as rank_chart
from app.widgets.chart import show
from app.widgets.empty import empty
from engine.tables.columns import PERCENT, Column

COMPARED = 6


def draw(sheet: Sheet, column: Column, share: float) -> None:
    """Draw the view: the matrix, one pair among ever fewer of the best, and ranks over ranks."""
    names = [c.name for c in sheet.accuracies]
    if len(names) < 2:
        empty("There is nothing to compare", "This takes two columns of accuracies.")
        return
    by = column.name if column.unit == PERCENT else names[0]
    method, chosen = _boxes(names, by)
    if len(chosen) < 2:
        empty("Choose at least two columns", "Every pair of them is compared.")
        return
    symbol = table_agreement.SYMBOLS[method]
    with st.spinner(f"Ranking {len(chosen)} columns against each other"):
        matrix = lab_tables.agreement(sheet, tuple(chosen), method, by, share)
    rows = int(np.sum(best_rows(sheet.values(by), share)))
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        clicked = show(
            table_agreement.sentence(chosen, matrix, method, rows),
            table_agreement.figure(chosen, matrix, method, f"{sheet.stamp}-{len(chosen)}"),
            "table-agreement",
            table_agreement.columns(chosen, matrix),
            note="Click on a cell to compare its pair.",
        )
        if share < 1:
            st.caption(f"Only the best {100 * share:g} % by {by}, {rows:,} architectures.")
    if clicked is not None:
        st.query_params[address.PAIR] = list(dict.fromkeys(str(name) for name in clicked))
        st.rerun()
    with right:
        first, others = _pair_boxes(names, by)
        if others:
            points = lab_tables.decline(sheet, first, others[0], method)
            show(
                table_decline.sentence(first, others[0], points, symbol),
                table_decline.figure(points, symbol, f"{sheet.stamp}-{first}-{others[0]}"),
                "table-decline",
                table_decline.columns(points),
                note=f"The best by {first}; shares with fewer than {lab_tables.FEWEST} "
                "architectures are left out.",
            )
    if others:
        _ranks(sheet, first, others, best_rows(sheet.values(by), share), method)


def _boxes(names: list[str], by: str) -> tuple[str, list[str]]:
    start = [by, *[name for name in names if name != by]][:COMPARED]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control(
            "Agreement by",
            list(table_agreement.SYMBOLS),
            default="spearman",
            key="method",
            required=True,
            bind="query-params",
            format_func=table_agreement.SYMBOLS.__getitem__,
            help="Spearman compares ranks, Kendall counts the pairs that both order alike.",
        )
        chosen = st.multiselect(
            "Columns",
            names,
            default=[name for name in names if name in start],
            key="compared",
            bind="query-params",
            width="stretch",
        )
    return method or "spearman", [name for name in names if name in chosen]


def _pair_boxes(names: list[str], by: str) -> tuple[str, list[str]]:
    """Draw the choice of the columns whose ranks are drawn; the address keeps it."""
    kept = [name for name in st.query_params.get_all(address.PAIR) if name in names]
    first, *others = kept or [by, *[name for name in names if name != by][:1]]
    state = "-".join([first, *others])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        base = st.selectbox(
            "Ranks by", names, index=names.index(first), key=f"first-{state}", width="stretch"
        )
        against = st.multiselect(
            "against",
            names,
            default=others,
            key=f"others-{state}",
            max_selections=rank_chart.MOST_COLUMNS,
            width="stretch",
        )
    if [base, *against] != [first, *others]:
        st.query_params[address.PAIR] = [base, *against]
        st.rerun()
    return first, [name for name in others if name != first]


def _ranks(sheet: Sheet, first: str, others: list[str], kept: Mask, method: str) -> None:
    def own(name: str) -> Values:
        return rank_chart.ranks(np.where(kept, sheet.values(name), np.nan))

    base = first, own(first)
    ranked = {name: own(name) for name in others}
    found = {
        name: lab_tables.correlation(base[1], values, method) for name, values in ranked.items()
    }
    show(
        rank_chart.sentence(first, found, table_agreement.SYMBOLS[method]),
        rank_chart.figure(base, ranked, sheet.text, f"{sheet.stamp}-{first}-{'-'.join(others)}"),
        "table-ranks",
        rank_chart.columns(base, ranked, sheet.text),
        note="On the dotted line an architecture has the same rank in both.",
    )
