"""How imports ended: what was found, to keep or throw away, or what is wrong with which file."""

from __future__ import annotations

import streamlit as st

from app import client
from app import lab_datasets as lab
from app.background import Task
from app.guard import attempt
from app.widgets.dataset_card import montage
from app.widgets.dataset_detail import problems
from app.widgets.plain import plain
from app.widgets.task_box import task_boxes


def draw() -> None:
    """Draw imports and fetches that run, or else how they ended."""
    for prefix in (lab.IMPORT, lab.FETCH):
        tasks = client.tasks().all(prefix)
        if any(task.state == "running" for task in tasks) or prefix == lab.FETCH:
            task_boxes(prefix)
            continue
        for task in tasks:
            with st.container(border=True, key=f"ended-{task.key}"):
                _ended(task)


def _ended(task: Task) -> None:
    if task.state == "done":
        _done(task)
    elif task.state == "cancelled":
        st.info(f"{plain(task.title)} was cancelled; nothing was kept.")
        _dismiss(task)
    else:
        _failed(task)


def _done(task: Task) -> None:
    item = lab.find(str(task.output.get("name", "")))
    if item is None:  # deleted in the meantime
        lab.settle(task.key)
        return
    left_out = task.output.get("left_out") or {}
    said = "" if not left_out.get("count") else f" {left_out['count']} files were left out:"
    st.success(f"{plain(item.title)} is ready.{said}", icon=":material/check_circle:")
    if said:
        problems(left_out)
    if item.preview is not None:
        st.image(montage(item.preview), width=640, alt=f"Images of {item.title}")
    with st.container(horizontal=True, gap="small"):
        if st.button("Keep it", key=f"keep-{task.key}", icon=":material/check:", type="primary"):
            lab.settle(task.key)
            st.rerun()
        if (
            item.imported is not None
            and st.button("Throw it away", key=f"drop-{task.key}", icon=":material/delete:")
            and attempt(lambda: lab.delete(item.name), "Thrown away")
        ):
            lab.settle(task.key)
            st.rerun()


def _failed(task: Task) -> None:
    found = task.output.get("problems")
    if not isinstance(found, dict):
        st.error(f"{plain(task.title)}: {plain(task.error.removeprefix('error: '))}")
        _dismiss(task)
        return
    count = found.get("count", 0)
    st.error(
        f"{plain(task.title)}: {count} file{'s' if count != 1 else ''} cannot be used; nothing "
        "was imported.",
        icon=":material/error:",
    )
    problems(found)
    with st.container(horizontal=True, gap="small"):
        if (
            lab.can_repeat(task.key)
            and st.button(
                "Import without them", key=f"without-{task.key}", icon=":material/filter_alt:"
            )
            and attempt(lambda: lab.import_without(task.key), "Importing the others")
        ):
            st.rerun()
        _dismiss(task)


def _dismiss(task: Task) -> None:
    if st.button("Dismiss", key=f"dismiss-{task.key}", type="tertiary"):
        lab.settle(task.key)
        st.rerun()
