"""What runs where: store, workers, queue, and what went wrong."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app import client
from app.guard import attempt, shielded
from app.links import heading, run_link
from app.widgets import numbers
from app.widgets.empty import empty
from app.widgets.facts import facts
from app.widgets.plain import plain
from app.widgets.status_strip import strip

if TYPE_CHECKING:
    from workers.client import RunSummary, SystemStatus

PACKAGES = ("streamlit", "plotly", "redis", "rq", "pydantic", "numpy", "torch")


def render() -> None:
    """Draw the page."""
    heading("System")
    st.fragment(shielded(_live), run_every=2.0)()
    st.subheader("Versions", anchor=False)
    facts({"Python": platform.python_version(), **{name: _version(name) for name in PACKAGES}})


def _live() -> None:
    runs = client.runs()
    status = client.status()
    st.html(strip(status, runs))
    if not status.store_ok:
        st.warning(
            f"{status.message} Runs and their folders are safe; this page goes on trying.",
            icon=":material/cloud_off:",
        )
    names = {run.run_id: run.name for run in runs}
    st.subheader("Workers", anchor=False)
    _workers(status, names)
    st.subheader("Queue", anchor=False)
    _queue([run for run in runs if run.state == "queued"])
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
    now = time.time()
    rows = [
        {
            "Worker": worker.name,
            "Device": worker.device,
            "State": worker.state,
            "Experiment": names.get(worker.run_id or "", worker.run_id or numbers.NONE),
            "Last sign of life": numbers.ago(worker.last_heartbeat, now),
        }
        for worker in status.workers
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="workers")


def _queue(waiting: Sequence[RunSummary]) -> None:
    if not waiting:
        empty("The queue is empty", "A queued run waits here until a worker is free.")
        return
    for run in reversed(waiting):
        with st.container(horizontal=True, vertical_alignment="center"):
            run_link(run.run_id, f"{plain(run.name)}, seed {run.seed}", ":material/schedule:")
            st.caption(f"queued {numbers.ago(run.changed, time.time())}")


def _failures(failed: Sequence[RunSummary]) -> None:
    if not failed:
        empty("Nothing has failed", "A failed run stands here with its reason and a retry.")
        return
    for run in failed[:50]:
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
                    help="Goes on from the last checkpoint",
                )
            st.markdown(plain(run.message or "The worker of this run vanished."))


def _retry(run_id: str) -> None:
    if attempt(lambda: client.client().resume(run_id), "Queued to go on"):
        client.changed()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return numbers.NONE


render()
