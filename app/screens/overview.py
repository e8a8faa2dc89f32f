"""What is going on, and where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from app import client, drafts, links
from app.client import Example
from app.digest import RunDigest
from app.guard import attempt, shielded
from app.widgets.empty import empty
from app.widgets.run_card import run_card
from app.widgets.run_table import matches, run_table
from app.widgets.status_strip import strip

if TYPE_CHECKING:
    from workers.client import RunSummary

RECENT = 12
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
    active = [run for run in runs if run.state in ("running", "queued")]
    _running(sorted(active, key=lambda run: run.state != "running"))
    _recent(runs)


def _running(active: Sequence[RunSummary]) -> None:
    st.subheader("Running now", anchor=False)
    if not active:
        empty("Nothing is running", "Queue an experiment and it shows here while it trains.")
        return
    wide = min(len(active), 2)
    for first in range(0, len(active), wide):
        columns = st.columns(wide)
        for column, run in zip(columns, active[first : first + 2], strict=False):
            with column:
                run_card(run, _digest(run), _names(run))


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


# -- nothing run yet ----------------------------------------------------------------------------
def _first_steps() -> None:
    ready = [example for example in client.examples() if example.spec is not None]
    st.subheader("Start with a ready experiment", anchor=False)
    if not ready:
        empty("Nothing has been run yet", "Set up your first search under New experiment.")
        st.page_link(links.NEW, label="New experiment", icon=":material/add_circle:")
    for position, example in enumerate(ready):
        _example(example, first=position == 0)


def _example(example: Example, first: bool) -> None:
    spec = example.spec
    assert spec is not None, "the caller leaves out files with problems"
    with st.container(border=True):
        st.markdown(f"#### {spec.name}")
        st.html(f'<p class="nw-quiet" style="margin:0;max-width:60rem">{escape(spec.notes)}</p>')
        if first:
            steps = "".join(f"<li><b>{name}</b>{text}</li>" for name, text in STEPS)
            st.html(f'<ol class="nw-steps">{steps}</ol>')
        with st.container(horizontal=True):
            if st.button(
                "Run it now",
                key=f"run-{example.file}",
                icon=":material/play_arrow:",
                type="primary" if first else "secondary",
            ):
                _run(example)
            if st.button(
                "Look at its settings", key=f"open-{example.file}", icon=":material/tune:"
            ):
                drafts.start_from(spec)
                st.switch_page(links.NEW)


def _run(example: Example) -> None:
    spec, queued = example.spec, list[str]()
    assert spec is not None, "only usable examples have a button"
    if attempt(lambda: queued.extend(client.client().submit(spec, [spec.seed])), "Queued"):
        client.changed()
        links.go_to_run(queued[0])


render()
