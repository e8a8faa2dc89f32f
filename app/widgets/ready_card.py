"""A ready experiment as a card: what it is, how long it takes here, and its buttons."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import client, drafts, links, rights
from app.guard import attempt
from app.ready import Offer
from app.widgets import measurement, numbers
from app.widgets.plain import plain

LOOKING = "You can look at everything here; changing things is switched off."


def ready_card(offer: Offer, primary: bool) -> None:
    """Draw the card; `primary`: it is the one to begin with."""
    spec = offer.spec
    with st.container(border=True, height="stretch", key=f"ready-{offer.key.replace('/', '-')}"):
        st.markdown(f"##### {plain(spec.name)}")
        st.html(
            f'<p class="nw-quiet nw-small nw-tight">{escape(_kind(offer))}</p>'
            f'<p class="nw-small nw-tight nw-clip" title="{escape(spec.notes)}">'
            f"{escape(spec.notes)}</p>"
        )
        if offer.missing:
            st.markdown(f":material/cloud_off: {plain(offer.missing)}")
            st.page_link(links.DATASETS, label="Get it under Datasets", icon=":material/download:")
        st.space("stretch")  # buttons of neighbours stand on one line
        measurement.draw(offer)
        _buttons(offer, primary)


def _kind(offer: Offer) -> str:
    spec = offer.spec
    words = [
        client.title("algorithms", spec.algorithm),
        client.title("spaces", spec.space),
        client.title("datasets", spec.data.name),
        f"{numbers.count(spec.super_net.epochs)} epochs",
    ]
    return " · ".join(words)


def _buttons(offer: Offer, primary: bool) -> None:
    may = rights.may_edit()
    with st.container(horizontal=True):
        if not offer.missing and st.button(
            "Run it now",
            key=f"run-{offer.key}",
            icon=":material/play_arrow:",
            type="primary" if primary else "secondary",
            disabled=not may,
            help=None if may else LOOKING,
        ):
            _run(offer)
        if st.button("Look at its settings", key=f"open-{offer.key}", icon=":material/tune:"):
            drafts.start_from(offer.spec)
            st.switch_page(links.NEW)


def _run(offer: Offer) -> None:
    queued = list[str]()
    spec = offer.spec
    if attempt(lambda: queued.extend(client.client().submit(spec, [spec.seed])), "Queued"):
        client.changed()
        links.go_to_run(queued[0])
