"""What tests ask of a rendered page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]


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


def charts(test: AppTest) -> list[Any]:
    """Return the charts of a page; the script that every page has is none."""
    return [found for found in test.get("bidi_component") if found.key != "reach-script"]


def key_of(test: AppTest, ending: str) -> str:
    """Return the full key of the form's widget whose key ends so."""
    found = [w.key for kind in ("number_input", "text_input", "selectbox", "toggle")
             for w in test.get(kind) if w.key and w.key.endswith(ending)]  # fmt: skip
    assert len(found) == 1, f"{ending}: {found}"
    return str(found[0])
