"""A form for any section of the experiment, made from the catalogue's schema.

The widgets' state is the truth: `values` reads it before anything is drawn, so that faults can be
found first and named at their fields while the form is drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import streamlit as st

from app.widgets.plain import as_html
from app.widgets.schema import EXACT, Field, at, defaults

Faults = Mapping[str, list[str]]


# -- reading --------------------------------------------------------------------------------------
def values(fields: Iterable[Field], base: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the section's values: the viewer's where something was entered, else the base's."""
    return {f.name: _value(f, base.get(f.name, f.default), key) for f in fields}


def _value(field: Field, base: Any, key: str) -> Any:
    if field.kind == "section":
        if field.optional and not st.session_state.get(_switch(field, key), base is not None):
            return None
        inner = base if base is not None else defaults(field.fields)
        return values(field.fields, inner, key)
    name = f"{key}:{field.path}"
    if name not in st.session_state:
        return base
    return _entered(field, st.session_state[name])


def _entered(field: Field, entered: Any) -> Any:
    """Turn what a widget holds into the spec's value; what cannot be turned is left to the
    spec's own check, which names it."""
    if field.kind == "text":
        text = (entered or "").strip()
        return text or (None if field.optional else "")
    if field.kind == "whole":
        if isinstance(entered, str):
            text = entered.strip().replace(",", "").replace(" ", "")
            return int(text) if text.lstrip("-").isdigit() else (text or None)
        return None if entered is None else int(entered)
    return entered


def _switch(field: Field, key: str) -> str:
    return f"{key}:{field.path}:on"


