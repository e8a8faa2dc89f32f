"""How long a ready experiment takes on this machine: from its own runs, or measured on demand."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import client, rights
from app.background import Task
from app.guard import attempt
from app.ready import Offer, Took, took
from app.widgets import numbers, progress
from app.widgets.plain import plain
from engine.measured import Estimate
from engine.spec.errors import WorkbenchError

PREFIX = "measure:"


def draw(offer: Offer) -> None:
    """Say how long it takes and where that is known from, or offer to measure it."""
    known = took(offer.spec)
    task = client.tasks().get(f"{PREFIX}{offer.key}")
    if known is not None:
        _said(took_words(known))
    elif task is None or task.state == "cancelled":
        _offered(offer, "Not timed on this machine yet")
    elif task.state == "running":
        _running(task)
    elif task.state == "failed":
        _offered(offer, f"It could not be measured: {task.error}")
    else:
        try:
            _said(estimate_words(Estimate.from_json(task.output)))
        except WorkbenchError as error:
            _offered(offer, str(error))


def took_words(known: Took) -> str:
    """Say how long finished runs took; the results bank makes later ones faster."""
    least, most = numbers.duration(known.seconds[0]), numbers.duration(known.seconds[-1])
    where = f" on {', '.join(known.devices)}" if any(known.devices) else ""
    if len(known.seconds) == 1:
        return f"Took {most} here{where}"
    way = most if least == most else f"{least} to {most}"
    return f"Took {way} here{where}, in {len(known.seconds)} runs"


def estimate_words(found: Estimate) -> str:
    """Say what a few real steps told."""
    told = (
        f"About {numbers.duration(found.seconds())} on this machine, {found.device}, give or "
        f"take {numbers.share(found.spread)}: measured with a few real steps"
    )
    if not found.fits:
        need, free = numbers.size(found.memory_bytes), numbers.size(found.free_bytes)
        return f"{told}. It needs {need} of memory, {free} are free"
    return told


def _said(words: str) -> None:
    st.markdown(f":material/schedule: {plain(words)}")


def _offered(offer: Offer, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/schedule: {plain(words)}", width="content")
        if not offer.missing and rights.may_edit():
            asked = st.button(
                "Measure",
                key=f"measure-{offer.key}",
                type="tertiary",
                icon=":material/timer:",
                help="Do a few real steps of each kind of work now, for about 15 seconds",
            )
            if asked and attempt(lambda: _measure(offer), "Measuring"):
                st.rerun()


def _measure(offer: Offer) -> None:
    client.tasks().start(
        f"{PREFIX}{offer.key}",
        f"Measuring {offer.spec.name}",
        ["estimate", str(offer.path), "--json"],
    )


def _running(task: Task) -> None:
    st.html(
        progress.bar(task.share or 0.0, task.title)
        + f'<div class="nw-quiet nw-small">{escape(task.words)}</div>'
    )
