"""What is going on, and where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import client, links
from app.digest import RunDigest
from app.guard import shielded
from app.ready import Offer, offers
from app.widgets.empty import empty
from app.widgets.ready_card import ready_card
from app.widgets.run_card import run_card, waiting
from app.widgets.run_table import matches, run_table
from app.widgets.status_strip import strip

if TYPE_CHECKING:
    from workers.client import RunSummary

RECENT = 12
CARDS = 8
STEPS = (
    ("Sample", "Random architectures are trained by themselves: the truth to compare with."),
    ("Train", "One super-net learns all of them at once; landmarks keep their known order."),
    ("Correlate", "After every few epochs: does the super-net rank as the truth does?"),
    ("Search", "Evolution and random search pick networks to take away as code."),
)


def render() -> None:
    """Draw the page."""
    links.heading("Overview", (links.NEW, "New experiment", ":material/add_circle:"))
    st.fragment(shielded(_live), run_every=2.0)()


def _live() -> None:
    runs = client.runs()
    st.html(strip(client.status(), runs))
    if not runs:
        _first_steps()
        return
    _running([run for run in runs if run.state == "running"])
    waiting([run for run in runs if run.state == "queued"][::-1])
    _recent(runs)
    with st.expander("Ready experiments and presets", icon=":material/rocket_launch:"):
        _cards(primary=False)


def _running(active: Sequence[RunSummary]) -> None:
    st.subheader("Running now", anchor=False)
    if not active:
        empty("Nothing is running", "Queue an experiment and it shows here while it trains.")
        return
    for first in range(0, min(len(active), CARDS), 2):
        columns = st.columns(min(len(active), 2))
        for column, run in zip(columns, active[first : first + 2], strict=False):
            with column:
                run_card(run, _digest(run), _names(run))
    if len(active) > CARDS:
        st.page_link(links.EXPERIMENTS, label=f"All {len(active)} running experiments")


def _digest(run: RunSummary) -> RunDigest:
    feed = client.feed(run.run_id)
    feed.refresh()
    return feed.digest


def _names(run: RunSummary) -> str:
    algorithm = client.title("algorithms", run.algorithm)
    space = client.title("spaces", run.space)
    return f"{algorithm} · {space} · {client.title('datasets', run.data)}"


def _recent(runs: Sequence[RunSummary]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Recent", anchor=False, width="stretch")
        words = st.text_input(
            "Search experiments",
            key="recent-search",
            type="search",
            live=True,
            width=260,
            placeholder="Name, algorithm, data, state, tag",
            label_visibility="collapsed",
        )
    found = [run for run in runs if matches(run, words or "")][:RECENT]
    if not found:
        empty("No experiment matches", "Try fewer or other words.")
        return
    run_table(found, "recent-runs")
    if len(runs) > RECENT:
        st.page_link(links.EXPERIMENTS, label=f"All {len(runs)} experiments")


# -- where to begin -------------------------------------------------------------------------------
def _first_steps() -> None:
    st.subheader("Start with a ready experiment", anchor=False)
    steps = "".join(f"<li><b>{name}</b>{text}</li>" for name, text in STEPS)
    st.html(f'<ol class="nw-steps">{steps}</ol>')
    _cards(primary=True)


def _cards(primary: bool) -> None:
    """Draw ready experiments and presets; `primary`: the first is the one to begin with."""
    ready, presets = offers()
    if not ready:
        empty("No ready experiment can be read", "Set up your own under New experiment.")
        st.page_link(links.NEW, label="New experiment", icon=":material/add_circle:")
    _row(ready, 2, primary)
    if presets:
        st.markdown("**The settings of published tables**")
        _row(presets, 3, False)


def _row(shown: Sequence[Offer], wide: int, primary: bool) -> None:
    for first in range(0, len(shown), wide):
        columns = st.columns(wide)
        for place, offer in enumerate(shown[first : first + wide], start=first):
            with columns[place - first]:
                ready_card(offer, primary and place == 0)


render()
