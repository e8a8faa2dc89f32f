"""One or two found architectures: drawn, what differs, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from app import client, links
from app.found import Found
from app.widgets import found_table, numbers, one_architecture
from app.widgets.cell_marks import Difference, Marks, differences, marks
from app.widgets.plain import plain
from engine.core.architecture import Architecture
from engine.spaces import get_space

Drawn = Mapping[str, Marks]
Together = Mapping[tuple[str, str], Sequence[Found]]


def single(one: Found, together: Together) -> None:
    """Draw one architecture."""
    st.subheader("The selected architecture", anchor=False)
    st.caption("Select a second row or point to see the two side by side.")
    _draw(one, together, None)


def pair(first: Found, second: Found, together: Together) -> None:
    """Draw two architectures side by side, what differs in bold and all else faded."""
    st.subheader("Two architectures side by side", anchor=False)
    different = compared(first, second)
    st.markdown(_sentence(first, second, different))
    one, other = _marked(first, second) if different is not None else (None, None)
    left, right = st.columns(2, gap="large", border=True)
    with left:
        _draw(first, together, one)
    with right:
        _draw(second, together, other)
    if different:
        _list(different)


def compared(first: Found, second: Found) -> list[Difference] | None:
    """Return the choices that differ; None where the two have not the same choices."""
    options = []
    for one in (first, second):
        settings = client.spec(one.run_id).space_settings
        space = get_space(one.space, settings)
        options.append(space.decode(Architecture.of(one.space, one.indices)))
    if first.space != second.space or list(options[0]) != list(options[1]):
        return None
    return differences(*options)


def _sentence(first: Found, second: Found, different: list[Difference] | None) -> str:
    if different is None:
        return (
            f"They belong to different search spaces, {_space(first)} and {_space(second)}, so "
            "that no choice of one corresponds to one of the other."
        )
    if not different:
        return "They are one and the same architecture, found twice."
    total = len(first.indices)
    told = f"They differ in {len(different)} of {total} choices."
    if first.network == second.network:
        told += " Yet they build the same network: what differs does not reach the output."
    return told


def _space(one: Found) -> str:
    return plain(client.title("spaces", one.space))


def _marked(first: Found, second: Found) -> tuple[Drawn | None, Drawn | None]:
    """Return what to draw bold in each, by cell; None where no cell corresponds."""
    drawings = []
    for one in (first, second):
        spec = client.spec(one.run_id)
        space = get_space(one.space, spec.space_settings)
        drawings.append(space.graphs(Architecture.of(one.space, one.indices)))
    found = {
        name: marks(graph, drawings[1][name])
        for name, graph in drawings[0].items()
        if name in drawings[1]
    }
    known = {name: both for name, both in found.items() if both is not None}
    if not known:
        return None, None
    return {name: one for name, (one, _) in known.items()}, {
        name: other for name, (_, other) in known.items()
    }


def _draw(one: Found, together: Together, marked: Drawn | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(one.run_name)}** · rank {one.rank}", width="stretch")
        st.page_link(
            links.EXPERIMENT,
            label="Open in its run",
            icon=":material/open_in_new:",
            query_params={"run": one.run_id, "architecture": str(one.rank)},
        )
    one_architecture.show(client.spec(one.run_id), one.indices, _facts(one, together), marked)


def _facts(one: Found, together: Together) -> dict[str, object]:
    return {
        "Stand-alone accuracy": numbers.accuracy(one.stand_alone),
        "Super-net accuracy": numbers.accuracy(one.super_net),
        **one_architecture.costs(one.params, one.flops, one.latency_ms, one.latency_on),
        "Algorithm": client.title("algorithms", one.algorithm),
        "Space": client.title("spaces", one.space),
        "Data": client.title("datasets", one.data),
        "Seed": one.seed,
        "Found by": numbers.searcher(one.searcher) if one.searcher else "",
        "Also found by": found_table.also(one, together[one.network]) or "no other run",
    }


def _list(different: Sequence[Difference]) -> None:
    """Write the differences choice by choice."""
    rows = "".join(
        f"<tr><th scope='row'>{escape(one.choice)}</th><td>{escape(one.first)}</td>"
        f"<td aria-hidden='true'>→</td><td>{escape(one.second)}</td></tr>"
        for one in different
    )
    st.markdown("**What differs**")
    st.html(
        '<div class="nw-scroll"><table class="nw-differences nw-small"><thead><tr><th>Choice</th>'
        f"<th>Left</th><th></th><th>Right</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
