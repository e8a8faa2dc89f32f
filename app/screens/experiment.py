"""One experiment, live: `?run=<id>` in the address."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import client, links
from app.feed import RunFeed
from app.guard import shielded
from app.widgets import (
    run_architectures,
    run_header,
    run_ranking,
    run_record,
    run_search,
    run_training,
)
from app.widgets.empty import empty
from app.widgets.log_view import log_view
from engine.states import TERMINAL, State

TABS: dict[str, Callable[[RunFeed], None]] = {
    "Ranking": run_ranking.draw,
    "Training": run_training.draw,
    "Search": run_search.draw_search,
    "Architectures": run_architectures.draw,
    "Spec & environment": run_record.draw_spec,
    "Log": lambda feed: log_view(feed.digest.log, feed.run_id),
    "Files": run_record.draw_files,
}


def render() -> None:
    """Draw the page of the run that the address names."""
    run_id = st.query_params.get("run")
    if not run_id:
        links.heading("Experiment")
        empty("No experiment is chosen", "Open one from the list of experiments.")
        st.page_link(links.EXPERIMENTS, label="Experiments", icon=":material/list_alt:")
        return
    feed = client.feed(run_id)
    feed.refresh(at_once=True)
    name = client.spec(run_id).name
    st.set_page_config(page_title=f"{name} · NAS Workbench")
    every = _seconds(feed.state)
    st.fragment(shielded(_live), run_every=every, key="live")(feed, every)


def _seconds(state: State) -> float | None:
    """Return how often a run in this state is looked at; None: it does not change by itself."""
    if state in TERMINAL:
        return None
    return 1.0 if state in ("queued", "running") else 5.0


def _live(feed: RunFeed, every: float | None) -> None:
    feed.refresh()
    if _seconds(feed.state) != every:
        st.rerun()
    run_header.draw(feed)
    if run_architectures.ADDRESS in st.query_params:  # a link to one of them
        st.session_state.setdefault("tab", "Architectures")
    tabs = st.tabs(list(TABS), key="tab", on_change="rerun")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                draw(feed)


render()
