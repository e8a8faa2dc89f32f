"""The toy space: the thesis' chain in NAS-Bench-201 by hand, and what holds in every space."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.core import capabilities
from engine.core.space import CellGraph
from engine.spaces import SPACES, get_space
from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec
from engine.study.toy_space import operations_with_weights, shared_matrices, toy_space

NB201 = get_space("nb201")
NETWORK = NetworkSpec(channels=2, cells=3)
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
    weighted = frozenset({"conv"})
    assert [shared_matrices(graph, node, weighted) for node in ("a", "b", "c", "d")] == [
        0,
        1,
        0,
        1,
    ]


def test_operations_with_weights() -> None:
    found = operations_with_weights(NB201, NETWORK, range(6))
    assert found == {"nor_conv_1x1", "nor_conv_3x3"}
    darts = get_space("darts")
    normal = [i for i, choice in enumerate(darts.choices) if choice.name.startswith("normal")]
    found = operations_with_weights(darts, NETWORK, normal)
    assert found == {"sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"}


@pytest.mark.parametrize("name", DRAWN)
def test_only_the_last_node_varies(name: str) -> None:
    space = get_space(name)
    toy = toy_space(space, NETWORK)
    assert len(toy.members) == len(set(toy.members)) >= 4
    assert len(set(toy.shared)) >= 2, "the fixed part was chosen to have several amounts"
    for position, choice in enumerate(space.choices):
        options = {member.indices[position] for member in toy.members}
        assert choice.name in toy.free or options == {toy.base.indices[position]}
    assert toy == toy_space(space, NETWORK), "the same draw every time"


def test_a_space_without_a_cell_is_refused() -> None:
    with pytest.raises(SpecError, match="`nats_size` has no cell whose last node could vary"):
        toy_space(get_space("nats_size"), NETWORK)