# -- drawing --------------------------------------------------------------------------------------
class Form:
    """Draws fields of one generation of the form.

    Args:
        base: what the widgets start from (the whole experiment).
        current: the values now (the whole experiment).
        faults: sentences by dotted path.
        key: prefix of widget keys.
        front: paths that everybody should see; in a section that has some, the rest is folded.
        labels: better names than the fields' own, by path.
        hidden: paths that have no effect now; they are drawn only where they are at fault.
        refused: why an optional section cannot be switched on, by path.
        offered: words that a list of words can choose from, by path.
    """

    def __init__(
        self,
        base: Mapping[str, Any],
        current: Mapping[str, Any],
        faults: Faults,
        key: str,
        front: Collection[str] = (),
        labels: Mapping[str, str] | None = None,
        hidden: Collection[str] = (),
        refused: Mapping[str, str] | None = None,
        offered: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.base = base
        self.current = current
        self.faults = faults
        self.key = key
        self.front = frozenset(front)
        self.labels = labels or {}
        self.hidden = frozenset(hidden)
        self.refused = refused or {}
        self.offered = offered or {}

    def section(self, fields: Iterable[Field], elsewhere: Collection[str] = ()) -> None:
        """Draw a section's fields, those of `front` first and all others folded away.

        Args:
            fields: of one section.
            elsewhere: paths that are drawn at another place.
        """
        shown = [f for f in fields if f.path not in elsewhere and self.matters(f)]
        first = [f for f in shown if f.path in self.front] or shown
        rest = [f for f in shown if f not in first]
        self._grid(first)
        if rest:
            wrong = sum(path.startswith(f.path) for f in rest for path in self.faults)
            label = f"More {_owner(rest[0])} settings" + (
                f" · {wrong} to correct" if wrong else ""
            )
            with st.expander(label, key=f"{self.key}:more:{rest[0].path}", expanded=bool(wrong)):
                self._grid(rest)

    def matters(self, field: Field) -> bool:
        """Tell whether a field has an effect now, or a fault that must be corrected."""
        if field.path in self.faults:
            return True
        parent = field.path.rpartition(".")[0]
        section = at(self.current, parent) if parent else self.current
        return field.path not in self.hidden and field.matters(section or {})

    def _grid(self, fields: list[Field]) -> None:
        """Draw plain fields two a row and sections below each other."""
        row: list[Field] = []
        for field in fields:
            if field.kind == "section":
                self._row(row)
                row = []
                self._subsection(field)
            else:
                row.append(field)
                if len(row) == 2:
                    self._row(row)
                    row = []
        self._row(row)

    def _row(self, row: list[Field]) -> None:
        if not row:
            return
        mixed = any(field.kind == "flag" for field in row)
        columns = st.columns(2, vertical_alignment="bottom" if mixed else "top")
        for column, field in zip(columns, row, strict=False):
            with column:
                self.field(field)

    def _subsection(self, field: Field) -> None:
        if field.optional:
            on, why = at(self.current, field.path) is not None, self.refused.get(field.path)
            st.toggle(
                self.label(field),
                value=at(self.base, field.path) is not None,
                key=_switch(field, self.key),
                help=_plain(field.help),
                persist_state="session",
                disabled=why is not None and not on,
            )
            if why is not None:
                st.caption(_plain(why))
            self.fault(field.path)
            if on:
                self.section(field.fields)
            return
        st.markdown(f"**{self.label(field)}**", help=_plain(field.help) or None)
        self.fault(field.path)
        self.section(field.fields)

    def field(self, field: Field) -> None:
        """Draw one plain field and what is wrong with it."""
        start = at(self.base, field.path)
        if start is None and not field.optional:
            start = field.default
        key, label = f"{self.key}:{field.path}", self.label(field)
        if field.kind == "words":
            _words(field, start, key, label, self.offered.get(field.path, []))
        else:
            _WIDGETS[field.kind](field, start, key, label)
        self.fault(field.path)

    def label(self, field: Field) -> str:
        """Return what a field is called."""
        return self.labels.get(field.path, field.label)

    def fault(self, path: str) -> None:
        """Say what is wrong with a field."""
        for sentence in self.faults.get(path, []):
            self.say(sentence[:1].upper() + sentence[1:])

    def say(self, sentence: str) -> None:
        """Draw a sentence about something that is wrong."""
        st.html(f'<div class="nw-fault" role="alert">{as_html(sentence)}</div>')


def _owner(field: Field) -> str:
    """Return what a field is a setting of, in words."""
    section = field.path.split(".")[-2] if "." in field.path else ""
    named = {"super_net": "super-net", "stand_alone": "stand-alone", "norm": "batch-norm"}
    return named.get(section, section.replace("_", " "))


def help_of(field: Field) -> str:
    """Say what a field does, what is allowed, and what it is unless somebody changes it."""
    parts = [_plain(field.help)]
    if field.limits:
        parts.append(f"Allowed: {field.limits}.")
    if field.kind in ("whole", "number", "choice", "flag"):
        parts.append(f"Default: {_plain(_written(field.default))}.")
    return " ".join(parts)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "not set"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("_", " ")


def _plain(text: str) -> str:
    """Keep brackets and the like in a help text from being read as Markdown links."""
    return text.replace("[", "\\[").replace("]", "\\]").replace("$", "\\$").replace("~", "\\~")


def _flag(field: Field, start: Any, key: str, label: str) -> None:
    st.toggle(label, value=bool(start), key=key, help=help_of(field), persist_state="session")


def _whole(field: Field, start: Any, key: str, label: str) -> None:
    if (field.high or 0) > EXACT:
        text = "" if start is None else str(start)
        st.text_input(label, value=text, key=key, help=help_of(field), persist_state="session")
        return
    _numeric(field, start, key, label, 1, "%d")


def _number(field: Field, start: Any, key: str, label: str) -> None:
    value = None if start is None else float(start)
    _numeric(field, value, key, label, _step(field), "%.6g")


def _numeric(
    field: Field, start: float | None, key: str, label: str, step: float, shown: str
) -> None:
    if field.optional and start is not None:
        # A box with a default cannot be emptied; one whose value was set before can.
        st.session_state.setdefault(key, start)
        start = None
    st.number_input(
        label,
        value=start,
        step=step,
        format=shown,
        key=key,
        help=help_of(field),
        placeholder="not set",
        persist_state="session",
    )


def _step(field: Field) -> float:
    """Return a tenth of the default's order of magnitude."""
    default = abs(float(field.default or 0.0))
    return float(f"1e{f'{default:e}'.partition('e')[2]}") / 10 if default else 0.1


def _text(field: Field, start: Any, key: str, label: str) -> None:
    draw = st.text_area if field.name == "notes" else st.text_input
    draw(label, value=start or "", key=key, help=help_of(field), persist_state="session")


def _choice(field: Field, start: Any, key: str, label: str) -> None:
    options = list(field.options)
    index = options.index(start) if start in options else 0
    st.selectbox(
        label,
        options,
        index=index,
        key=key,
        help=help_of(field),
        persist_state="session",
        format_func=lambda option: str(option).replace("_", " "),
    )


def _words(field: Field, start: Any, key: str, label: str, offered: list[str]) -> None:
    chosen = list(st.session_state.get(key) or start or [])
    st.multiselect(
        label,
        list(dict.fromkeys([*chosen, *(start or []), *offered])),
        default=list(start or []),
        key=key,
        help=help_of(field),
        accept_new_options=True,
        placeholder="Type and press Enter",
        persist_state="session",
    )


def _mapping(field: Field, start: Any, key: str, label: str) -> None:
    st.caption(f"{label}: set in the experiment file.", help=help_of(field))


_WIDGETS = {
    "flag": _flag,
    "whole": _whole,
    "number": _number,
    "text": _text,
    "choice": _choice,
    "mapping": _mapping,
}
