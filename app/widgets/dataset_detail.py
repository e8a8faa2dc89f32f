"""The page of one data set."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app import lab_datasets as lab
from app import links
from app.guard import attempt
from app.lab_datasets import Known
from app.rights import may_edit
from app.widgets import chart, dataset_balance, dataset_facts, dataset_pictures, dataset_splits
from app.widgets.dataset_use import use_button
from app.widgets.empty import empty
from app.widgets.facts import facts
from app.widgets.palette import STATES
from app.widgets.plain import plain
from engine.datasets.preview import Preview

PAGE = 60
MOST_RUNS = 10
EVERY_CLASS = "Every class"


def draw(item: Known, preview: Preview) -> None:
    """Draw everything that is known of a data set."""
    with st.container(key="back"):
        st.page_link(links.DATASETS, label="Datasets", icon=":material/arrow_back:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(item.title), width="stretch", anchor=False)
        use_button(item)
        _delete(item)
    left, right = st.columns([1, 1.25], gap="large")
    with left:
        facts(dataset_facts.long(item, preview))
        _left_out(item)
        _runs(item)
    with right:
        _balance(preview)
    _samples(preview)
    dataset_splits.draw(item, preview)


def _balance(preview: Preview) -> None:
    counts = {"train": preview.counts.train}
    if preview.counts.test is not None:
        counts["test"] = preview.counts.test
    chart.show(
        dataset_balance.sentence(preview.counts.train),
        dataset_balance.figure(preview.name, preview.classes, counts),
        "data-balance",
        dataset_balance.columns(preview.classes, counts),
        "The images of each class as the data set brings them, before a run splits them.",
    )


# -- samples --------------------------------------------------------------------------------------
def _samples(preview: Preview) -> None:
    st.subheader("Samples", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        test = _part(preview)
        wanted = st.selectbox(
            "Class",
            [EVERY_CLASS, *preview.classes],
            key="data-class",
            width=260,
            bind="query-params",
        )
    found = lab.pictures(preview, test)
    rows = np.arange(len(found.labels))
    if wanted != EVERY_CLASS:
        rows = np.flatnonzero(found.labels == preview.classes.index(wanted))
    if not len(rows):
        empty("No picture of this class", "It is too rare to be among those kept for looking at.")
        return
    pages = -(-len(rows) // PAGE)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"data-page-{test}-{wanted}")
    shown = rows[(page - 1) * PAGE : page * PAGE]
    st.html(dataset_pictures.gallery(found.images[shown], found.labels[shown], preview.classes))
    counts = preview.counts.test if test else preview.counts.train
    if len(found.labels) < sum(counts or ()):
        st.caption(
            f"{len(found.labels):,} of {sum(counts or ()):,} images, drawn at random with the "
            "classes in proportion, are kept for looking at."
        )


def _part(preview: Preview) -> bool:
    if preview.counts.test is None:
        return False
    part = st.segmented_control(
        "Part", ["Training", "Test"], default="Training", required=True, key="data-part",
        bind="query-params",
    )  # fmt: skip
    return part == "Test"


# -- what hangs on it -----------------------------------------------------------------------------
def _left_out(item: Known) -> None:
    if item.imported is None or not item.imported.left_out.get("count"):
        return
    count = item.imported.left_out["count"]
    with st.expander(f"{count} file{'s' if count > 1 else ''} left out at the import"):
        problems(item.imported.left_out)


def problems(found: dict[str, object]) -> None:
    """List files that cannot be used, each with its reason, and how many more there are."""
    files = found.get("files")
    listed = files if isinstance(files, list) else []
    with st.container(height=260 if len(listed) > 6 else "content", border=False):
        for file in listed:
            st.markdown(f"`{_code(file['file'])}`: {plain(file['reason'])}")
    more = int(str(found.get("count", 0))) - len(listed)
    if more > 0:
        st.caption(f"And {more:,} more.")


def _code(text: str) -> str:
    return str(text).replace("`", "'").replace("\n", " ")


def _runs(item: Known) -> None:
    runs = lab.used_by(item)
    if not runs:
        return
    st.markdown(f"**Used by {len(runs)} experiment{'s' if len(runs) > 1 else ''}**")
    for run in runs[:MOST_RUNS]:
        links.run_link(
            run.run_id, f"{plain(run.name)}, seed {run.seed}",
            f":material/{STATES[run.state].icon}:",
        )  # fmt: skip


def _delete(item: Known) -> None:
    if item.imported is None or not may_edit():
        return
    with st.popover("Delete", icon=":material/delete:"):
        runs = len(lab.used_by(item))
        if runs:
            st.markdown(
                f"{runs} experiment{'s use' if runs > 1 else ' uses'} it. Their results stay; "
                "they could not be resumed or repeated any more."
            )
        st.markdown("The images are deleted for good.")
        if st.button(
            "Delete for good", key="delete-data", icon=":material/delete_forever:", type="primary"
        ) and attempt(lambda: lab.delete(item.name), f"{item.title} was deleted"):
            st.query_params.clear()
            st.rerun()
