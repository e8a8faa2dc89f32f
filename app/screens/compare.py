"""Runs and groups of runs side by side: `?runs=<id>,<id>` in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import client, comparing, links
from app.guard import shielded
from app.widgets import compare_picker, compare_view
from app.widgets.empty import empty
from engine.spec.errors import WorkbenchError
from engine.states import TERMINAL, State

if TYPE_CHECKING:
    from app.feed import RunFeed
    from workers.client import RunSummary


def render() -> None:
    """Draw the page."""
    links.heading("Compare", (links.EXPERIMENTS, "Experiments", ":material/list_alt:"))
    runs, chosen = client.runs(), compare_picker.chosen_runs()
    if not chosen and not any(run.state == "finished" for run in runs):
        _nothing_finished(bool(runs))
        if not runs:
            return
    _picker(runs)
    if chosen:
        with st.spinner(f"Reading the records of {len(chosen)} runs"):
            states = {one: feed.state for one, feed in _feeds(chosen)[0].items()}
        every = _seconds(list(states.values()))
        st.fragment(shielded(_live), run_every=every, key="live")(chosen, every)
    elif any(run.state == "finished" for run in runs):
        _suggest(runs)


def _nothing_finished(some: bool) -> None:
    if some:
        empty(
            "No experiment is finished yet",
            "Tables and box plots need finished runs. Curves of running ones can be compared "
            "already: choose them below.",
        )
    else:
        empty(
            "Nothing to compare yet",
            "Queue an experiment with several seeds, and a second one with another algorithm, "
            "add-on or setting. Here they stand side by side, with means, deviations and tests.",
        )
    st.page_link(links.NEW, label="New experiment", icon=":material/add_circle:")


def _picker(runs: Sequence[RunSummary]) -> None:
    good, _ = comparing.readable([run.run_id for run in runs])
    known = set(good)
    compare_picker.draw(
        comparing.settings(tuple(good)), [run for run in runs if run.run_id in known]
    )


def _suggest(runs: Sequence[RunSummary]) -> None:
    done = [run.run_id for run in runs if run.state == "finished"][: comparing.MOST_RUNS]
    empty(
        "Choose what to compare",
        "A setting stands for all its seeds: one line with a band, one row of the table. The "
        "address of this page keeps the choice, so a link shows others the same.",
    )
    label = f"Compare the {len(done)} newest finished runs" if len(done) > 1 else "Look at the run"
    st.button(
        label,
        key="compare-all",
        icon=":material/compare_arrows:",
        on_click=compare_picker.choose,
        args=(done,),
    )


# -- the chosen runs ----------------------------------------------------------------------------
def _feeds(chosen: Sequence[str]) -> tuple[dict[str, RunFeed], dict[str, str]]:
    """Return up-to-date readers of the chosen runs, and why some cannot be read."""
    good, bad = comparing.readable(chosen)
    feeds = {}
    for run_id in good:
        feed = client.feed(run_id)
        try:
            feed.refresh()
        except WorkbenchError as error:
            bad[run_id] = str(error)
        else:
            feeds[run_id] = feed
    return feeds, bad


def _seconds(states: Sequence[State]) -> float | None:
    """Return how often runs in these states are looked at; None: nothing changes by itself."""
    moving = [state for state in states if state not in TERMINAL]
    if not moving:
        return None
    return 2.0 if "running" in moving or "queued" in moving else 5.0


def _live(chosen: Sequence[str], every: float | None) -> None:
    feeds, bad = _feeds(chosen)
    if _seconds([feed.state for feed in feeds.values()]) != every:
        st.rerun()
    compare_view.draw(feeds, bad)


render()
