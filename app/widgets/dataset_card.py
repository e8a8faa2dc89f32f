"""A data set at a glance."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import lab_datasets as lab
from app import links
from app.guard import attempt
from app.lab_datasets import Known
from app.rights import may_edit
from app.widgets import dataset_balance, dataset_facts, dataset_pictures
from app.widgets.dataset_use import use_button
from app.widgets.drawing import drawing
from app.widgets.facts import facts
from app.widgets.plain import plain
from engine.datasets.preview import Preview


def card(item: Known) -> None:
    """Draw the card."""
    with st.container(border=True, key=f"data-{item.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"#### {plain(item.title)}", width="stretch")
            if item.imported is not None:
                st.badge("Imported", icon=":material/folder:", color="gray")
            elif not item.present:
                st.badge("Not on this machine", icon=":material/cloud_off:", color="orange")
        st.html(f'<p class="nw-quiet nw-small nw-under">{escape(item.description)}</p>')
        if item.fault:
            st.error(item.fault, icon=":material/error:")
        elif not item.present:
            _fetch(item)
        elif item.preview is None:
            waiting(item)
        else:
            _shown(item, item.preview)


def _shown(item: Known, preview: Preview) -> None:
    st.image(montage(preview), width="stretch", alt=_alt(item))
    facts(dataset_facts.short(preview))
    said = dataset_balance.sentence(preview.counts.train)
    drawing(dataset_balance.bars(preview.counts.train, said))
    st.caption(f"{said}.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.page_link(
            links.DATASETS,
            label="Look closer",
            icon=":material/zoom_in:",
            query_params={"data": item.name},
        )
        use_button(item)


def montage(preview: Preview) -> bytes:
    """Return sample images as PNG, ordered by class."""
    return _montage(preview.name, preview.stamp, preview)


@st.cache_data(show_spinner=False, max_entries=64)
def _montage(name: str, stamp: str, _preview: Preview) -> bytes:
    found = lab.pictures(_preview)
    rows, columns = dataset_pictures.sampler(found.labels, len(_preview.classes))
    return dataset_pictures.montage(found.images[rows], columns)


def _alt(item: Known) -> str:
    return f"Images of {item.title}, ordered by class"


def waiting(item: Known) -> None:
    """Say that the pictures are being prepared, or why they could not be."""
    task = lab.want_preview(item.name)
    if task is not None and task.state in ("failed", "cancelled"):
        st.error(task.error or "The pictures were not prepared.", icon=":material/error:")
        if st.button("Try again", key=f"again-{item.name}", icon=":material/replay:"):
            lab.settle(lab.PREVIEW + item.name)
            st.rerun()
        return
    st.html(
        '<p class="nw-quiet">Looking through the pictures for the first time (some seconds)</p>'
    )


# -- those that have to be fetched ----------------------------------------------------------------
def _fetch(item: Known) -> None:
    if not may_edit():
        st.caption("Somebody with the right to edit can fetch it.")
        return
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Fetch it",
            key=f"fetch-{item.name}",
            icon=":material/download:",
            help="Downloads the official archive (about 170 MB) and checks it",
        ) and attempt(lambda: lab.start_fetch(item.name), "Fetching"):
            st.rerun()
        with st.popover("I have the archive", icon=":material/folder_open:"):
            path = st.text_input(
                "Official archive on the server",
                key=f"archive-{item.name}",
                placeholder="/data/cifar-10-binary.tar.gz",
            )
            st.caption("It is checked by its MD5 and copied to the lab's data.")
            if st.button("Take it over", key=f"take-{item.name}", disabled=not path):
                _take(item, path)


def _take(item: Known, path: str) -> None:
    arguments = ["data", "import", "official", path, "--json"]
    source = lab.Source(arguments, f"Taking over {item.title}")
    if attempt(lambda: lab.start_import(item.name, source), "Checking the archive"):
        st.rerun()
