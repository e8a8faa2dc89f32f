"""All experiments: search, filter, open, bring back what was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import client, links
from app.guard import attempt, shielded
from app.widgets.empty import empty
from app.widgets.palette import STATES
from app.widgets.plain import plain
from app.widgets.run_table import matches, run_table

if TYPE_CHECKING:
    from workers.client import RunSummary

PAGE = 100


def render() -> None:
    """Draw the page."""
    links.heading("Experiments", (links.NEW, "New experiment", ":material/add_circle:"))
    _undo()
    st.fragment(shielded(_list), run_every=3.0)()


def _undo() -> None:
    """Offer to bring back the run that was deleted a moment ago."""
    run_id = st.session_state.get("deleted-run")
    if run_id is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"Deleted `{run_id}`. Its folder is kept.", width="stretch")
        if st.button("Undo", icon=":material/undo:"):
            _bring_back(run_id)
            st.rerun()


def _bring_back(run_id: str) -> None:
    if attempt(lambda: client.client().undelete(run_id), "Brought back"):
        client.changed()
        st.session_state.pop("deleted-run", None)


def _list() -> None:
    kept, deleted = client.runs(), client.deleted_runs()
    if not kept and not deleted:
        empty("No experiments yet", "Set one up, or run the ready one from the overview.")
        st.page_link(links.OVERVIEW, label="Overview", icon=":material/home:")
        return
    found = _filtered(kept)
    if found:
        shown = _paged(found)
        st.caption(f"{len(found)} of {len(kept)} experiments. Choose a cell to open its run.")
        run_table(shown, "all-runs")
    elif kept:
        empty("No experiment matches", "Try fewer words or another state.")
    else:
        empty("No experiments", "All of them are deleted; they can be brought back below.")
    _deleted(deleted)


def _filtered(runs: Sequence[RunSummary]) -> list[RunSummary]:
    with st.container(horizontal=True, vertical_alignment="top"):
        words = st.text_input(
            "Search",
            key="runs-search",
            type="search",
            live=True,
            width=280,
            placeholder="Name, algorithm, data, tag",
        )
        present = [state for state in STATES if any(run.state == state for run in runs)]
        states = st.pills(
            "State",
            present,
            selection_mode="multi",
            key="runs-states",
            format_func=lambda state: STATES[state].word,
        )
    return [
        run for run in runs if matches(run, words or "") and (not states or run.state in states)
    ]


def _paged(runs: list[RunSummary]) -> list[RunSummary]:
    if len(runs) <= PAGE:
        return runs
    page = st.pagination(-(-len(runs) // PAGE), key="runs-page")
    return runs[(page - 1) * PAGE : page * PAGE]


def _deleted(runs: Sequence[RunSummary]) -> None:
    if not runs:
        return
    with st.expander(f"Deleted ({len(runs)})", icon=":material/delete:"):
        for run in runs[:PAGE]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{plain(run.name)} · `{run.run_id}`", width="stretch")
                st.button(
                    "Bring back",
                    key=f"back-{run.run_id}",
                    type="tertiary",
                    icon=":material/undo:",
                    on_click=_bring_back,
                    args=(run.run_id,),
                )


render()
