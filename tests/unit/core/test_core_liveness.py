"""Live edges against walks through the graph."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.liveness import live_edges


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[bool], set[int], set[int]]:
    """Return dense graphs, edges in any order and some twice, and nodes that enter and leave."""
    nodes = draw(st.integers(2, 6))
    pairs = list(combinations(range(nodes), 2))
    edges = draw(st.permutations(pairs + pairs[::3]))
    present = draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    some = st.sets(st.integers(0, nodes - 1), max_size=1)
    return edges, present, {0} | draw(some), {nodes - 1} | draw(some)


@given(graphs())
@settings(deadline=None, max_examples=200)
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


def test_a_long_chain_in_any_order() -> None:
    chain = [(node, node + 1) for node in range(6)]
    for edges in (chain, chain[::-1], chain[::2] + chain[1::2]):
        assert live_edges(edges, [True] * 6, {0}, {6}) == (True,) * 6
        assert live_edges(edges, [True] * 6, {1}, {5}) == tuple(1 <= a < 5 for a, _ in edges)


def test_nothing_enters_or_nothing_leaves() -> None:
    assert live_edges([(0, 1)], [True], set(), {1}) == (False,)
    assert live_edges([(0, 1)], [True], {0}, set()) == (False,)
    assert live_edges([], [], {0}, {0}) == ()
