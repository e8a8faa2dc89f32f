"""Filters of the list of experiments; they stand in the address, so that a link keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import client
from app.widgets.palette import STATES
from app.widgets.run_table import matches

if TYPE_CHECKING:
    from workers.client import RunSummary


def draw(runs: Sequence[RunSummary]) -> list[RunSummary]:
    """Draw the filters and return the runs that pass all of them."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="run-filters"):
        words = st.text_input(
            "Search",
            key="search",
            type="search",
            live=True,
            width=260,
            placeholder="Name, algorithm, data, tag",
            bind="query-params",
        )
        algorithms = _several("Algorithm", "algorithm", {run.algorithm for run in runs})
        spaces = _several("Space", "space", {run.space for run in runs}, _space)
        tags = _several("Tag", "tag", {tag for run in runs for tag in run.tags})
    states = _states(runs)
    return [
        run
        for run in runs
        if matches(run, words or "")
        and (not states or run.state in states)
        and (not algorithms or run.algorithm in algorithms)
        and (not spaces or run.space in spaces)
        and (not tags or set(tags) & set(run.tags))
    ]


def _states(runs: Sequence[RunSummary]) -> list[str]:
    present = [state for state in STATES if any(run.state == state for run in runs)]
    chosen = st.pills(
        "State",
        present,
        selection_mode="multi",
        key="state",
        format_func=lambda state: STATES[state].word,
        label_visibility="collapsed",
    )
    return list(chosen or [])


def _several(title: str, key: str, found: set[str], name: Callable[[str], str] = str) -> list[str]:
    """Draw a choice of several values; a chosen one stays even when its last run has gone."""
    options = sorted(found | set(st.session_state.get(key) or []))
    return st.multiselect(
        title,
        options,
        key=key,
        format_func=name,
        placeholder="All",
        width=165,
        bind="query-params",
    )


def _space(name: str) -> str:
    return client.title("spaces", name)
