"""Choosing a registered part: data set, search space, algorithm, each with what it is."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import streamlit as st

from app import client
from app.widgets import numbers
from app.widgets.form_from_schema import Form
from app.widgets.parts import FAMILIES, family, missing, space_part
from app.widgets.plain import as_html
from app.widgets.schema import Field, at, find

Fields = tuple[Field, ...]


def pick(
    fields: Fields,
    form: Form,
    path: str,
    kind: str,
    label: str,
    names: list[str] | None = None,
    written: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """Draw the choice of a registered part and what the catalogue says of it.

    Args:
        fields: of the whole experiment.
        form: where it is drawn.
        path: field of the experiment.
        kind: list of the catalogue.
        label: what the choice is called.
        names: the options in their order; None: as in the catalogue.
        written: how an option is shown; None: by its title.

    Returns:
        The catalogue's entry of the part that is chosen.
    """
    known = names or [item["name"] for item in client.catalog()[kind]]
    start = at(form.base, path)
    options = known if start in known else [*known, start]
    st.selectbox(
        label,
        options,
        index=options.index(start),
        key=f"{form.key}:{path}",
        format_func=written or (lambda name: client.title(kind, name)),
        persist_state="session",
        help=find(fields, path).help,
    )
    entry = client.entry(kind, str(at(form.current, path)))
    text = entry.get("help") or entry.get("description") or ""
    quiet(text, str(entry.get("source") or ""))
    form.fault(path)
    return entry


def quiet(text: str, source: str = "") -> None:
    """Draw a few words below a choice, with where they come from."""
    cited = f" <i>{escape(source)}</i>" if source else ""
    st.html(f'<p class="nw-quiet nw-small nw-under">{as_html(text)}{cited}</p>')


def space(fields: Fields, form: Form) -> dict[str, Any]:
    """Draw the choice of the search space, each option with its size."""

    def written(name: str) -> str:
        size = client.entry("spaces", name).get("size")
        own = name == "custom"  # its size is that of the definition, not of the example
        return client.title("spaces", name) + (f" · {_size(size)}" if size and not own else "")

    return pick(fields, form, "space", "spaces", "Search space", written=written)


def _size(size: int) -> str:
    return f"{numbers.count(size) if size < 10**7 else f'{size:.1e}'} architectures"


def algorithm(fields: Fields, form: Form) -> dict[str, Any]:
    """Draw the choice of the algorithm by family, those that do not fit the space last."""
    here = space_part(form.current)
    order = list(FAMILIES)
    every = [item["name"] for item in client.catalog()["algorithms"]]
    lacking = {name: missing(here, name) for name in every}
    every.sort(key=lambda name: (bool(lacking[name]), order.index(family(name)), title(name)))

    def written(name: str) -> str:
        note = " (not in this space)" if lacking.get(name) else ""
        return f"{family(name)} · {title(name)}{note}"

    entry = pick(
        fields, form, "algorithm", "algorithms", "Algorithm", names=every, written=written
    )
    name = str(entry["name"])
    if name in every:
        quiet(f"{family(name)}: {FAMILIES[family(name)]}")
    with st.popover("All algorithms in a line each", icon=":material/list:", type="tertiary"):
        _glance(every, lacking)
    return entry


def title(name: str) -> str:
    """Return the title of an algorithm."""
    return client.title("algorithms", name)


def _glance(names: list[str], lacking: dict[str, list[str]]) -> None:
    for group, words in FAMILIES.items():
        st.markdown(f"**{group}.** {words}")
        rows = [
            f"<dt>{escape(title(name))}</dt><dd>{escape(_line(name, lacking[name]))}</dd>"
            for name in names
            if family(name) == group
        ]
        wide = "grid-template-columns: minmax(7rem, 12rem) 1fr"
        st.html(f'<dl class="nw-facts nw-small" style="{wide}">{"".join(rows)}</dl>')


def _line(name: str, lacking: list[str]) -> str:
    text = str(client.entry("algorithms", name).get("help", ""))
    first = text.split(". ")[0].rstrip(".") + "."
    return f"{first} Not in this space, which lacks {' and '.join(lacking)}." if lacking else first
