"""What would be queued: how many jobs, which ones, what keeps them, and the button."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from app import client, links
from app.guard import attempt
from app.jobs import Draft
from app.rights import may_edit
from app.widgets.plain import plain
from engine.spec.errors import SpecError
from engine.spec.sweep import short_names

# From here on a slip of the pen costs hours: ask once.
ASKED_FROM = 21
NAMED = 12
_ASKED = "queue-asked"


def draw(draft: Draft) -> None:
    """Draw the box."""
    with st.container(border=True, key="queue-box"):
        if may_edit():
            _button(draft)
        else:
            st.info("You may look at everything here, but not queue. Take the YAML with you.")
        if draft.faults:
            _problems(draft.faults)
        elif may_edit():
            st.caption("No problems found. Jobs start as soon as a worker is free.")
        if draft.jobs or (len(draft.seeds) > 1 and not draft.axes):
            _jobs(draft)


def jobs(count: int) -> str:
    """Write a number of jobs."""
    return "1 job" if count == 1 else f"{count:,} jobs"


def multiplied(draft: Draft) -> str:
    """Say how seeds and swept values make the number of jobs."""
    names = short_names(list(draft.axes))
    parts = [f"{len(values)} × {names[path]}" for path, values in draft.axes.items()]
    seeds = len(draft.seeds)
    if seeds > 1 or not parts:
        parts.append("1 seed" if seeds == 1 else f"{seeds} seeds")
    return f"{' · '.join(parts)} = {jobs(draft.count)}"


def _button(draft: Draft) -> None:
    mark, wrong = hash(json.dumps(draft.mapping, default=str)), bool(draft.faults)
    what = jobs(draft.count)
    label = f"Queue {what}" if draft.axes or draft.count == 1 else f"Queue {what}, one a seed"
    if wrong:
        label = f"{len(draft.faults)} to correct before queueing"
    asking = st.session_state.get(_ASKED) == mark and not wrong
    if asking:
        st.warning(f"This queues {what} at once: {plain(multiplied(draft))}.")
    with st.container(horizontal=True, key="queue-bar"):
        if st.button(
            f"Yes, queue {what}" if asking else label,
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=wrong,
            key="queue",
        ):
            if draft.count >= ASKED_FROM and not asking:
                st.session_state[_ASKED] = mark
                st.rerun()
            _submit(draft)
        if asking and st.button("Not yet", key="queue-not"):
            st.session_state.pop(_ASKED)
            st.rerun()


def _problems(faults: list[SpecError]) -> None:
    words = "one field" if len(faults) == 1 else f"{len(faults)} fields"
    lines = [f"- `{fault.field or 'file'}`: {fault.problem}" for fault in faults[:NAMED]]
    if len(faults) > NAMED:
        lines.append(f"- and {len(faults) - NAMED} more")
    text = "\n".join(lines)
    st.error(f"Correct {words} before queueing:\n{text}", icon=":material/edit:")


def _jobs(draft: Draft) -> None:
    refused = sum(bool(job.problem) for job in draft.jobs)
    said = f" · {refused} refused" if refused else ""
    with st.expander(
        f"{multiplied(draft)}{said}", expanded=bool(refused), icon=":material/table_rows:"
    ):
        st.dataframe(
            table(draft),
            hide_index=True,
            height=min(38 + 35 * max(draft.count, 1), 320),
            alt="Every job that would be queued, with what tells it from the others",
            key="jobs-table",
        )


def table(draft: Draft) -> pd.DataFrame:
    """Return every job with what varies, and why it cannot run where that is so."""
    if not draft.axes:
        rows = [{"Job": number, "seed": str(s)} for number, s in enumerate(draft.seeds, 1)]
        return pd.DataFrame(rows)
    refused = any(job.problem for job in draft.jobs)
    return pd.DataFrame(
        [
            {"Job": number} | ({"Refused because": job.problem} if refused else {}) | job.values
            for number, job in enumerate(draft.jobs, 1)
        ]
    )


def _submit(draft: Draft) -> None:
    queued: list[str] = []

    def send() -> None:
        door = client.client()
        if draft.axes:
            queued.extend(door.submit_sweep(draft.mapping))
        else:
            spec = draft.spec
            assert spec is not None, "the button is off while something is wrong"
            queued.extend(door.submit(spec, draft.seeds))

    if attempt(send, f"Queued {jobs(draft.count)}"):
        client.changed()
        st.session_state.pop(_ASKED, None)
        if len(queued) == 1:
            links.go_to_run(queued[0])
        to_batch(str(draft.value["name"]))


def to_batch(name: str) -> None:
    """Open the list of experiments, showing those of a name."""
    st.switch_page(links.EXPERIMENTS, query_params={"search": name})
