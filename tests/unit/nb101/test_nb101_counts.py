"""How many cells there are: the published numbers, found by listing; and which ones are equal."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations, permutations, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nb101_cases import alive_of, drawn, matrix_of, subspace
from scipy.stats import chisquare

from engine.core.architecture import Architecture
from engine.core.capabilities import ENUMERABLE
from engine.spaces.nb101 import NB101_SPACE, NETWORKS
from engine.spaces.nb101_cells import Cell, fingerprint, orders, pruned, reordered
from engine.spaces.nb101_counts import edges_of, networks, valid_wirings

PUBLISHED = {3: 7, 4: 91, 5: 2_532, 6: 64_542, 7: 423_624}


def graph_of(architecture: Architecture, nodes: int) -> nx.DiGraph:
    matrix, operations = matrix_of(architecture, nodes)
    labels = ["in", *operations, "out"]
    alive = alive_of(matrix)
    graph = nx.DiGraph()
    graph.add_nodes_from((v, {"label": labels[v]}) for v in alive)
    graph.add_edges_from((s, t) for s, t in product(alive, alive) if matrix[s, t])
    return graph


def same(first: nx.DiGraph, second: nx.DiGraph) -> bool:
    return nx.is_isomorphic(first, second, lambda a, b: a["label"] == b["label"])


def listed(nodes: int) -> Counter[int]:
    """List the networks anew, by output edges, and check that fingerprints tell them apart."""
    found: Counter[int] = Counter()
    prints = set()
    for cell in networks(nodes):
        found[len(cell.feeders)] += 1
        prints.add(fingerprint.__wrapped__(cell))
        assert pruned.__wrapped__(cell).cell == cell
    assert len(prints) == found.total()
    return found


@pytest.mark.parametrize("nodes", [3, 4, 5])
def test_different_networks_are_as_many_as_published(nodes: int) -> None:
    found = listed(nodes)
    assert found.total() == PUBLISHED[nodes]
    assert tuple(found[k] for k in sorted(found)) == NETWORKS[nodes]


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [6, 7])
def test_all_423624_networks(nodes: int) -> None:
    """About two minutes for seven vertices: `pytest -m slow -k 423624`."""
    found = listed(nodes)
    assert found.total() == PUBLISHED[nodes]
    assert tuple(found[k] for k in sorted(found)) == NETWORKS[nodes]


@pytest.mark.parametrize("output_edges", [None, 1, 2])
def test_every_network_of_a_subspace_is_listed_once(output_edges: int | None) -> None:
    space = subspace(4, output_edges)
    forms = [space.canonical(one) for one in space.networks()]
    assert len(forms) == len(set(forms)) == sum(space.counts.values())
    assert set(forms) == {space.canonical(one) for one in space.enumerate()}


def test_published_counts_are_reported() -> None:
    for nodes, count in PUBLISHED.items():
        assert list(subspace(nodes).counts.values()) == [count]
        by_edges = [subspace(nodes, k).counts for k in range(1, len(NETWORKS[nodes]))]
        assert 1 + sum(sum(counts.values()) for counts in by_edges) == count


def test_equal_fingerprints_are_isomorphic_graphs_and_no_others() -> None:
    """All 423 encodings of at most four vertices, against a search for isomorphisms."""
    space = subspace(4)
    classes = defaultdict(list)
    for one in space.enumerate():
        classes[space.canonical(one)].append(graph_of(one, 4))
    assert len(classes) == 91 and sum(map(len, classes.values())) == 423
    for members in classes.values():
        assert all(same(members[0], other) for other in members[1:])
    for first, second in combinations([members[0] for members in classes.values()], 2):
        assert not same(first, second)


def test_fingerprints_of_five_vertices_by_brute_force() -> None:
    """All 22,680 encodings: as many classes under all renumberings as there are fingerprints."""
    space = subspace(5)
    forms, prints = set(), set()
    for one in space.enumerate():
        prints.add(space.canonical(one))
        matrix, operations = matrix_of(one, 5)
        alive = alive_of(matrix)
        inner = alive[1:-1]
        forms.add(
            min(
                (
                    tuple(operations[v - 1] for v in order),
                    matrix[np.ix_((0, *order, 4), (0, *order, 4))].tobytes(),
                )
                for order in permutations(inner)
            )
        )
    assert len(forms) == len(prints) == 2_532


@given(st.integers(0, 2**32), st.data())
@settings(max_examples=60, deadline=None)
def test_renumbering_and_dead_vertices_change_no_fingerprint(
    seed: int, data: st.DataObject
) -> None:
    (one,) = drawn(1, seed)
    cell = NB101_SPACE.live(one).cell
    order = data.draw(st.sampled_from(list(orders(cell))))
    other = NB101_SPACE.of_cell(reordered(cell, order))
    assert NB101_SPACE.canonical(other) == NB101_SPACE.canonical(one)
    assert same(graph_of(one, 7), graph_of(other, 7))


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_changed_network_has_another_fingerprint(seed: int) -> None:
    """Neighbours of an architecture, against a search for isomorphisms."""
    (one,) = drawn(1, seed)
    for other in NB101_SPACE.neighbours(one):
        equal = NB101_SPACE.canonical(other) == NB101_SPACE.canonical(one)
        assert equal == same(graph_of(one, 7), graph_of(other, 7))


def test_orders_are_all_topological_orders() -> None:
    for one in drawn(20):
        cell = NB101_SPACE.live(one).cell
        graph = nx.DiGraph(list(cell.edges)).subgraph(cell.inner)
        graph = nx.DiGraph(graph)
        graph.add_nodes_from(cell.inner)
        found = list(orders(cell))
        assert len(set(found)) == len(found)
        assert set(found) == set(map(tuple, nx.all_topological_sorts(graph)))


# -- encodings ---------------------------------------------------------------------------------
def accepted(code: int, nodes: int) -> tuple[bool, int]:
    """Say whether a wiring is valid, and how many inner vertices its output reads."""
    edges = edges_of(nodes)
    matrix = np.zeros((nodes, nodes), int)
    for place, edge in enumerate(edges):
        matrix[edge] = code >> (len(edges) - 1 - place) & 1
    alive = alive_of(matrix)
    if len(alive) < 2:
        return False, 0
    kept = matrix[np.ix_(alive, alive)]
    return kept.sum() <= 9, int(kept[1:, -1].sum())


@pytest.mark.parametrize("nodes", [3, 4, 5, 7])
def test_valid_wirings_one_by_one(nodes: int) -> None:
    total = 2 ** len(edges_of(nodes))
    some = np.random.default_rng(nodes).integers(total, size=2_000)
    codes = range(total) if total < 2_000 else sorted(set(map(int, some)))
    found = {k: set(map(int, valid_wirings(nodes, k))) for k in (None, 1, 2, 3, 4)}
    for code in codes:
        valid, fed = accepted(code, nodes)
        assert (code in found[None]) == valid
        assert all((code in found[k]) == (valid and fed == k) for k in (1, 2, 3, 4))


def test_five_output_edges_are_impossible() -> None:
    assert len(valid_wirings(7, 5)) == 0


@pytest.mark.parametrize(("nodes", "size"), [(3, 15), (4, 423), (5, 22_680)])
def test_sizes_are_those_of_the_list(nodes: int, size: int) -> None:
    space = subspace(nodes)
    found = list(space.enumerate())
    assert len(set(found)) == len(found) == space.size == size
    assert found == sorted(found) and all(map(space.is_valid, found[::50]))
    assert ENUMERABLE in space.provides


def test_the_whole_space_is_not_listed() -> None:
    assert NB101_SPACE.size == len(valid_wirings(7, None)) * 3**5
    assert ENUMERABLE not in NB101_SPACE.provides
    assert ENUMERABLE not in subspace(6).provides


@pytest.mark.parametrize("output_edges", [None, 1])
def test_sampling_is_uniform_over_encodings(output_edges: int | None) -> None:
    space = subspace(3, output_edges)
    every = list(space.enumerate())
    counts = Counter(drawn(200 * len(every), seed=4, space=space))
    assert set(counts) == set(every)
    assert chisquare([counts[one] for one in every]).pvalue > 0.001


@pytest.mark.parametrize(("nodes", "output_edges"), [(4, 2), (5, 3), (6, 4), (7, 1), (7, 4)])
def test_moves_stay_in_a_subspace(nodes: int, output_edges: int) -> None:
    space, rng = subspace(nodes, output_edges), np.random.default_rng(1)
    for one in drawn(5, space=space):
        other = space.sample(rng)
        for moved in (
            space.mutate(one, rng),
            space.mutate_each(one, rng, 0.1),
            space.crossover(one, other, rng),
        ):
            assert len(space.live(moved).cell.feeders) == output_edges
        assert all(map(space.is_valid, space.neighbours(one)))


def test_a_cell_knows_its_parts() -> None:
    cell = Cell(((), (0,), (0, 1), (0, 2)), (0, 2))
    assert cell.edges == ((0, 1), (0, 2), (1, 2), (0, 3), (2, 3))
    assert (cell.vertices, cell.feeders, cell.passes) == (4, (2,), True)
    assert [cell.operation(v) for v in cell.inner] == ["conv3x3-bn-relu", "maxpool3x3"]
    dead = Cell(((), (0,), (), (0, 2), (1,)), (0, 1, 2))
    found = pruned(dead)
    assert found is not None and found.kept == (0, 1, 4)
    assert found.cell == Cell(((), (0,), (1,)), (0,))
    assert pruned(Cell(((), (0,), ()), (0,))) is None
