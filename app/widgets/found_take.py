"""Taking found architectures away: the table as CSV, all files of a selection as one ZIP."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import found_files
from app.found import Found
from app.widgets import numbers

MOST_BYTES = 500_000_000  # a download is made in the server's memory


def draw(found: Sequence[Found], picked: Sequence[Found]) -> None:
    """Draw what opens the downloads; sizes are counted only when it is open."""
    opened = st.popover(
        "Download", icon=":material/download:", key="found-take", on_change="rerun"
    )
    if not opened.open:
        return
    with opened:
        st.download_button(
            f"Table as CSV ({_many(found)})",
            data=lambda: found_files.table_csv(found),
            file_name="architectures.csv",
            mime="text/csv",
            key="found-csv",
            icon=":material/table_rows:",
            on_click="ignore",
            width="stretch",
        )
        _zip("Selection as ZIP", "found-selection", picked)
        _zip("Everything shown as ZIP", "found-everything", found)
        st.caption(
            "A ZIP has model.py, weights, drawing and record of every architecture in a folder "
            "RUN/RANK, and the table."
        )


def _many(found: Sequence[Found]) -> str:
    return f"{len(found):,} architecture{'s' if len(found) != 1 else ''}"


def _zip(label: str, key: str, found: Sequence[Found]) -> None:
    files, size = found_files.size_of(found) if found else (0, 0)
    about = f"{_many(found)}, {numbers.size(size)}" if found else "nothing is selected"
    st.download_button(
        f"{label} ({about})",
        data=lambda: found_files.zipped(found),
        file_name="architectures.zip",
        mime="application/zip",
        key=key,
        icon=":material/folder_zip:",
        on_click="ignore",
        disabled=not files or size > MOST_BYTES,
        width="stretch",
    )
    if size > MOST_BYTES:
        st.caption(f"That is more than {numbers.size(MOST_BYTES)}; filter or select fewer.")
