"""All experiments: search, filter, open, select, bring back what was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import client, links, selection
from app.guard import attempt, shielded
from app.rights import may_edit
from app.widgets import run_actions, run_filters
from app.widgets.empty import empty
from app.widgets.plain import plain
from app.widgets.run_table import choosing_table

if TYPE_CHECKING:
    from workers.client import RunSummary

PAGE = 1000  # the browser sorts what it is sent, so one page holds a whole lab where it can
SHOWN_DELETED = 100


def render() -> None:
    """Draw the page."""
    links.heading("Experiments", (links.NEW, "New experiment", ":material/add_circle:"))
    st.fragment(shielded(_list), run_every=3.0)()


def _undo() -> None:
    """Offer to bring back what was deleted a moment ago."""
    one = st.session_state.pop("deleted-run", None)
    if one is not None:
        st.session_state[run_actions.DELETED] = [one]
    gone: list[str] = st.session_state.get(run_actions.DELETED, [])
    if not gone or not may_edit():
        return
    what = f"`{gone[0]}`. Its folder is" if len(gone) == 1 else f"{len(gone)} runs. Folders are"
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"Deleted {what} kept.", width="stretch")
        if st.button("Undo", icon=":material/undo:"):
            _bring_all_back(gone)
            st.rerun()


def _bring_all_back(run_ids: Sequence[str]) -> None:
    outcome = selection.each(client.client().undelete, run_ids)
    client.changed()
    for sentence in outcome.refused:
        st.toast(sentence, icon=":material/error:", duration="long")
    still = {run.run_id for run in client.deleted_runs()}
    st.session_state[run_actions.DELETED] = [one for one in run_ids if one in still]


def _bring_back(run_id: str) -> None:
    if attempt(lambda: client.client().undelete(run_id), "Brought back"):
        client.changed()
        gone: list[str] = st.session_state.get(run_actions.DELETED, [])
        st.session_state[run_actions.DELETED] = [one for one in gone if one != run_id]


def _list() -> None:
    _undo()
    kept, deleted = client.runs(), client.deleted_runs()
    if not kept and not deleted:
        empty("No experiments yet", "Set one up, or run the ready one from the overview.")
        st.page_link(links.OVERVIEW, label="Overview", icon=":material/home:")
        return
    found = run_filters.draw(kept)
    if found:
        _table(_paged(found), f"{len(found)} of {len(kept)} experiments")
    elif kept:
        empty("No experiment matches", "Try fewer words, or take a filter away.")
    else:
        empty("No experiments", "All of them are deleted; they can be brought back below.")
    _deleted(deleted)


def _table(shown: Sequence[RunSummary], count: str) -> None:
    bar = st.container()  # above the table, but known only after it
    chosen = choosing_table(shown, "all-runs", st.session_state.get(run_actions.CHOSEN, []))
    st.session_state[run_actions.CHOSEN] = chosen
    with bar:
        run_actions.bar([run for run in shown if run.run_id in set(chosen)], count)


def _paged(runs: list[RunSummary]) -> list[RunSummary]:
    if len(runs) <= PAGE:
        return runs
    page = st.pagination(-(-len(runs) // PAGE), key="runs-page")
    return runs[(page - 1) * PAGE : page * PAGE]


def _deleted(runs: Sequence[RunSummary]) -> None:
    if not runs:
        return
    with st.expander(f"Deleted ({len(runs)})", icon=":material/delete:"):
        for run in runs[:SHOWN_DELETED]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{plain(run.name)} · `{run.run_id}`", width="stretch")
                if may_edit():
                    st.button(
                        "Bring back",
                        key=f"back-{run.run_id}",
                        type="tertiary",
                        icon=":material/undo:",
                        on_click=_bring_back,
                        args=(run.run_id,),
                    )


render()
