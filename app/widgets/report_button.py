"""Sharing a run: its report as one HTML file, and its address."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from app import client


def draw(run_id: str) -> None:
    """Draw the button of the report, and the link to the run."""
    st.download_button(
        "HTML report",
        data=lambda: report(run_id),
        file_name=f"{run_id}.html",
        mime="text/html",
        key="report",
        icon=":material/description:",
        help="One file that needs nothing else: figures, charts, drawn cells, specification. It "
        "reads offline and on paper, and of an unfinished run tells what is known now",
        on_click="ignore",
    )
    with st.popover("Copy link", icon=":material/link:"):
        st.caption("Whoever may open this address sees the same run.")
        st.code(address(str(st.context.url or ""), run_id), language=None, wrap_lines=True)


def report(run_id: str) -> bytes:
    """Return the report of a run.

    Raises:
        RunError: its record is damaged.
    """
    from engine.export.report_html import report_html

    return report_html(client.folder(run_id)).encode()


def address(here: str, run_id: str) -> str:
    """Return the address of a run's page.

    Args:
        here: address of some page of this server, whose query does not matter.
        run_id: the run.
    """
    parts = urlsplit(here)
    folder = parts.path.rstrip("/").removesuffix("/experiment")
    query = urlencode({"run": run_id})
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/experiment", query, ""))
