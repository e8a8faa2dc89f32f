"""What the System page asks of store and machine; knows the bridge, not the looks."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import streamlit as st

from app import client
from app.shared import Shared
from engine.environment import describe_environment

if TYPE_CHECKING:
    from workers.client import StoreHealth

FRESH_SECONDS = 2.0
DOCTOR, KERNELS = "system:doctor", "system:kernels"
PACKAGES = ("torch", "streamlit", "plotly", "redis", "rq", "pydantic", "numpy")


@st.cache_resource(show_spinner=False)
def _store() -> Shared[StoreHealth]:
    return Shared(lambda: client.client().store_health(), FRESH_SECONDS)


def store() -> StoreHealth:
    """Return what the store says of itself, as of a moment ago.

    Raises:
        StoreError: the store is away.
    """
    return _store().get()


@st.cache_data(show_spinner=False)
def versions() -> dict[str, str]:
    """Return commit, Python and packages; they stay the same as long as the page runs."""
    told = describe_environment()
    commit = told["commit"]
    found = {
        "Workbench": told["workbench"] or "from source",
        "Commit": commit[:12] if commit else "not a git checkout",
        "Python": told["python"],
    }
    return found | {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def examine() -> None:
    """Start the doctor in the background.

    Raises:
        TaskError: it is at work already.
    """
    client.tasks().start(DOCTOR, "Examining this machine", ["doctor", "--json"])


def check_kernels() -> None:
    """Start the self-check of the kernels in the background.

    Raises:
        TaskError: it is at work already.
    """
    client.tasks().start(KERNELS, "Checking the kernels", ["kernels", "--check", "--json"])
