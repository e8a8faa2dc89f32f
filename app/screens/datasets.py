"""Images to search on: what there is, what it looks like, and adding more. `?data=NAME` is one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import client, links
from app import lab_datasets as lab
from app.guard import shielded
from app.lab_datasets import Known
from app.rights import may_edit
from app.widgets import dataset_add, dataset_card, dataset_detail, dataset_outcome
from app.widgets.empty import empty

WAIT_SECONDS = 1.0


def render() -> None:
    """Draw all data sets, or the one that the address names."""
    name = st.query_params.get("data")
    if name:
        _one(name)
    else:
        _all()
    if any(task.state == "running" for task in client.tasks().all(lab.PREVIEW)):
        st.fragment(shielded(_wait), run_every=WAIT_SECONDS, key="previews")()


def _wait() -> None:
    """Draw the page anew as soon as one more preview is there."""
    tasks = client.tasks().all(lab.PREVIEW)
    for task in tasks:
        if task.state == "done":
            lab.settle(task.key)
            st.rerun()
    if all(task.state != "running" for task in tasks):
        st.rerun()


def _one(name: str) -> None:
    item = lab.find(name)
    if item is None or not item.present:
        links.heading("Datasets", (links.DATASETS, "All data sets", ":material/arrow_back:"))
        if item is None:
            empty("There is no such data set", "It may have been deleted, or be called otherwise.")
        else:
            dataset_card.card(item)
        return
    st.set_page_config(page_title=f"{item.title} · NAS Workbench")
    if item.preview is None:
        links.heading(item.title, (links.DATASETS, "All data sets", ":material/arrow_back:"))
        dataset_card.waiting(item)
        return
    dataset_detail.draw(item, item.preview)


def _all() -> None:
    links.heading("Datasets")
    found = lab.known()
    own = [item for item in found if item.imported is not None or item.fault]
    if may_edit():
        dataset_add.draw(expanded=False)
        dataset_outcome.draw()
    st.subheader("Your own", anchor=False)
    if own:
        _cards(own)
    else:
        empty(
            "No data set of your own yet",
            "Add pictures or arrays: they are checked file by file, and appear here with samples, "
            "classes and splits.",
        )
    st.subheader("Included", anchor=False)
    _cards([item for item in found if item not in own])


def _cards(items: Sequence[Known]) -> None:
    for first in range(0, len(items), 2):
        for column, item in zip(st.columns(2), items[first : first + 2], strict=False):
            with column:
                dataset_card.card(item)


render()
