"""Where a run stands in the queue, and buttons that change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

from app import client
from app.guard import attempt
from app.rights import may_edit

if TYPE_CHECKING:
    from workers.client import Place, SystemStatus

_WAYS = (
    ("first", "vertical_align_top", "Start this one next"),
    ("up", "arrow_upward", "One place up"),
    ("down", "arrow_downward", "One place down"),
    ("last", "vertical_align_bottom", "Behind all others"),
)


def ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 4th, 11th."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def words(status: SystemStatus, run_id: str) -> str:
    """Say where a run stands; empty where it does not wait in the queue."""
    place = status.place(run_id)
    if place is None:
        return ""
    count = len(status.queue)
    if count == 1:
        return "The only one in the queue"
    return f"{ordinal(place)} of {count} in the queue"


def buttons(status: SystemStatus, run_id: str) -> None:
    """Draw the ways to move a run; nothing where there is nowhere to move it."""
    place, count = status.place(run_id), len(status.queue)
    if place is None or count < 2 or not may_edit():
        return
    with st.container(horizontal=True, gap=None, width="content", key=f"move-{run_id}"):
        for where, icon, hint in _WAYS:
            at_end = place == (1 if where in ("first", "up") else count)
            st.button(
                hint,
                key=f"{where}-{run_id}",
                icon=f":material/{icon}:",
                help=hint,
                type="tertiary",
                disabled=at_end,
                on_click=_move,
                args=(run_id, where),
            )


def _move(run_id: str, where: str) -> None:
    place = cast("Place", where)
    if attempt(lambda: client.client().prioritise(run_id, place), "Moved in the queue"):
        client.changed()
