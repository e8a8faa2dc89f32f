"""Sharing a run: the report behind its button, and the address."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_help import Open
from played_run import played

from app.widgets import report_button


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("http://localhost:8501/experiment?run=old", "http://localhost:8501/experiment?run=a"),
        ("https://lab.org/nas/experiment", "https://lab.org/nas/experiment?run=a"),
        ("https://lab.org/", "https://lab.org/experiment?run=a"),
    ],
)
def test_the_address_of_a_run(here: str, there: str) -> None:
    assert report_button.address(here, "a") == there


def test_the_page_of_a_run_offers_both(open_page: Open, runs: Path) -> None:
    folder = played(runs)
    test = open_page("screens/experiment.py", run=folder.run_id)
    assert not test.exception
    buttons = [element.proto.label for element in test.get("download_button")]
    assert "HTML report" in buttons
    assert any(f"/experiment?run={folder.run_id}" in code.value for code in test.code)
    assert report_button.report(folder.run_id).startswith(b"<!doctype html>")
