"""The run's log: newest line last, with a filter."""

from __future__ import annotations

from html import escape

import streamlit as st

from app.widgets.empty import empty

SHOWN = 500


def log_view(lines: list[str], run_id: str) -> None:
    """Draw the log's newest lines, the filter, and the download of all lines."""
    if not lines:
        empty("The log is empty", "The first line appears when a worker takes the run.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Filter the log",
            key=f"log-{run_id}",
            type="search",
            live=True,
            placeholder="Filter, for example warning or epoch",
            label_visibility="collapsed",
        )
        st.download_button(
            "Download",
            "\n".join(lines) + "\n",
            file_name=f"{run_id}-log.txt",
            icon=":material/download:",
            on_click="ignore",
            key=f"log-file-{run_id}",
        )
    wanted = (words or "").lower()
    found = [line for line in lines if wanted in line.lower()]
    if not found:
        empty("No line matches", "Try another word.")
        return
    if len(found) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(found):,} lines; the download has all.")
    with st.container(height=460, border=True, autoscroll=True, key=f"log-box-{run_id}"):
        st.html(f'<pre class="nw-log">{"<br>".join(_line(x) for x in found[-SHOWN:])}</pre>')


def _line(line: str) -> str:
    text = escape(line)
    serious = " warning: " in line or " failed" in line
    return f'<span class="nw-warning">{text}</span>' if serious else text
