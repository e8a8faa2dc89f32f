"""The pages by file, and the ways between them."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

OVERVIEW = "screens/overview.py"
NEW = "screens/new_experiment.py"
EXPERIMENTS = "screens/experiments.py"
EXPERIMENT = "screens/experiment.py"
COMPARE = "screens/compare.py"
ARCHITECTURES = "screens/architectures.py"
TABLES = "screens/tables.py"
DATASETS = "screens/datasets.py"
SYSTEM = "screens/system.py"


def pages() -> list[st.Page]:
    """Return the pages in the order of the menu; a single run is reached by its link."""
    return [
        st.Page(OVERVIEW, title="Overview", icon=":material/home:", default=True),
        st.Page(NEW, title="New experiment", icon=":material/add_circle:"),
        st.Page(EXPERIMENTS, title="Experiments", icon=":material/list_alt:"),
        st.Page(EXPERIMENT, title="Experiment", visibility="hidden"),
        st.Page(COMPARE, title="Compare", icon=":material/compare_arrows:"),
        st.Page(ARCHITECTURES, title="Architectures", icon=":material/hub:"),
        st.Page(TABLES, title="Tables", icon=":material/table_chart:"),
        st.Page(DATASETS, title="Datasets", icon=":material/photo_library:"),
        st.Page(SYSTEM, title="System", icon=":material/dns:"),
    ]


def go_to_run(run_id: str) -> NoReturn:
    """Open a run's page."""
    st.switch_page(EXPERIMENT, query_params={"run": run_id})


def run_link(run_id: str, label: str, icon: str | None = None) -> None:
    """Draw a link to a run's page."""
    st.page_link(EXPERIMENT, label=label, icon=icon, query_params={"run": run_id})


def heading(title: str, way: tuple[str, str, str] | None = None) -> None:
    """Draw a page's title at the same place on every page, with one way on (page, label, icon)."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, width="stretch", anchor=False)
        if way is not None:
            st.page_link(way[0], label=way[1], icon=way[2])
