"""Which of the found architectures are shown; every choice stands in the address."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from app import client
from app.found import Filter, Found

VALUES = {"stand_alone": "Stand-alone", "super_net": "Super-net"}
MILLION = 1e6
# Key of a widget, which is also its name in the address: attribute, label, kind of the catalogue.
_CHOICES = {
    "found-space": ("space", "Space", "spaces"),
    "found-data": ("data", "Data", "datasets"),
    "found-algorithm": ("algorithm", "Algorithm", "algorithms"),
}


def draw(found: Sequence[Found]) -> Filter:
    """Draw the controls and return what they say."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="found-filter"):
        words = st.text_input(
            "Search",
            key="found-words",
            type="search",
            live=True,
            width=260,
            placeholder="Run, operation, text, seed",
            bind="query-params",
        )
        chosen = {
            attribute: _choice(key, label, _present(found, attribute), _titles(kind))
            for key, (attribute, label, kind) in _CHOICES.items()
        }
    with st.container(horizontal=True, key="found-ranges"):
        value = st.segmented_control(
            "Accuracy",
            list(VALUES),
            default="stand_alone",
            required=True,
            format_func=VALUES.__getitem__,
            key="found-value",
            bind="query-params",
            help="Stand-alone: trained by itself. Super-net: with the shared weights, by which "
            "the search ranked. The chart and the range of accuracy use it.",
        )
        value = value or "stand_alone"
        accuracy = _range(
            f"{VALUES[value]} accuracy (%)",
            "found-accuracy",
            (getattr(f, value) for f in found),
            1,
        )
        params = _range(
            "Parameters (M)", "found-params", (_millions(one.params) for one in found), 3
        )
    return Filter(
        words or "",
        chosen["space"],
        chosen["data"],
        chosen["algorithm"],
        accuracy,
        None if params is None else (params[0] * MILLION, params[1] * MILLION),
        value,
    )


def _present(found: Iterable[Found], attribute: str) -> list[str]:
    return sorted({getattr(one, attribute) for one in found})


def _titles(kind: str) -> Callable[[str], str]:
    return lambda name: client.title(kind, name)


def _choice(
    key: str, label: str, options: list[str], titles: Callable[[str], str]
) -> tuple[str, ...]:
    """Draw a choice of several, unless there is nothing to choose."""
    if len(options) < 2:
        return ()
    return tuple(
        st.multiselect(
            label,
            options,
            format_func=titles,
            key=key,
            width=220,
            placeholder="All",
            bind="query-params",
        )
    )


def _millions(value: float | None) -> float | None:
    return None if value is None else value / MILLION


def _range(
    label: str, key: str, values: Iterable[float | None], digits: int
) -> tuple[float, float] | None:
    """Draw a range and return it; None where all of it is wanted, or there is none."""
    known = [value for value in values if value is not None]
    scale = 10**digits
    low = math.floor(min(known, default=0.0) * scale) / scale
    high = math.ceil(max(known, default=0.0) * scale) / scale
    if low >= high:
        return None
    chosen = st.slider(
        label, low, high, (low, high), 1 / scale, f"%.{digits}f", key=key, width=300,
        bind="query-params",
    )  # fmt: skip
    return None if chosen == (low, high) else chosen
