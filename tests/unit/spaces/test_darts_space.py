"""Counts, texts, costs and canonical forms of the DARTS space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.architecture import Architecture
from engine.core.capabilities import ENUMERABLE
from engine.paths.fair import FairPaths
from engine.spaces.darts import DARTS_SPACE as SPACE
from engine.spaces.darts_cells import EDGES, needed_layers
from engine.spaces.darts_reference import DARTS_V1, DARTS_V2, GDAS, NASNET_A, PC_DARTS, SNAS
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec

PUBLISHED = NetworkSpec(channels=36, cells=20)
INSIDE = (DARTS_V1, DARTS_V2, PC_DARTS, GDAS, SNAS)
SKIPS = [("skip_connect", 0), ("skip_connect", 1)] * 4
ARCHITECTURES = st.tuples(
    *(st.integers(0, len(choice.options) - 1) for choice in SPACE.choices)
).map(lambda indices: Architecture("darts", indices))


def genotype(normal: list[tuple[str, int]], reduce: list[tuple[str, int]] | None = None) -> str:
    return (
        f"Genotype(normal={normal}, normal_concat=range(2, 6), "
        f"reduce={reduce or SKIPS}, reduce_concat=range(2, 6))"
    )


def canonical(normal: list[tuple[str, int]], reduce: list[tuple[str, int]] | None = None) -> str:
    return SPACE.canonical(SPACE.parse(genotype(normal, reduce)))


# -- sizes -------------------------------------------------------------------------------------
def test_sizes_in_print() -> None:
    as_darts, as_002 = SPACE.counts.values()
    assert as_darts == 1_037_664_180**2  # "10^9 per cell", §3.1.1 of its appendix
    assert f"{as_002:.1e}" == "3.3e+13"
    assert SPACE.size == (180 * 8**8) ** 2
    assert len(SPACE.choices) == 22 and len(SPACE.mixture) == 28
    assert ENUMERABLE not in SPACE.provides


def test_fairnas_sees_every_operation_once_whatever_the_wiring() -> None:
    operations = [i for i, choice in enumerate(SPACE.choices) if choice.kind == "op"]
    assert len(operations) == 16
    for seed in range(5):
        routes = FairPaths(SPACE).routes(np.random.default_rng(seed))
        for i, choice in enumerate(SPACE.choices):
            taken = sorted(route.active[i][0] for route in routes)
            assert taken == list(range(8)) if choice.kind == "op" else len(set(taken)) == 1
        for route in routes:
            SPACE.check(Architecture.of("darts", [i for (i,) in route.active]))


# -- texts -------------------------------------------------------------------------------------
@settings(max_examples=150, deadline=None)
@given(ARCHITECTURES)
def test_texts_and_edges_read_back(one: Architecture) -> None:
    assert SPACE.parse(SPACE.to_text(one)) == one
    cells = SPACE.edges(one)
    assert SPACE.of_edges(cells) == one
    for node in range(2, 6):
        for cell in cells:
            used = [o for (_, t), o in zip(EDGES, cell, strict=True) if t == node]
            assert sum(option is not None for option in used) == 2


def test_the_text_is_what_darts_prints() -> None:
    text = SPACE.to_text(SPACE.parse(DARTS_V2))
    assert text.startswith("Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ")
    assert text.endswith("('max_pool_3x3', 1), ('skip_connect', 2)], reduce_concat=range(2, 6))")
    assert SPACE.parse(text.replace("'", '"').replace(", ", " ,\n")) == SPACE.parse(DARTS_V2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (DARTS_V2.replace("dil_conv_3x3", "conv_9x9"), "`conv_9x9` is no operation"),
        (DARTS_V2.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)"), "cannot read node 5"),
        (DARTS_V2.replace("('dil_conv_3x3', 2)", "('none', 0)"), "reads node 0 twice"),
        (DARTS_V2.replace(", ('dil_conv_3x3', 2)", ""), "has 8 edges"),
        (DARTS_V2.replace("[2, 3, 4, 5]", "[3, 4, 5]", 1), r"given was \[3, 4, 5\]"),
        (DARTS_V2.replace("reduce_concat", "normal_concat"), "`normal_concat` twice"),
        (DARTS_V2.replace("reduce_concat", "output"), "given was `output`"),
        (DARTS_V2.split(", reduce_concat")[0] + ")", "lacks `reduce_concat`"),
        (DARTS_V2 + " + 1", "expected was"),
        (DARTS_V2[:-1], "the end of the text"),
        (DARTS_V2.replace("'dil_conv_3x3'", "__import__('os')"), "in quotes"),
        (DARTS_V2.replace("[2, 3, 4, 5]", "range(2, 2+4)"), "expected was"),
        (NASNET_A, "`sep_conv_7x7` is no operation of the DARTS space"),
        ("|skip_connect~0|", "looks like `Genotype"),
        ("(" * 20_000, "at most 10,000 characters"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(ArchitectureError, match=says):
        SPACE.parse(text)


def test_only_two_edges_a_node_make_an_architecture() -> None:
    normal, reduction = SPACE.edges(SPACE.parse(DARTS_V2))
    with pytest.raises(ArchitectureError, match="Node 2 of the reduce cell has 1 edges"):
        SPACE.of_edges((normal, (None, *reduction[1:])))


# -- canonical forms ---------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(ARCHITECTURES, st.permutations(range(4)))
def test_identical_networks_have_equal_forms_and_costs(
    one: Architecture, order: list[int]
) -> None:
    """Renumber the inner nodes of the normal cell where its edges allow it."""
    normal, reduction = SPACE.edges(one)
    place = {0: 0, 1: 1} | {2 + old: 2 + new for old, new in enumerate(order)}
    moved: list[int | None] = [None] * len(EDGES)
    for (source, target), option in zip(EDGES, normal, strict=True):
        if option is not None:
            edge = (place[source], place[target])
            if edge not in EDGES:
                return
            moved[EDGES.index(edge)] = option
    other = SPACE.of_edges((tuple(moved), reduction))
    assert SPACE.canonical(other) == SPACE.canonical(one)
    assert SPACE.cost(other, PUBLISHED) == SPACE.cost(one, PUBLISHED)


SEP = "sep_conv_3x3"


def test_what_is_dead_or_a_mere_name_does_not_count() -> None:
    rest = [("skip_connect", 0), ("none", 1)]
    base = canonical([(SEP, 0), ("none", 1), (SEP, 2), ("none", 0), *rest, *rest])
    # `none` may come from anywhere.
    assert base == canonical([(SEP, 0), ("none", 1), (SEP, 2), ("none", 1), *rest, *rest])
    # Operations on a node without value are dead.
    empty = [("none", 0), ("none", 1)]
    dead = canonical([*empty, (SEP, 2), (SEP, 0), *rest, *rest])
    assert dead == canonical([*empty, ("none", 2), (SEP, 0), *rest, *rest])
    # A skip connection of stride 1 is its source.
    assert canonical([*rest, (SEP, 2), (SEP, 1), *rest, *rest]) == canonical(
        [*rest, (SEP, 0), (SEP, 1), *rest, *rest]
    )
    # Poolings have no weights: two equal ones are one. Convolutions have, so they stay two.
    for name, equal in (("max_pool_3x3", True), (SEP, False)):
        one = [(name, 0), ("none", 1)]
        twice = canonical([*one, *one, *empty, *empty])
        through = canonical([*one, ("skip_connect", 2), ("none", 1), *empty, *empty])
        assert (twice == through) == equal


def test_a_skip_of_stride_two_has_weights() -> None:
    rest = [("none", 0), ("none", 1)]
    first = [("skip_connect", 0), ("none", 1), (SEP, 2), ("none", 1), *rest, *rest]
    second = [("skip_connect", 0), ("none", 1), (SEP, 0), ("none", 1), *rest, *rest]
    assert canonical(first) == canonical(second)
    assert canonical(SKIPS, first) != canonical(SKIPS, second)


def test_different_networks_differ() -> None:
    texts = [SPACE.canonical(SPACE.parse(text)) for text in INSIDE]
    assert len(set(texts)) == len(INSIDE)
    swapped = GDAS.replace("('sep_conv_5x5', 2)", "('sep_conv_5x5', 1)", 1)
    assert SPACE.canonical(SPACE.parse(swapped)) not in texts


def test_layers_that_no_one_reads() -> None:
    assert needed_layers(5, ({0, 1}, {0, 1})) == (True,) * 5
    # Reading the cell before the last only: every other one.
    assert needed_layers(5, ({0}, {0})) == (True, False, True, False, True)
    assert needed_layers(5, ({0}, {0}), roots=(3,)) == (True, True, True, True, True)
    assert needed_layers(5, (set(), {0, 1})) == (False, False, False, False, True)


def test_drawings_show_what_is_alive() -> None:
    normal = [("none", 0), ("none", 1), (SEP, 2), (SEP, 0), *SKIPS[4:]]
    graphs = SPACE.graphs(SPACE.parse(genotype(normal)))
    assert list(graphs) == ["normal", "reduce"]
    dead = [edge[:3] for edge in graphs["normal"].edges if not edge[3]]
    assert dead == [("0", "1", SEP), ("0", "c_{k}", "")]
    assert len(graphs["normal"].edges) == 10
