"""What all runs have found: filter, compare two, take away. All of its state is in the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import found as found_architectures
from app import links
from app.found import Found
from app.guard import shielded
from app.widgets import found_filter, found_pair, found_scatter, found_table, found_take
from app.widgets.empty import empty


def render() -> None:
    """Draw the page."""
    links.heading("Architectures")
    with st.spinner("Reading what the runs have found", show_time=False):
        everything = found_architectures.everything()
    if not everything:
        empty(
            "No architecture has been found yet",
            "When a run finishes, the best architectures of its search are listed here, those of "
            "all runs together: to filter, to compare and to take away.",
        )
        st.page_link(links.NEW, label="New experiment", icon=":material/add_circle:")
        return
    shielded(_found)(everything)


def _found(everything: Sequence[Found]) -> None:
    wanted = found_filter.draw(everything)
    found = [one for one in everything if wanted.keeps(one)]
    if not found:
        empty(
            "No architecture matches",
            f"There are {len(everything):,}. Try fewer words, or wider ranges.",
        )
        return
    picked = found_table.chosen(found)
    clicked = found_scatter.draw(found, wanted.value, picked)
    if clicked is not None and clicked not in picked:
        found_table.choose(found, [*picked, clicked])
        st.rerun()
    found_table.remember(picked)
    by_key = {one.key: one for one in found}
    chosen = [by_key[key] for key in picked]
    together = found_architectures.equal_networks(everything)
    with st.container(horizontal=True, vertical_alignment="center", key="found-head"):
        st.caption(_count(found, everything, chosen), width="stretch")
        found_take.draw(found, chosen)
    found_table.draw(found, together, picked)
    if len(chosen) == 1:
        found_pair.single(chosen[0], together)
    elif chosen:
        found_pair.pair(chosen[-2], chosen[-1], together)


def _count(found: Sequence[Found], everything: Sequence[Found], chosen: Sequence[Found]) -> str:
    networks = len({one.network for one in found})
    told = f"{len(found):,} of {len(everything):,} architectures, {networks:,} different networks."
    if not chosen:
        return f"{told} Select two rows to see them side by side."
    more = " The two selected last are drawn below." if len(chosen) > 2 else ""
    return f"{told} {len(chosen):,} selected.{more}"


render()
