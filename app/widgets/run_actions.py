"""What can be done with the selected experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app import client, links, selection
from app.comparing import MOST_RUNS
from app.rights import may_edit

if TYPE_CHECKING:
    from workers.client import RunSummary

CHOSEN = "chosen-runs"
DELETED = "deleted-runs"


def bar(chosen: Sequence[RunSummary], count: str) -> None:
    """Draw the buttons for the selected runs; without any, how runs are selected.

    Args:
        chosen: the selected runs.
        count: how many experiments the list shows, for the line without a selection.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="run-actions"):
        if not chosen:
            st.caption(
                f"{count}. Choose a cell to open its run; tick rows at the left edge to compare, "
                "download or delete several."
            )
            return
        st.markdown(f"**{len(chosen)} selected**", width="content")
        ids = [run.run_id for run in chosen]
        _compare(ids)
        _download(ids)
        if may_edit():
            st.button(
                "Delete",
                icon=":material/delete:",
                key="delete-chosen",
                help="They can be brought back. Running ones must be stopped first.",
                on_click=_delete,
                args=(ids,),
            )


def _compare(ids: Sequence[str]) -> None:
    many = len(ids) > MOST_RUNS
    if st.button(
        "Compare",
        icon=":material/compare_arrows:",
        key="compare-chosen",
        type="primary",
        disabled=many,
        help=f"At most {MOST_RUNS} runs are compared at once" if many else None,
    ):
        st.switch_page(links.COMPARE, query_params={"runs": ",".join(ids)})


def _download(ids: Sequence[str]) -> None:
    st.download_button(
        "Download as ZIP",
        data=lambda: selection.zipped([client.folder(run_id) for run_id in ids]),
        file_name=f"{ids[0]}.zip" if len(ids) == 1 else f"{len(ids)}-runs.zip",
        mime="application/zip",
        key="zip-chosen",
        icon=":material/folder_zip:",
        help="Run folders with specification, environment, events, ranking, result and found "
        "architectures; made when you click",
        on_click="ignore",
    )


def _delete(ids: Sequence[str]) -> None:
    outcome = selection.each(client.client().delete, ids)
    client.changed()
    for sentence in outcome.refused:
        st.toast(sentence, icon=":material/error:", duration="long")
    if outcome.done:
        st.session_state[DELETED] = outcome.done
        st.session_state[CHOSEN] = [one for one in ids if one not in outcome.done]
