"""A search space that is defined as a text: the box for it, and its faults at their lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
import yaml

from app.widgets.form_from_schema import Form
from app.widgets.schema import at
from engine.spec.errors import SpecError
from engine.spec.files import read_mapping
from engine.spec.lines import located

SECTION = "space_settings"


def is_defined(entry: Mapping[str, Any]) -> bool:
    """Tell whether a space of the catalogue has a definition instead of single settings."""
    return "oneOf" in entry.get("settings_schema", {})


def entered(
    entry: Mapping[str, Any], base: Mapping[str, Any], key: str
) -> tuple[dict[str, Any], list[SpecError]]:
    """Return the definition that is in the box, and why it cannot be read.

    Args:
        entry: of the space in the catalogue.
        base: the experiment that the form started from.
        key: prefix of widget keys.
    """
    text = st.session_state.get(_key(key))
    if text is None:
        return _start(entry, base), []
    if not text.strip():
        return {}, []
    try:
        return read_mapping(text), []
    except SpecError as fault:
        words = fault.problem.replace("an experiment file", "a definition")
        return {}, [SpecError(SECTION, words)]


def draw(entry: Mapping[str, Any], form: Form) -> None:
    """Draw the box and what is wrong with the text in it."""
    start = yaml.safe_dump(_start(entry, form.base), sort_keys=False, allow_unicode=True)
    text = st.text_area(
        "Definition (YAML)",
        value=start,
        height=300,
        key=_key(form.key),
        help="What can be chosen: `docs/custom_space.md` explains the three kinds. An empty box "
        "stands for the example.",
        persist_state="session",
    )
    form.fault(SECTION)
    for path, sentences in form.faults.items():
        field = path.removeprefix(f"{SECTION}.")
        if field != path:
            for sentence in sentences:
                fault = located(SpecError(field, sentence), text)
                form.say(f"{field}: {fault.problem}")


def _start(entry: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the box starts with: the base's definition of this space, else the example."""
    given = at(base, SECTION) if at(base, "space") == entry["name"] else None
    example: dict[str, Any] = entry["settings_schema"]["examples"][0]
    return dict(given or example)


def _key(key: str) -> str:
    return f"{key}:{SECTION}:definition"
