"""An uploaded sweep: how many jobs it is, which ones, and one button to queue them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import client
from app.guard import attempt
from app.rights import may_edit
from app.widgets.plain import plain
from app.widgets.queue_box import to_batch
from engine.batch import read_batch

_TAKEN = "sweep-taken"
SHOWN = 50


@dataclass(frozen=True)
class _Taken:
    """A sweep without faults, waiting to be queued."""

    file: str
    value: dict[str, Any]
    labels: list[str]


def take(file: str, value: dict[str, Any]) -> None:
    """Keep the sweep of an uploaded file until it is queued or put away.

    Raises:
        SpecError: the first fault of the sweep or of one of its jobs; nothing was kept.
    """
    labels = [job.label for job in read_batch(value).require()]
    st.session_state[_TAKEN] = _Taken(file, value, labels)


def draw() -> None:
    """Draw the box while there is a sweep; the form below has nothing to do with it."""
    taken: _Taken | None = st.session_state.get(_TAKEN)
    if taken is None:
        return
    what = "1 job" if len(taken.labels) == 1 else f"{len(taken.labels)} jobs"
    with st.container(border=True, key="sweep"):
        st.markdown(f"**{plain(taken.file)} is a sweep of {what}**")
        lines = [f"{number}. {plain(label)}" for number, label in enumerate(taken.labels, 1)]
        rest = len(lines) - SHOWN
        with st.expander("What varies"):
            st.markdown("\n".join(lines[:SHOWN]))
            if rest > 0:
                st.caption(f"and {rest} more")
        with st.container(horizontal=True):
            if not may_edit():
                st.caption("You may look, but not queue.")
            elif st.button(
                f"Queue {what}", type="primary", icon=":material/play_arrow:", key="queue-sweep"
            ):
                _queue(taken)
            if st.button("Put it away", icon=":material/close:", key="drop-sweep"):
                del st.session_state[_TAKEN]
                st.rerun()


def _queue(taken: _Taken) -> None:
    if attempt(lambda: client.client().submit_sweep(taken.value), "Queued"):
        client.changed()
        del st.session_state[_TAKEN]
        to_batch(str(taken.value.get("name", "")))
