"""Pages rendered without a browser, on run folders that are played in a temporary folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser" / "support")]

import streamlit as st  # noqa: E402
from played_client import PlayedClient  # noqa: E402
from streamlit.testing.v1 import AppTest  # noqa: E402

from app import client  # noqa: E402

MAIN = ROOT / "app" / "main.py"
Open = Callable[..., AppTest]


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


def words(test: AppTest) -> str:
    """Return everything that a page says, of whatever kind of element."""
    said = []
    for element in test.main:
        for name in ("value", "label", "body"):
            text = getattr(element, name, None)
            if isinstance(text, str):
                said.append(text)
        body = getattr(getattr(element, "proto", None), "body", None)
        if isinstance(body, str):
            said.append(body)
    return "\n".join(said)


def key_of(test: AppTest, ending: str) -> str:
    """Return the full key of the form's widget whose key ends so."""
    found = [w.key for kind in ("number_input", "text_input", "selectbox", "toggle")
             for w in test.get(kind) if w.key and w.key.endswith(ending)]  # fmt: skip
    assert len(found) == 1, f"{ending}: {found}"
    return str(found[0])
