"""The address of what the page of tables shows.

A link of a page to itself would change the page but not the address, so that these are buttons.
What widgets keep in the address (`column`, `view` and others) stays from one table to the next;
values that the next one does not have are passed over.
"""

from __future__ import annotations

import streamlit as st

TABLE, BANK, ROW, PAIR = "table", "bank", "row", "pair"


def show(kind: str, name: str) -> None:
    """Open a table or a part of the results bank; for `on_click`.

    Args:
        kind: `TABLE` or `BANK`.
        name: of the table, or key of the bank's group.
    """
    leave()
    st.query_params[kind] = name


def leave() -> None:
    """Go back to the list; for `on_click`."""
    for key in (TABLE, BANK, ROW, PAIR):
        if key in st.query_params:
            del st.query_params[key]
