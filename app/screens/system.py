"""What runs where: workers, queue, what went wrong, store, kernels, and the machine's health."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import client, health
from app.guard import attempt, shielded
from app.links import heading, run_link
from app.rights import may_edit
from app.widgets import numbers, progress, queue_place, system_checks, system_store, system_workers
from app.widgets.empty import empty
from app.widgets.facts import facts
from app.widgets.plain import plain
from app.widgets.status_strip import strip

if TYPE_CHECKING:
    from workers.client import RunSummary, SystemStatus

MOST_FAILURES = 50


def render() -> None:
    """Draw the page."""
    heading("System")
    if not may_edit():
        st.info("This page only shows; nothing can be changed here.", icon=":material/lock:")
    st.fragment(shielded(_live), run_every=2.0, key="system-live")()
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Kernels", anchor=False)
        shielded(system_checks.kernels)()
    with right:
        st.subheader("Versions", anchor=False)
        facts(health.versions())
    st.subheader("Doctor", anchor=False)
    shielded(system_checks.doctor)()


def _live() -> None:
    runs, status = client.runs(), client.status()
    st.html(strip(status, runs))
    if not status.store_ok:
        st.warning(
            f"{status.message} Runs and their folders are safe; this page goes on trying.",
            icon=":material/cloud_off:",
        )
    st.subheader("Workers", anchor=False)
    _workers(status, {run.run_id: run.name for run in runs})
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Queue", anchor=False)
        _queue(status, {run.run_id: run for run in runs if run.state == "queued"})
    with right:
        st.subheader("Store and disk", anchor=False)
        _store(status)
    st.subheader("Failures", anchor=False)
    _failures([run for run in runs if run.state in ("failed", "interrupted")])


def _workers(status: SystemStatus, names: dict[str, str]) -> None:
    if not status.workers:
        empty(
            "No worker is online",
            "Start one with `python -m workers.worker`, or everything with `make run`. Queued "
            "runs wait until then.",
        )
        return
    st.html(system_workers.cards(status.workers, names, time.time()))


# -- queue --------------------------------------------------------------------------------------
def _queue(status: SystemStatus, queued: dict[str, RunSummary]) -> None:
    if not queued:
        empty("The queue is empty", "A queued run waits here until a worker is free.")
        return
    ordered = [queued[run_id] for run_id in status.queue if run_id in queued]
    on_its_way = [run for run_id, run in queued.items() if run_id not in status.queue]
    for run in ordered:
        _waiting(status, run, f"{status.place(run.run_id)}.")
    for run in on_its_way:
        _waiting(status, run, "")


def _waiting(status: SystemStatus, run: RunSummary, place: str) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"waiting-{run.run_id}"
    ):
        label = f"{place} {plain(run.name)}, seed {run.seed}".strip()
        run_link(run.run_id, label, None if place else ":material/schedule:")
        st.caption(f"queued {numbers.ago(run.changed, time.time())}", width="stretch")
        queue_place.buttons(status, run.run_id)


# -- store --------------------------------------------------------------------------------------
def _store(status: SystemStatus) -> None:
    used, said, little = system_store.disk(status)
    if status.store_ok:
        found = health.store()
        facts(system_store.rows(found))
        for sentence in system_store.warnings(found):
            st.warning(sentence, icon=":material/database:")
    else:
        empty("The store does not answer", "What it says of itself stands here when it is back.")
    st.html(
        progress.bar(used, "Used share of the disk")
        + f'<div class="nw-quiet nw-small">Disk of the runs: {said}</div>'
    )
    if little:
        st.warning(
            "Little disk space is left. A run that cannot write its checkpoint fails; delete old "
            "runs, or move NASW_RUNS to a larger disk.",
            icon=":material/hard_drive:",
        )


# -- failures -----------------------------------------------------------------------------------
def _failures(failed: Sequence[RunSummary]) -> None:
    if not failed:
        empty("Nothing has failed", "A failed run stands here with its reason and a retry.")
        return
    for run in failed[:MOST_FAILURES]:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                run_link(run.run_id, f"{plain(run.name)}, seed {run.seed}", ":material/error:")
                st.caption(numbers.ago(run.changed, time.time()), width="stretch")
                st.button(
                    "Retry",
                    icon=":material/replay:",
                    key=f"retry-{run.run_id}",
                    on_click=_retry,
                    args=(run.run_id,),
                    disabled=not may_edit(),
                    help="Goes on from the last checkpoint",
                )
            st.markdown(plain(run.message or "The worker of this run vanished."))
    if len(failed) > MOST_FAILURES:
        st.caption(f"{len(failed) - MOST_FAILURES} older ones stand under Experiments.")


def _retry(run_id: str) -> None:
    if attempt(lambda: client.client().resume(run_id), "Queued to go on"):
        client.changed()


render()
