"""A background task as the viewer sees it: bar and words, cancel, and how it ended."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import client
from app.background import Task
from app.widgets import numbers, progress
from app.widgets.plain import plain

EVERY_SECONDS = 1.0


def task_boxes(prefix: str) -> None:
    """Draw all tasks whose keys begin so; where one runs the box moves, and reruns the page at
    its end, so that the page shows what it made."""
    tasks = client.tasks().all(prefix)
    if any(task.state == "running" for task in tasks):
        st.fragment(_moving, run_every=EVERY_SECONDS, key=f"tasks-{prefix}")(prefix)
        return
    for task in tasks:
        _ended(task)


def _moving(prefix: str) -> None:
    tasks = client.tasks().all(prefix)
    for task in tasks:
        if task.state == "running":
            _running(task)
        else:
            _ended(task)
    if all(task.state != "running" for task in tasks):
        st.rerun()


def _running(task: Task) -> None:
    with st.container(border=True, key=f"task-{task.key}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(task.title)}**", width="stretch")
            if st.button("Cancel", key=f"cancel-{task.key}", icon=":material/close:"):
                client.tasks().cancel(task.key)
        said = escape(task.words)
        if task.total:
            said += f", {numbers.share(task.share or 0.0)}"
        st.html(
            progress.bar(task.share or 0.0, task.title)
            + f'<div class="nw-quiet nw-small">{said}</div>'
        )


def _ended(task: Task) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"task-{task.key}"):
        if task.state == "failed":
            st.error(f"{plain(task.title)}: {plain(task.error)}", icon=":material/error:")
        elif task.state == "cancelled":
            st.info(f"{plain(task.title)} was cancelled.")
        else:
            st.success(f"{plain(task.title)}: done.", icon=":material/check_circle:")
        if st.button("Dismiss", key=f"forget-{task.key}", type="tertiary"):
            client.tasks().forget(task.key)
            st.rerun()
