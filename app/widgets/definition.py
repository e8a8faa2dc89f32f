"""A search space that is defined as a text: the box for it, and its faults at their lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
import yaml

from app.widgets import definition_help, live_text
from app.widgets.form_from_schema import Form
from app.widgets.schema import at
from engine.spec.errors import SpecError
from engine.spec.files import read_mapping
from engine.spec.lines import located

SECTION, AREA = "space_settings", "definition-area"


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
    """Draw the box, its help, and what is wrong with the text in it."""
    key = _key(form.key)

    def load(text: str) -> None:
        st.session_state[key] = text

    definition_help.draw(key, load)
    start = yaml.safe_dump(_start(entry, form.base), sort_keys=False, allow_unicode=True)
    if key not in st.session_state:
        # Not by `value=`: a text that was loaded would be one set twice.
        st.session_state[key] = start
    with st.container(key=AREA):
        text = st.text_area(
            "Definition (YAML)",
            height=300,
            key=key,
            help="What can be chosen. It is drawn while you type; an empty box stands for the "
            "example.",
            persist_state="session",
        )
    live_text.listen(AREA)
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
    return dict(given or _example(entry["settings_schema"]))


def _example(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the example in the order of its kind's fields, which schemas do not keep for it."""
    example: dict[str, Any] = schema["examples"][0]
    kinds = [
        part["properties"] for part in schema["$defs"].values() if "kind" in part["properties"]
    ]
    order = next(list(kind) for kind in kinds if set(example) <= set(kind))
    return {name: example[name] for name in order if name in example}


def _key(key: str) -> str:
    return f"{key}:{SECTION}:definition"
