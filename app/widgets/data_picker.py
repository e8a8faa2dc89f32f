"""The data set of an experiment; imported ones are chosen by name, not typed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import lab_datasets, links
from app.widgets import numbers, part_pickers
from app.widgets.form_from_schema import Form, help_of
from app.widgets.schema import Field, at, find
from engine.datasets.imported import Imported

PATH = "data.path"
IMPORTED = "imported"
# Classes, channels and side of the images of the data sets that are always the same.
IMAGES = {"digits": (10, 1, 8), "cifar10": (10, 3, 32), "cifar100": (100, 3, 32)}


def images(value: dict[str, Any]) -> tuple[int, int, int] | None:
    """Return classes, channels and side of an experiment's images, None where nobody knows."""
    name, path = at(value, "data.name"), at(value, PATH)
    if name != IMPORTED:
        return IMAGES.get(str(name))
    item = lab_datasets.find(str(path))
    if item is None or item.imported is None:
        return None
    return len(item.imported.classes), item.imported.channels, item.imported.height


def draw(fields: tuple[Field, ...], form: Form) -> None:
    """Draw the choice of the data set, and of its path or name where it has one.

    Args:
        fields: of the whole experiment.
        form: where it is drawn.
    """
    entry = part_pickers.pick(fields, form, "data.name", "datasets", "Data set")
    path = find(fields, PATH)
    if entry["name"] == IMPORTED:
        _imported(path, form)
    elif entry.get("needs_path"):
        form.field(path)
    else:
        _absence(str(entry["name"]))


def _imported(field: Field, form: Form) -> None:
    known = {item.spec.path: item for item in lab_datasets.known() if item.imported}
    key, start = f"{form.key}:{field.path}", at(form.base, field.path)
    now = st.session_state.get(key, start)
    options = [*known, *dict.fromkeys(one for one in (start, now) if one and one not in known)]

    def written(name: str) -> str:
        item = known.get(name)
        return _facts(item.imported) if item is not None and item.imported else name

    st.selectbox(
        "Imported data set",
        options,
        index=options.index(start) if start in options else None,
        key=key,
        format_func=written,
        placeholder="Choose one" if known else "None is imported yet",
        help=help_of(field),
        persist_state="session",
    )
    form.fault(field.path)
    st.page_link(
        links.DATASETS,
        label="Look at them, or import one",
        icon=":material/photo_library:",
    )


def _facts(item: Imported) -> str:
    images = numbers.count(item.images)
    size = f"{item.height} × {item.width}"
    return f"{item.title} · {images} images of {size}, {len(item.classes)} classes"


def _absence(name: str) -> None:
    item = lab_datasets.find(name)
    if item is not None and not item.present:
        st.caption("Its images are not on this machine yet; a worker may have them.")
        st.page_link(links.DATASETS, label="Fetch them", icon=":material/download:")
