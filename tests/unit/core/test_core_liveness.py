"""Live edges against walks through the graph."""

from __future__ import annotations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.liveness import live_edges


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[bool], set[int], set[int]]:
    """Return edges in any order, parallel ones too, and nodes that enter and leave."""
    nodes = draw(st.integers(2, 7))
    pair = st.tuples(st.integers(0, nodes - 2), st.integers(1, nodes - 1)).filter(
        lambda edge: edge[0] < edge[1]
    )
    edges = draw(st.lists(pair, max_size=14))
    present = draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    some = st.sets(st.integers(0, nodes - 1), max_size=3)
    return edges, present, draw(some), draw(some)


@given(graphs())
@settings(deadline=None, max_examples=300)
def test_alive_is_reachable_and_useful(
    case: tuple[list[tuple[int, int]], list[bool], set[int], set[int]],
) -> None:
    edges, present, inputs, outputs = case
    graph = nx.DiGraph()
    graph.add_nodes_from(range(7))
    graph.add_edges_from(edge for edge, flag in zip(edges, present, strict=True) if flag)
    reached = {node for start in inputs for node in {start} | nx.descendants(graph, start)}
    needed = {node for end in outputs for node in {end} | nx.ancestors(graph, end)}
    wanted = tuple(
        flag and source in reached and target in needed
        for (source, target), flag in zip(edges, present, strict=True)
    )
    assert live_edges(edges, present, inputs, outputs) == wanted


def test_by_eye() -> None:
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    found = live_edges(edges, [True, False, True, True, True, False], {0}, {3})
    assert found == (True, False, False, True, True, False)
