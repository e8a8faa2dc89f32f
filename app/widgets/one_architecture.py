"""Any one architecture: its cells, its text to copy, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from app import client
from app.client import Drawn
from app.widgets import cell_graph, numbers
from app.widgets.facts import facts as draw_facts
from engine.spec.experiment import ExperimentSpec


def show(spec: ExperimentSpec, indices: Sequence[int], facts: Mapping[str, object]) -> None:
    """Draw an architecture of a run's space.

    Args:
        spec: the run's experiment, which names the space and its settings.
        indices: option indices, as events and results have them.
        facts: what to write below, by name; see `costs` for size and speed.

    Raises:
        ArchitectureError: the indices do not belong to the space.
    """
    drawn = describe(spec, indices)
    cell_graph.show(drawn, text=False)
    told(drawn, facts)


def panel(
    spec: ExperimentSpec,
    indices: Sequence[int],
    facts: Mapping[str, object],
    key: str,
    close: Callable[[], object],
) -> None:
    """Draw the architecture that the viewer clicked on, and a way to put it away.

    Args:
        spec, indices, facts: see `show`.
        key: of the panel, unique on the page.
        close: forgets the choice.
    """
    with st.container(border=True, key=key):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown("**The architecture that you clicked on**", width="stretch")
            st.button(
                "Close",
                key=f"{key}-close",
                type="tertiary",
                icon=":material/close:",
                on_click=close,
            )
        drawn = describe(spec, indices)
        left, right = st.columns([1.6, 1], gap="medium", vertical_alignment="center")
        with left:
            cell_graph.show(drawn, text=False)
        with right:
            told(drawn, facts)


def describe(spec: ExperimentSpec, indices: Sequence[int]) -> Drawn:
    """Return text and cells of an architecture; see `show`."""
    return client.describe(spec.space, spec.network, list(indices), spec.space_settings)


def told(drawn: Drawn, facts: Mapping[str, object]) -> None:
    """Write the text of an architecture, with a button that copies it, and facts."""
    st.code(drawn.text, language=None, wrap_lines=True)
    draw_facts(facts)


def costs(
    params: float | None, flops: float | None, latency_ms: float | None = None, on: str = ""
) -> dict[str, str]:
    """Return size and speed as facts; latency only where it was measured, with its device."""
    found = {"Parameters": numbers.params(params), "FLOPs": numbers.flops(flops)}
    if latency_ms is not None:
        where = f", one image on {on}" if on else ""
        found["Latency"] = f"{numbers.milliseconds(latency_ms)}{where}"
    return found
