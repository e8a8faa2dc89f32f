"""The toy space: the thesis' chain in NAS-Bench-201 by hand, and what holds in every space."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.core import capabilities
from engine.core.space import CellGraph
from engine.spaces import SPACES, get_space
from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec
from engine.study.cell_weights import CellWeights
from engine.study.toy_space import operations_with_weights, toy_space

NB201 = get_space("nb201")
NETWORK = NetworkSpec(channels=4, cells=3)
CHAIN = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|none~2|"
DRAWN = [name for name, space in SPACES.items() if capabilities.CELL_GRAPH in space.provides]


def test_the_chain_of_the_thesis_by_hand() -> None:
    """Node 3 takes node 0, 1 or 2, over one of four operations: 12 architectures."""
    toy = toy_space(NB201, NETWORK, NB201.parse(CHAIN))
    assert (toy.node, toy.free) == ("3", ("0->3", "1->3", "2->3"))
    found = {
        NB201.to_text(m).split("+")[2]: s for m, s in zip(toy.members, toy.shared, strict=True)
    }
    operations = ("skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    expected = {}
    for op in operations:
        expected[f"|{op}~0|none~1|none~2|"] = 0
        expected[f"|none~0|{op}~1|none~2|"] = 1
        expected[f"|none~0|none~1|{op}~2|"] = 2
    assert found == expected
    assert all(NB201.to_text(m).startswith(CHAIN[:40]) for m in toy.members)


def test_with_every_input_the_farthest_one_counts() -> None:
    toy = toy_space(NB201, NETWORK, NB201.parse(CHAIN), every_input=True)
    for member, shared in zip(toy.members, toy.shared, strict=True):
        first, second, third = (index != 0 for index in member.indices[3:])
        assert shared == (2 if third else 1 if second else 0), NB201.to_text(member)
        assert first or second or third
    # 4, 4 x 5 and 4 x 25 settings; with a skip connection the same network can be had twice.
    assert Counter(toy.shared)[0] == 4
    assert len(toy.members) > 100


def test_a_skip_connection_shares_nothing_itself() -> None:
    base = CHAIN.replace("nor_conv_3x3~0", "skip_connect~0")
    toy = toy_space(NB201, NETWORK, NB201.parse(base))
    assert sorted(set(toy.shared)) == [0, 1]


def test_shared_matrices_by_hand() -> None:
    edges = (("in", "a", "conv"), ("a", "b", "pool"), ("in", "c", "conv"), ("b", "d", "conv"))
    graph = CellGraph(("in", "a", "b", "c", "d"), tuple((*edge, True) for edge in edges))
    drawn = CellWeights.of(graph)
    assert [drawn.shared_by(node, {"conv"}) for node in ("a", "b", "c", "d")] == [0, 1, 0, 1]
    assert len(drawn.behind("d", {"conv"})) == 2
    assert [node for node in drawn.nodes if drawn.reaches_output(node)] == ["in", "a", "b", "d"]


def test_operations_on_nodes_count_once_whatever_enters_the_node() -> None:
    """As NAS-Bench-101 is drawn: operations beside the nodes, none on edges."""
    nodes = ("input", "1: conv", "2: conv", "3: pool", "output")
    pairs = ((0, 1), (0, 2), (1, 2), (2, 3), (1, 3), (3, 4))
    drawn = CellWeights.of(
        CellGraph(nodes, tuple((nodes[s], nodes[t], "", True) for s, t in pairs))
    )
    assert drawn.nodes == ("input", "1", "2", "3", "output")
    assert [drawn.shared_by(node, {"conv"}) for node in drawn.nodes] == [0, 0, 1, 2, 2]
    assert sorted(drawn.sources("3")) == ["1", "2"]


def test_what_nothing_feeds_does_not_count() -> None:
    """Node a has no input: b reads the cell's input alone, and c reads nothing."""
    edges = (("a", "b", "conv"), ("in", "b", "conv"), ("a", "c", "conv"), ("b", "d", "conv"))
    graph = CellGraph(("in", "a", "b", "c", "d"), tuple((*edge, True) for edge in edges))
    drawn = CellWeights.of(graph).fed_by({"in"})
    assert drawn.sources("b") == ["in"] and drawn.sources("c") == []
    assert drawn.shared_by("d", {"conv"}) == 1


def test_operations_with_weights() -> None:
    rng = np.random.default_rng(0)
    drawn = [NB201.sample(rng) for _ in range(2)]
    found = operations_with_weights(NB201, NETWORK, drawn, range(6))
    assert found == {"nor_conv_1x1", "nor_conv_3x3"}
    darts = get_space("darts")
    normal = [i for i, choice in enumerate(darts.choices) if choice.name.startswith("normal")]
    found = operations_with_weights(darts, NETWORK, [darts.sample(rng)], normal)
    assert found == {"sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"}


@pytest.mark.parametrize("name", DRAWN)
def test_only_the_last_node_varies(name: str) -> None:
    space = get_space(name)
    toy = toy_space(space, NETWORK)
    assert len(toy.members) == len(set(toy.members)) >= 4
    # In the small cell that `custom` brings along, the last node always has all inputs.
    assert len(set(toy.shared)) >= 2 or name == "custom", "the fixed part was chosen for that"
    for position, choice in enumerate(space.choices):
        options = {member.indices[position] for member in toy.members}
        assert choice.name in toy.free or options == {toy.base.indices[position]}
    assert toy == toy_space(space, NETWORK), "the same draw every time"


def test_a_space_without_a_cell_is_refused() -> None:
    with pytest.raises(SpecError, match="`nats_size` has no cell whose last node could vary"):
        toy_space(get_space("nats_size"), NETWORK)


def test_the_twelve_cells_of_table_5_5() -> None:
    """NAS-Bench-101 with 6 nodes: the last vertex takes one of 4 connections and 3 operations."""
    space = get_space("nb101", {"nodes": 6})
    chain = "conv3x3(0);conv3x3(1);conv3x3(2);{}({});output(4)"
    toy = toy_space(space, NETWORK, space.parse(chain.format("conv3x3", 3)))
    found = {space.to_text(m): shared for m, shared in zip(toy.members, toy.shared, strict=True)}
    operations = ("conv3x3", "conv1x1", "maxpool3x3")
    assert found == {chain.format(op, source): source for op in operations for source in range(4)}
