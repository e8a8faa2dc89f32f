"""Pages rendered without a browser, on run folders that are played in a temporary folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(HERE), str(ROOT / "tests" / "browser" / "support")]

import streamlit as st  # noqa: E402
from page_help import Open  # noqa: E402
from played_client import PlayedClient  # noqa: E402
from streamlit.testing.v1 import AppTest  # noqa: E402

from app import client  # noqa: E402

MAIN = ROOT / "app" / "main.py"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def lab(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedClient]:
    """A client whose submitted runs stay queued, used by every page of the test."""
    playing = PlayedClient(runs, pause_between=-1)
    monkeypatch.setattr(client, "_open_client", lambda: playing)
    monkeypatch.setenv("NASW_DATA", str(playing.settings.data))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield playing
    st.cache_resource.clear()


@pytest.fixture
def open_page(lab: PlayedClient) -> Open:
    """Open a page by its file and query."""

    def start(page: str = "screens/overview.py", **query: str) -> AppTest:
        test = AppTest.from_file(str(MAIN), default_timeout=30)
        for name, value in query.items():
            test.query_params[name] = value
        test.run()
        return test if page == "screens/overview.py" else test.switch_page(page).run()

    return start
