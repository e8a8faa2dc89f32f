"""The section `Sweep` of the form: fields that vary, each with its values; all combine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app import client, drafts
from app.sweep_values import read_values, write_values
from app.widgets.form_from_schema import Form
from app.widgets.schema import Field, at
from engine.spec.errors import SpecError
from engine.spec.sweep import SECTION, value_text

Fields = tuple[Field, ...]

# A job is named after what varies; seeds have a box of their own; notes change nothing.
_NOT_SWEPT = frozenset({"name", "notes", "seed", "task"})
_PARTS = {"algorithm": "algorithms", "space": "spaces", "data.name": "datasets"}
_SCALAR = frozenset({"flag", "whole", "number", "text", "choice"})
_TITLE_OF = {"algorithm": "Algorithm", "space": "Search space", "data.name": "Data set"}


def sweepable(fields: Fields) -> dict[str, Field]:
    """Return every field that can vary, by dotted path: those that hold one value.

    Fields that name a registered part become a choice among the registered names.
    """
    found: dict[str, Field] = {}
    for field in fields:
        if field.kind == "section":
            found |= sweepable(field.fields)
        elif field.path in _PARTS:
            names = tuple(item["name"] for item in client.catalog()[_PARTS[field.path]])
            found[field.path] = replace(field, kind="choice", options=names)
        elif field.kind in _SCALAR and field.path not in _NOT_SWEPT:
            found[field.path] = field
    return found


# -- reading --------------------------------------------------------------------------------------
def entered(known: Mapping[str, Field], key: str) -> tuple[dict[str, list[Any]], list[SpecError]]:
    """Return the swept fields with their values, and what cannot be read.

    Args:
        known: fields that can vary.
        key: prefix of widget keys.
    """
    axes: dict[str, list[Any]] = {}
    faults: list[SpecError] = []
    for path in _paths(key):
        if path not in known:
            words = "is no setting of what is chosen now; remove it from the sweep."
            faults.append(SpecError(f"{SECTION}.{path}", words))
            continue
        axes[path], wrong = _entered(known[path], key)
        faults += wrong
    return axes, faults


def _entered(field: Field, key: str) -> tuple[list[Any], list[SpecError]]:
    given = st.session_state.get(_key(key, field.path))
    if given is None:
        return _start(field.path, key), []
    if isinstance(given, str):
        return read_values(field, given)
    wrong = [] if given else [SpecError(f"{SECTION}.{field.path}", "choose its values.")]
    return list(given), wrong


def _paths(key: str) -> list[str]:
    name = f"{key}:{SECTION}"
    if name not in st.session_state:
        st.session_state[name] = list(drafts.axes())
    paths: list[str] = st.session_state[name]
    return paths


def _key(key: str, path: str) -> str:
    return f"{key}:{SECTION}:{path}"


def _start(path: str, key: str) -> list[Any]:
    """Return the values that a field's box starts with: of the file, or what the form has now."""
    found: list[Any] = st.session_state.get(f"{_key(key, path)}:first") or drafts.axes().get(path)
    return list(found or [])


# -- drawing --------------------------------------------------------------------------------------
def summary(value: Mapping[str, Any]) -> str:
    """Say what varies."""
    axes = value.get(SECTION) or {}
    said = [f"{path.split('.')[-1].replace('_', ' ')} × {len(axes[path])}" for path in axes]
    return ", ".join(said) or "nothing varies"


def draw(known: Mapping[str, Field], form: Form) -> None:
    """Draw every swept field, and the choice of one more."""
    st.caption(
        "A field and the list of its values: every value is a job, and several fields combine."
    )
    for path in _paths(form.key):
        if path in known:
            _axis(known[path], form)
        else:
            _lost(path, form)
    taken = _paths(form.key)
    wide = {"algorithm", "space"} & set(taken)
    options = [
        path
        for path, field in known.items()
        if path not in taken and (wide or form.matters(field))
    ]
    st.selectbox(
        "Vary one more field" if taken else "Vary a field",
        options,
        index=None,
        key=f"{form.key}:{SECTION}:add",
        format_func=lambda path: _named(known[path], form),
        placeholder="Type a word, such as rate or epochs",
        on_change=_add,
        args=(dict(known), form.current, form.key),
        help="Any setting of the form that holds one value. A sweep of fields that vary "
        "together, or of whole sections, can be uploaded as a file.",
    )


def _named(field: Field, form: Form) -> str:
    label = _TITLE_OF.get(field.path) or form.label(field)
    return f"{label} · {field.path}"


def _add(known: Mapping[str, Field], current: Mapping[str, Any], key: str) -> None:
    path = st.session_state[f"{key}:{SECTION}:add"]
    st.session_state[f"{key}:{SECTION}:add"] = None
    if path is None:
        return
    now = at(current, path)
    field = known[path]
    first = field.default if now is None and not field.optional else now
    st.session_state[f"{_key(key, path)}:first"] = [first]
    st.session_state[f"{key}:{SECTION}"] = [*_paths(key), path]


def _remove(path: str, key: str) -> None:
    st.session_state[f"{key}:{SECTION}"] = [one for one in _paths(key) if one != path]
    for name in (_key(key, path), f"{_key(key, path)}:first"):
        st.session_state.pop(name, None)


def _axis(field: Field, form: Form) -> None:
    left, right = st.columns([8, 1], vertical_alignment="bottom", wrap=False)
    with left:
        _values(field, form)
    with right:
        _drop(field.path, form)
    form.fault(f"{SECTION}.{field.path}")
    if field.path in ("algorithm", "space"):
        st.caption("Settings of its own that are as by default are left to each.")


def _lost(path: str, form: Form) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.code(path, language=None)
        _drop(path, form)
    form.fault(f"{SECTION}.{path}")


def _drop(path: str, form: Form) -> None:
    st.button(
        "Remove",
        icon=":material/close:",
        type="tertiary",
        key=f"{_key(form.key, path)}:drop",
        on_click=_remove,
        args=(path, form.key),
    )


def _values(field: Field, form: Form) -> None:
    key, start = _key(form.key, field.path), _start(field.path, form.key)
    help_ = f"`{field.path}`. {field.help}"
    if field.kind in ("choice", "flag"):
        options = list(field.options) if field.kind == "choice" else [False, True]
        st.multiselect(
            _named(field, form),
            options,
            default=[one for one in start if one in options],
            key=key,
            format_func=lambda option: _option(field, option),
            placeholder="Choose the values",
            help=help_,
            persist_state="session",
        )
        return
    st.text_input(
        _named(field, form),
        value=write_values(start),
        key=key,
        placeholder="0.005, 0.025" if field.kind == "number" else "1, 2, 4",
        help=f"{help_} Values with commas between them"
        + (f"; allowed: {field.limits}." if field.limits else "."),
        persist_state="session",
    )


def _option(field: Field, option: Any) -> str:
    if field.path in _PARTS:
        return client.title(_PARTS[field.path], str(option))
    if isinstance(option, bool):
        return "on" if option else "off"
    return value_text(option).replace("_", " ")
