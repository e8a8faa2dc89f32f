"""Time and memory of an experiment, measured when the viewer asks for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from app import client, estimates
from app.guard import attempt, shielded, tell
from app.rights import may_edit
from app.widgets import estimate_figures
from app.widgets.plain import plain
from app.widgets.task_box import task_boxes
from engine.spec.errors import StoreError
from engine.spec.experiment import ExperimentSpec

if TYPE_CHECKING:
    from workers.client import Measurement, SystemStatus

EVERY_SECONDS = 1.0
_SHOWN = "estimate-shown"
EXPLANATION = (
    "A worker does a few real steps of this experiment and extrapolates: 20 seconds or so. "
    "Nothing is kept of it but these figures."
)


def draw(spec: ExperimentSpec | None, jobs: int = 1) -> None:
    """Draw the box.

    Args:
        spec: the experiment; None while something is wrong with it.
        jobs: how many of it are to be queued.
    """
    with st.container(border=True, key="estimate-box"):
        st.markdown("**Time and memory**", help=EXPLANATION)
        if spec is None:
            st.caption("Can be measured once the problems are solved.")
            return
        _draw(spec, jobs)


def _draw(spec: ExperimentSpec, jobs: int) -> None:
    if _under_way(spec):
        return
    found = estimates.known(spec)
    if found is not None:
        st.session_state[_SHOWN] = found.key
        _figures(spec, jobs)
        _buttons(spec, "Measure again", quiet=True)
        return
    _before(jobs)
    _buttons(spec, "Measure time and memory")


def _figures(spec: ExperimentSpec, jobs: int) -> None:
    found = estimates.known(spec)
    assert found is not None, "the caller has looked"
    workers = len(client.status().workers)
    by = estimates.measured_by(spec)
    st.html(estimate_figures.figures(found, jobs, workers, by, time.time()))
    if short := estimate_figures.shortage(found):
        st.warning(short, icon=":material/memory_alt:")


def _before(jobs: int) -> None:
    """Show the figures of before the last change, marked as such."""
    found = estimates.by_key(st.session_state.get(_SHOWN, ""))
    if found is None:
        st.caption(EXPLANATION)
        return
    st.caption(
        ":orange[:material/history: Out of date:] these figures are from before your last "
        "changes, which alter time or memory."
    )
    workers = len(client.status().workers)
    st.html(
        '<div class="nw-stale">'
        + estimate_figures.figures(found, jobs, workers, "", time.time())
        + "</div>"
    )


# -- measuring ----------------------------------------------------------------------------------
def _buttons(spec: ExperimentSpec, label: str, quiet: bool = False) -> None:
    if not may_edit():
        st.caption("Measuring is switched off: this page only shows.")
        return
    status = client.status()
    here = not status.workers
    if here:
        st.caption("No worker is online, so that it is measured on this page's machine.")
    st.button(
        label,
        key="measure",
        icon=":material/speed:",
        type="tertiary" if quiet else "secondary",
        on_click=_measure_here if here else _measure,
        args=(spec,),
    )


def _measure(spec: ExperimentSpec) -> None:
    attempt(lambda: estimates.ask(spec), "A worker was asked to measure")


def _measure_here(spec: ExperimentSpec) -> None:
    attempt(lambda: estimates.measure_here(spec), "Measuring here")


def _under_way(spec: ExperimentSpec) -> bool:
    """Draw a measurement that is going on or has failed; False where there is none."""
    key = estimates.task_key(spec)
    task = client.tasks().get(key)
    if task is not None and task.state == "done":
        estimates.take_over(task)
    elif task is not None:
        task_boxes(key)
        return task.state == "running"
    try:
        measurement = estimates.progress(spec)
    except StoreError as error:
        tell(error)
        return False
    if measurement is None or measurement.state == "done":
        return False
    if measurement.state == "failed":
        st.error(plain(measurement.message), icon=":material/error:")
        return False
    st.fragment(shielded(_moving), run_every=EVERY_SECONDS, key="estimate-moving")(spec)
    return True


def _moving(spec: ExperimentSpec) -> None:
    measurement = estimates.progress(spec)
    if measurement is None or measurement.state not in ("waiting", "running"):
        st.rerun()
    assert measurement is not None, "rerun does not return"
    status = client.status()
    st.markdown(f":material/hourglass_top: {plain(_words(measurement, status))}")
    with st.container(horizontal=True):
        if measurement.state == "waiting" and not status.idle_worker:
            st.button(
                "Measure here",
                key="measure-here",
                icon=":material/computer:",
                on_click=_measure_here,
                args=(spec,),
                help="On the machine of this page, which may be faster or slower than a worker's",
            )
        st.button(
            "Cancel",
            key="measure-cancel",
            icon=":material/close:",
            type="tertiary",
            on_click=estimates.forget,
            args=(spec,),
        )


def _words(measurement: Measurement, status: SystemStatus) -> str:
    if measurement.state == "running":
        return f"{measurement.message or 'Measuring'} on {measurement.worker}"
    if not status.workers:
        return "Waiting for a worker: none is online"
    if status.idle_worker:
        return "A worker is about to begin"
    count = len(status.workers)
    busy = "the only one is" if count == 1 else f"all {count} are"
    return f"Waiting for a free worker: {busy} busy. It comes before all queued runs"
