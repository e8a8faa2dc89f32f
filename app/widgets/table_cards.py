"""Ground truth known here: a card per imported table, and one for the results bank."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

import streamlit as st

from app import client, lab_tables, rights
from app import table_address as address
from app.guard import attempt
from app.lab_tables import BankView, Entry
from app.widgets import numbers, table_protocol
from app.widgets.empty import empty
from app.widgets.facts import facts
from app.widgets.plain import plain
from engine.tables.header import Header
from engine.tables.importing import KINDS

WIDE = 2
NAMED = 5
BANK_ROWS = 12


def cards(entries: Sequence[Entry]) -> None:
    """Draw one card a table, two in a row."""
    for first in range(0, len(entries), WIDE):
        columns = st.columns(WIDE)
        for column, entry in zip(columns, entries[first : first + WIDE], strict=False):
            with column, st.container(border=True, key=f"card-{entry.name}"):
                _card(entry)


def _card(entry: Entry) -> None:
    header = entry.header
    st.markdown(f"#### {plain(entry.name)}")
    if header is None:
        st.error(entry.problem, icon=":material/error:")
    else:
        facts(_facts(entry, header))
    with st.container(horizontal=True, vertical_alignment="center"):
        if header is not None:
            open_button(address.TABLE, entry.name)
        delete(entry.name)


def open_button(kind: str, name: str) -> None:
    """Draw the way into a table or a part of the bank."""
    st.button(
        "Open",
        icon=":material/table_chart_view:",
        key=f"open-{kind}-{name}",
        on_click=address.show,
        args=(kind, name),
    )


def _facts(entry: Entry, header: Header) -> dict[str, object]:
    return {
        "Space": client.title("spaces", header.space),
        "Architectures": numbers.count(header.rows),
        "Columns": columns_in_words(header),
        "Source": f"{header.source} ({KINDS.get(header.kind, header.kind).split(',')[0]})",
        "SHA-256": f"{header.sha256[:16]}…",
        "Imported": imported(entry),
        "On disk": numbers.size(entry.size),
    }


def imported(entry: Entry) -> str:
    """Say when a table was imported."""
    now = time.time()
    moment = numbers.clock(entry.moment, now, numbers.zone())
    return f"{moment} ({numbers.ago(entry.moment, now)})"


def columns_in_words(header: Header) -> str:
    """Return the columns by unit: how many there are, and the first ones' names."""
    said = []
    for unit in dict.fromkeys(column.unit for column in header.columns):
        names = [column.name for column in header.columns if column.unit == unit]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        said.append(f"{len(names)} in {unit}: {', '.join(names[:NAMED])}{more}")
    return "; ".join(said)


def delete(name: str) -> None:
    """Draw the way to delete a table, which asks once; nothing for viewers."""
    if not rights.may_edit():
        return
    with st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"delete-{name}"):
        st.markdown(
            f"Delete **{plain(name)}** for good? Experiments that name it cannot be queued any "
            "more; finished runs keep their results. The file it came from stays where it is."
        )
        if st.button("Delete for good", key=f"really-{name}", type="primary"):
            done = attempt(lambda: lab_tables.delete(name), f"{name} was deleted")
            if done:
                address.leave()
                st.rerun()


# -- the results bank -----------------------------------------------------------------------------
def bank_card(view: BankView) -> None:
    """Draw what the lab has trained itself, by space and protocol."""
    st.subheader("The lab's own results", anchor=False)
    bank_faults(view)
    if not view.groups:
        empty(
            "Nothing has been trained by itself yet",
            "Every stand-alone training of an experiment is kept here and never repeated: run one "
            "whose ground truth is trained.",
        )
        return
    trainings = sum(group.trainings for group in view.groups)
    seconds = sum(group.seconds for group in view.groups)
    st.caption(
        f"{table_protocol.count(trainings, 'stand-alone training')} in "
        f"{numbers.duration(seconds)}, kept so that none is done twice."
    )
    for group in view.groups[:BANK_ROWS]:
        with st.container(border=True, key=f"bank-{group.key.replace('/', '-')}"):
            space = client.title("spaces", group.space)
            said = table_protocol.words(group.protocol, group.content)
            count = table_protocol.count
            st.html(
                f'<div class="nw-row"><b>{escape(space)}</b><span>{escape(said)}</span>'
                f'<span class="nw-push nw-quiet">{count(group.networks, "network")}, '
                f"{count(group.trainings, 'training')}, {numbers.duration(group.seconds)}"
                "</span></div>"
            )
            open_button(address.BANK, group.key)
    if len(view.groups) > BANK_ROWS:
        st.caption(
            f"{len(view.groups) - BANK_ROWS} more protocols: open one of these, then choose."
        )


def bank_faults(view: BankView) -> None:
    """Say which lines of the bank are damaged; the others are used."""
    faults = view.reading.faults
    if not faults:
        return
    count = "A line" if len(faults) == 1 else f"{len(faults)} lines"
    shown = "\n".join(f"- {plain(fault)}" for fault in faults[:5])
    more = f"\n- and {len(faults) - 5} more" if len(faults) > 5 else ""
    st.warning(
        f"{count} of the results bank cannot be read. All others are shown; experiments that "
        f"train stop at it until it is removed.\n{shown}{more}",
        icon=":material/warning:",
    )
