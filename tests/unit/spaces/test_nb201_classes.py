"""Which of the 15,625 are one network: against the published classes and graph isomorphism."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from engine.core.architecture import Architecture
from engine.spaces.nb201 import EDGES, NB201_SPACE, OPERATIONS

EVERYTHING = list(NB201_SPACE.enumerate())


@pytest.fixture(scope="module")
def classes() -> dict[str, list[Architecture]]:
    """Architectures by canonical form."""
    found: dict[str, list[Architecture]] = defaultdict(list)
    for one in EVERYTHING:
        found[NB201_SPACE.canonical(one)].append(one)
    return found


def network(architecture: Architecture) -> nx.DiGraph:
    """Return what is computed: a vertex per operation that counts, edges with multiplicities.

    Written with matrices, unlike `canonical`: with S the skip connections, (I - S)^-1 counts the
    ways in which a value that is put into one node is handed on to another.
    """
    skips = np.eye(4, dtype=int)
    for (source, target), option in zip(EDGES, architecture.indices, strict=True):
        if OPERATIONS[option] == "skip_connect":
            skips[source, target] -= 1
    ways = np.rint(np.linalg.inv(skips)).astype(int)
    graph = nx.DiGraph()
    graph.add_node("in", label="in", node=0)
    for number, ((_, target), option) in enumerate(zip(EDGES, architecture.indices, strict=True)):
        if OPERATIONS[option] not in ("none", "skip_connect"):
            graph.add_node(number, label=OPERATIONS[option], node=target)
    put_into = dict(graph.nodes(data="node"))
    graph.add_node("out", label="out")
    for vertex, node in put_into.items():
        for reader in graph.nodes:
            read = 3 if reader == "out" else None if reader == "in" else EDGES[reader][0]
            if read is not None and ways[node, read]:
                graph.add_edge(vertex, reader, times=int(ways[node, read]))
    useful = nx.ancestors(graph, "out") & (nx.descendants(graph, "in") | {"in"})
    return graph.subgraph(useful | {"out"} | {"in"}).copy()


def same(first: nx.DiGraph, second: nx.DiGraph) -> bool:
    return nx.is_isomorphic(
        first,
        second,
        node_match=lambda a, b: a["label"] == b["label"],
        edge_match=lambda a, b: a["times"] == b["times"],
    )


def signature(graph: nx.DiGraph) -> tuple[object, ...]:
    """Return something that isomorphic graphs have in common, so that near ones are compared."""
    return tuple(
        sorted(
            (
                graph.nodes[vertex]["label"],
                tuple(sorted(data["times"] for _, _, data in graph.in_edges(vertex, data=True))),
                tuple(sorted(data["times"] for _, _, data in graph.out_edges(vertex, data=True))),
            )
            for vertex in graph
        )
    )


def test_there_are_5425_different_networks(classes: dict[str, list[Architecture]]) -> None:
    assert len(classes) == 5_425


def test_equal_forms_are_isomorphic(classes: dict[str, list[Architecture]]) -> None:
    rng = np.random.default_rng(0)
    large = [members for members in classes.values() if len(members) > 1]
    compared = 0
    for place in rng.choice(len(large), size=1_000, replace=False):
        members = large[place]
        first, second = rng.choice(len(members), size=2, replace=False)
        assert same(network(members[first]), network(members[second])), members
        compared += 1
    assert compared == 1_000


def test_different_forms_are_not_isomorphic(classes: dict[str, list[Architecture]]) -> None:
    """Among forms with the same signature, where a wrong merge could hide: 5,000 of 18,285."""
    groups: dict[tuple[object, ...], list[nx.DiGraph]] = defaultdict(list)
    for members in classes.values():
        graph = network(members[0])
        groups[signature(graph)].append(graph)
    pairs = [pair for group in groups.values() for pair in combinations(group, 2)]
    assert len(pairs) == 18_285, "were there none, the signature would do the test's work"
    for place in np.random.default_rng(2).choice(len(pairs), size=5_000, replace=False):
        assert not same(*pairs[place])


def test_random_pairs_agree_with_isomorphism() -> None:
    rng = np.random.default_rng(1)
    for first, second in rng.integers(len(EVERYTHING), size=(1_500, 2)):
        a, b = EVERYTHING[first], EVERYTHING[second]
        equal = NB201_SPACE.canonical(a) == NB201_SPACE.canonical(b)
        assert equal == same(network(a), network(b)), (a, b)


def test_published_classes_are_6466(published: list[dict[str, str]]) -> None:
    """The same partition as the benchmark's own numbering, not only the same number."""
    ours: dict[str, set[str]] = defaultdict(set)
    theirs: dict[str, set[str]] = defaultdict(set)
    for row in published:
        name = NB201_SPACE.published_class(NB201_SPACE.parse(row["arch_str"]))
        ours[name].add(row["unique_str_id"])
        theirs[row["unique_str_id"]].add(name)
    assert len(ours) == len(theirs) == 6_466
    assert all(len(found) == 1 for found in (*ours.values(), *theirs.values()))


def test_6466_without_the_table() -> None:
    assert len({NB201_SPACE.published_class(one) for one in EVERYTHING}) == 6_466


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        # A skip connection into node 1 or 2 only gives the input another name.
        ("|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
         "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|", True),
        # What reaches no output, or starts from zero, is not there.
        ("|nor_conv_1x1~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
         "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|", True),
        # Nodes 1 and 2 change places.
        ("|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|avg_pool_3x3~2|",
         "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|avg_pool_3x3~1|skip_connect~2|", True),
        # One convolution read twice is not two convolutions: the second has weights of its own.
        ("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|",
         "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|", False),
        # Twice the input is not once the input.
        ("|skip_connect~0|+|none~0|none~1|+|skip_connect~0|skip_connect~1|none~2|",
         "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", False),
        # Nothing is nothing, however it comes about.
        ("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|",
         "|none~0|+|none~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2|", True),
        ("|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
         "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|", False),
    ],
)  # fmt: skip
def test_by_hand(first: str, second: str, equal: bool) -> None:
    forms = [NB201_SPACE.canonical(NB201_SPACE.parse(text)) for text in (first, second)]
    assert (forms[0] == forms[1]) == equal


def test_live_edges_are_those_on_a_path() -> None:
    for one in EVERYTHING[::7]:
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(4))
        for number, (edge, option) in enumerate(zip(EDGES, one.indices, strict=True)):
            if option:
                graph.add_edge(*edge, key=number)
        used = {number for path in nx.all_simple_edge_paths(graph, 0, 3) for _, _, number in path}
        assert NB201_SPACE.live(one) == tuple(number in used for number in range(6))
