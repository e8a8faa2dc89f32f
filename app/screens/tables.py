"""Ground truth: imported benchmarks and the lab's own results; `?table=` and `?bank=` open one."""

from __future__ import annotations

import streamlit as st

from app import client, lab_tables, links, rights
from app import table_address as address
from app.lab_tables import BankGroup, BankView, Entry
from app.sheet import Sheet
from app.table_imports import PREFIX
from app.widgets import numbers, table_browse, table_cards, table_import, table_protocol, table_top
from app.widgets.empty import empty
from app.widgets.facts import facts
from app.widgets.plain import plain
from app.widgets.task_box import task_boxes
from engine.tables.importing import KINDS

OFFICIAL = (
    "A table says how good architectures are without training them: experiments rank against it "
    "instead of training a sample. The official files are NAS-Bench-201-v1_1-096897.pth and the "
    "NATS-Bench files NATS-tss-v1_0-3ffb9 and NATS-sss-v1_0-50262 (from the benchmarks' GitHub "
    "pages), nasbench_only108.tfrecord of NAS-Bench-101, the nb_301 folder of NAS-Bench-301; or "
    "a CSV file of your own."
)


def render() -> None:
    """Draw the list, or the table or bank that the address names."""
    name, key = st.query_params.get(address.TABLE), st.query_params.get(address.BANK)
    if name:
        _table(name)
    elif key:
        _bank(key)
    else:
        _list()


# -- all ------------------------------------------------------------------------------------------
def _list() -> None:
    links.heading("Tables")
    task_boxes(PREFIX)
    entries = lab_tables.entries()
    st.subheader("Imported tables", anchor=False)
    if entries:
        table_cards.cards(entries)
    else:
        empty("No table has been imported yet", OFFICIAL)
    if rights.may_edit():
        with st.expander(
            "Import a table",
            icon=":material/move_to_inbox:",
            expanded=not entries,
            key=f"import-{table_import.begun()}",
        ):
            table_import.draw()
    else:
        st.caption("This server only shows: importing and deleting are switched off.")
    table_cards.bank_card(lab_tables.bank())


def _back(label: str) -> None:
    with st.container(key="back"):
        st.button(
            label, icon=":material/arrow_back:", type="tertiary", on_click=address.leave, key="up"
        )


# -- one table ------------------------------------------------------------------------------------
def _table(name: str) -> None:
    _back("All tables")
    links.heading(name)
    found = {entry.name: entry for entry in lab_tables.entries()}.get(name)
    if found is None:
        empty(
            "There is no table of this name", "It may have been deleted, or never imported here."
        )
        return
    sheet = lab_tables.sheet(name)
    st.set_page_config(page_title=f"{name} · NAS Workbench")
    _about(found, sheet)
    table_browse.draw(sheet)


def _about(entry: Entry, sheet: Sheet) -> None:
    header = entry.header
    assert header is not None, "a damaged table was told of when its sheet was opened"
    space = client.title("spaces", header.space)
    st.markdown(
        f"{numbers.count(header.rows)} architectures of {plain(space)} from "
        f"{plain(header.source)}, imported {plain(table_cards.imported(entry))}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        _more(entry, sheet)
        _take(sheet, entry.name)
        table_cards.delete(entry.name)


def _more(entry: Entry, sheet: Sheet) -> None:
    header = entry.header
    assert header is not None, "see _about"
    with st.popover("About and use", icon=":material/info:", type="tertiary", key="about"):
        facts(
            {
                "Source": header.source,
                "SHA-256": header.sha256,
                "Kind": KINDS.get(header.kind, header.kind),
                "On disk": numbers.size(entry.size),
            }
        )
        named = "\n".join(
            f"- `{c.name}` in {c.unit}: {c.filled:,} architectures, {_results(c.fewest, c.most)}"
            for c in header.columns
        )
        st.markdown(f"**Columns**\n{named}")
        if sheet.accuracies:
            st.markdown("**In an experiment file**")
            st.code(_snippet(entry.name, sheet.accuracies[0].name), language="yaml")


def _results(fewest: int, most: int) -> str:
    if most == 1:
        return "one result each"
    return f"means of {fewest} results" if fewest == most else f"means of {fewest} to {most}"


def _snippet(table: str, column: str) -> str:
    return (
        "evaluation:\n  ground_truth:\n    source: table\n"
        f"    table: {table}\n    column: {column}\n"
    )


def _take(sheet: Sheet, name: str) -> None:
    st.download_button(
        "CSV of all rows",
        data=lambda: table_top.whole(sheet),
        file_name=f"{name}.csv",
        mime="text/csv",
        key="whole-csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


# -- the results bank ---------------------------------------------------------------------------
def _bank(key: str) -> None:
    _back("All tables")
    links.heading("Results bank")
    view = lab_tables.bank()
    table_cards.bank_faults(view)
    group = _group(view, key)
    if group is None:
        return
    facts_of = table_protocol.details(group.protocol, group.content)
    sheet, lost = lab_tables.bank_sheet(group)
    st.markdown(
        f"{table_protocol.count(group.networks, 'network')} of "
        f"{plain(client.title('spaces', group.space))}, "
        f"{table_protocol.count(group.trainings, 'stand-alone training')} in "
        f"{numbers.duration(group.seconds)}"
    )
    if lost:
        st.warning(
            f"{lost} networks are left out: the space does not read them any more, or they belong "
            "to a space defined elsewhere."
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Protocol", icon=":material/info:", type="tertiary", key="protocol"):
            facts(facts_of)
        _take(sheet, f"bank-{group.space}-{group.protocol[:16]}")
    if sheet.rows:
        table_browse.draw(sheet)


def _group(view: BankView, key: str) -> BankGroup | None:
    """Draw the choice of space and protocol, and return what is chosen."""
    groups = {group.key: group for group in view.groups}
    if not groups:
        empty("The results bank is empty", "Run an experiment whose ground truth is trained.")
        return None
    if key not in groups:
        empty("There is nothing of this protocol", "Choose one of those that there are.")
    keys = list(groups)
    chosen = st.selectbox(
        "Space and protocol",
        keys,
        index=keys.index(key) if key in groups else None,
        key=f"bank-group-{key}",
        format_func=lambda k: (
            f"{client.title('spaces', groups[k].space)}: "
            f"{table_protocol.words(groups[k].protocol, groups[k].content)}"
        ),
        placeholder="Choose",
    )
    if chosen is not None and chosen != key:
        st.query_params[address.BANK] = chosen
        st.rerun()
    return groups.get(key)


render()
