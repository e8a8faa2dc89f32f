"""One or two found architectures: drawn, what differs, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from app import client, links
from app.client import Drawn
from app.found import Found
from app.widgets import cell_graph, found_table, numbers, one_architecture
from app.widgets.cell_marks import Difference, Marks, differences, marks
from app.widgets.plain import plain
from engine.core.architecture import Architecture
from engine.spaces import get_space

Marked = Mapping[str, Marks]
Together = Mapping[tuple[str, str], Sequence[Found]]
BESIDE = 640  # pixels of the widest cell that is still readable in half the page


def single(one: Found, together: Together) -> None:
    """Draw one architecture."""
    st.subheader("The selected architecture", anchor=False)
    st.caption("Select a second row or point to see the two side by side.")
    _head(one)
    drawn = _drawn(one)
    cell_graph.show(drawn, text=False)
    one_architecture.told(drawn, _facts(one, together))


def pair(first: Found, second: Found, together: Together) -> None:
    """Draw two architectures side by side, what differs in bold and all else faded."""
    st.subheader("Two architectures side by side", anchor=False)
    different = compared(first, second)
    st.markdown(_sentence(first, second, different))
    both, drawings = (first, second), (_drawn(first), _drawn(second))
    bold = marked(*drawings) if different else (None, None)
    if _wide(drawings):  # too small beside each other
        for one, drawn, mine in zip(both, drawings, bold, strict=True):
            with st.container(border=True):
                _head(one)
                cell_graph.show(drawn, mine, text=False)
    columns = st.columns(2, gap="medium", border=True)
    for place, one, drawn, mine in zip(columns, both, drawings, bold, strict=True):
        with place:
            _head(one)
            if not _wide(drawings):
                cell_graph.show(drawn, mine, text=False)
            one_architecture.told(drawn, _facts(one, together))
    if different:
        _list(different)


def _drawn(one: Found) -> Drawn:
    return one_architecture.describe(client.spec(one.run_id), one.indices)


def _wide(drawings: Sequence[Drawn]) -> bool:
    graphs = [graph for drawn in drawings for graph in drawn.graphs.values()]
    return any(cell_graph.natural_width(graph) > BESIDE for graph in graphs)


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


def marked(first: Drawn, second: Drawn) -> tuple[Marked | None, Marked | None]:
    """Return what to draw bold in each, by cell; None where no cell corresponds."""
    found = {
        name: both
        for name, graph in first.graphs.items()
        if name in second.graphs and (both := marks(graph, second.graphs[name])) is not None
    }
    if not found:
        return None, None
    return {k: one for k, (one, _) in found.items()}, {k: two for k, (_, two) in found.items()}


def _head(one: Found) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(one.run_name)}** · rank {one.rank}", width="stretch")
        st.page_link(
            links.EXPERIMENT,
            label="Open in its run",
            icon=":material/open_in_new:",
            query_params={"run": one.run_id, "architecture": str(one.rank)},
        )


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
        f"<tr><th scope='row'>{escape(one.choice.replace('->', '→'))}</th>"
        f"<td>{escape(one.first)}</td><td aria-hidden='true'>→</td>"
        f"<td>{escape(one.second)}</td></tr>"
        for one in different
    )
    st.markdown("**What differs**")
    st.html(
        '<div class="nw-scroll"><table class="nw-differences nw-small"><thead><tr><th>Choice</th>'
        f"<th>Left</th><th></th><th>Right</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
