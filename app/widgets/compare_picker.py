"""Which runs are compared: whole settings with all their seeds, or single runs.

The address is the truth: `?runs=id,id` makes the page shareable. The two fields only show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.comparing import MOST_RUNS, Setting
from app.widgets.palette import STATES

if TYPE_CHECKING:
    from workers.client import RunSummary

SETTINGS, RUNS = "pick-settings", "pick-runs"


def chosen_runs() -> list[str]:
    """Return the runs that the address names, each once, in its order."""
    named = st.query_params.get("runs", "")
    return list(dict.fromkeys(part for part in named.split(",") if part))[:MOST_RUNS]


def choose(run_ids: Sequence[str]) -> None:
    """Put runs into the address."""
    if run_ids:
        st.query_params["runs"] = ",".join(run_ids)
    else:
        st.query_params.pop("runs", None)


def draw(settings: Sequence[Setting], runs: Sequence[RunSummary]) -> None:
    """Draw the two fields.

    Args:
        settings: of all runs there are.
        runs: all runs there are.
    """
    by_id = {run.run_id: run for run in runs}
    members = {setting.name: setting.runs for setting in settings}
    chosen = chosen_runs()
    whole = [name for name, ids in members.items() if set(ids) <= set(chosen)]
    covered = {run_id for name in whole for run_id in members[name]}
    st.session_state[SETTINGS] = whole
    st.session_state[RUNS] = [one for one in chosen if one in by_id and one not in covered]
    left, right = st.columns(2, gap="medium")
    left.multiselect(
        "Settings, with all their seeds",
        list(members),
        key=SETTINGS,
        format_func=lambda name: _setting(name, [by_id[one] for one in members[name]]),
        placeholder="Search by algorithm, add-on, space, data",
        on_change=_changed,
        args=(members,),
        select_all=False,
        wrap=True,
    )
    right.multiselect(
        "Single runs",
        list(by_id),
        key=RUNS,
        format_func=lambda run_id: _run(by_id[run_id]),
        placeholder="Search by name, seed, state",
        on_change=_changed,
        args=(members,),
        select_all=False,
        wrap=True,
    )


def _changed(members: dict[str, tuple[str, ...]]) -> None:
    """Write what the two fields say into the address; what was there keeps its place."""
    now = [one for name in st.session_state[SETTINGS] for one in members[name]]
    now += [one for one in st.session_state[RUNS] if one not in now]
    before = [one for one in chosen_runs() if one in now]
    wanted = before + [one for one in now if one not in before]
    if len(wanted) > MOST_RUNS:
        st.toast(
            f"At most {MOST_RUNS} runs are compared at once; these would be {len(wanted)}.",
            icon=":material/error:",
            duration="long",
        )
        return
    choose(wanted)


def _setting(name: str, runs: Sequence[RunSummary]) -> str:
    done = sum(run.state == "finished" for run in runs)
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    return f"{name} — {count}, {done} finished"


def _run(run: RunSummary) -> str:
    return f"{run.name} · {run.algorithm} · seed {run.seed} · {STATES[run.state].word.lower()}"
