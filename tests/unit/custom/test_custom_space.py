"""User-defined spaces: sizes, texts, costs and canonical forms, for whatever is defined."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from custom_cases import CELLS, EXAMPLES, ODD, custom, definitions, drawn, images, skeleton
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from engine.core.architecture import Architecture
from engine.core.capabilities import ENUMERABLE, OP_MIXTURE, WIDTH_SLICES
from engine.networks import Route, build_stand_alone
from engine.spaces import get_space
from engine.spaces.custom import CUSTOM_SPACE, ChainSpace, CustomSpace
from engine.spaces.nb201 import EDGES, NB201_SPACE, OPERATIONS
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec, NormSpec

torch.set_num_threads(1)
relaxed = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
SPACES = {**EXAMPLES, **CELLS}


@given(definitions)
@relaxed
def test_sizes_and_texts_of_whatever_is_defined(definition: dict[str, Any]) -> None:
    space = custom(definition)
    if space.size <= 2000:
        listed = list(space.enumerate())
        assert len(set(listed)) == len(listed) == space.size
        texts = {space.to_text(one) for one in listed}
        assert len(texts) == space.size
    for one in drawn(space, 5):
        text = space.to_text(one)
        assert space.parse(text) == space.parse(f"  {text}\n".replace(", ", ",")) == one
        assert space.canonical(one).startswith(f"{space.digest}")
        assert space.encode(list(space.decode(one).values())) == one
    assert get_space("custom", dict(reversed(definition.items()))).digest == space.digest


@given(definitions, st.integers(0, 2**31))
@relaxed
def test_costs_are_those_of_the_built_network(definition: dict[str, Any], seed: int) -> None:
    space = custom(definition)
    network = skeleton(space, ODD if seed % 2 else ODD.model_copy(update={"norm": NormSpec()}))
    for one in drawn(space, 2, seed):
        net = build_stand_alone(one, network, 0, space)
        counted = [0]

        def count(conv: nn.Conv2d, given: Any, out: torch.Tensor) -> None:
            weights = conv.weight[0].numel()
            counted[0] += weights * out[0].numel()  # noqa: B023

        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(count)
        logits = net(images(network), Route.of(one))
        assert logits.shape == (4, network.classes)
        cost = space.cost(one, network)
        assert sum(p.numel() for p in net.parameters()) == cost.params
        assert counted[0] + sum(p.numel() for p in net.head.classifier.parameters()) == cost.flops


# -- canonical forms ---------------------------------------------------------------------------
NB201_EDGES = {f"{s}->{t}": None for t in range(1, 4) for s in range(t)}


def as_nb201(operations: list[str]) -> CustomSpace:
    """Return NAS-Bench-201's cell with some of its operations."""
    return custom(
        {"kind": "cell", "nodes": [0, 1, 2, 3], "operations": operations, "edges": NB201_EDGES}
    )


def classes(canonical: Callable[[tuple[int, ...]], str], count: int) -> set[frozenset[Any]]:
    found: dict[str, set[tuple[int, ...]]] = {}
    for indices in itertools.product(range(count), repeat=6):
        found.setdefault(canonical(indices), set()).add(indices)
    return {frozenset(members) for members in found.values()}


def test_identical_cells_are_those_that_nas_bench_201_finds() -> None:
    names = ["none", "skip_connect", "nor_conv_3x3"]
    space, place = as_nb201(names), [OPERATIONS.index(name) for name in names]
    assert [choice.name for choice in space.choices] == [f"{s}->{t}" for s, t in EDGES]

    def theirs(indices: tuple[int, ...]) -> str:
        return NB201_SPACE.canonical(Architecture.of("nb201", (place[i] for i in indices)))

    def ours(indices: tuple[int, ...]) -> str:
        return space.canonical(Architecture("custom", indices))

    assert classes(ours, 3) == classes(theirs, 3)


def test_equal_poolings_of_one_value_are_one_network() -> None:
    space = as_nb201(["none", "skip_connect", "avg_pool_3x3", "nor_conv_3x3"])

    def canonical(*indices: int) -> str:
        return space.canonical(Architecture("custom", indices))

    # 0->1, 0->2, 1->2, 0->3, 1->3, 2->3: the pooled input twice, from one edge or from two.
    assert canonical(2, 2, 0, 0, 1, 1) == canonical(2, 0, 1, 0, 1, 1)
    assert canonical(3, 3, 0, 0, 1, 1) != canonical(3, 0, 1, 0, 1, 1)


def test_costs_are_those_of_nas_bench_201_where_nothing_is_dead() -> None:
    space = as_nb201(list(OPERATIONS))
    alive = [one for one in drawn(space, 60) if all(space.live(one))]
    assert len(alive) > 5
    for one in alive:
        theirs = Architecture("nb201", one.indices)
        assert space.cost(one, NetworkSpec()) == NB201_SPACE.cost(theirs, NetworkSpec())


def test_seven_equal_branches_are_told_apart_in_no_time() -> None:
    """Permuting what looks alike would take 7! * 7! orders."""
    space = custom(CELLS["wide"])
    rng = np.random.default_rng(0)
    ups = rng.integers(2, size=7)
    downs = rng.integers(2, size=7)
    ups[:3] = downs[:3] = 1
    order = rng.permutation(7)
    first = Architecture.of("custom", [*ups, *downs])
    second = Architecture.of("custom", [*ups[order], *downs[order]])
    all_on = Architecture("custom", (1,) * 14)
    assert first != second and space.canonical(first) == space.canonical(second)
    assert space.canonical(all_on) != space.canonical(first)
    # Only the number of whole branches matters.
    found = {space.canonical(one) for one in [all_on, *drawn(space, 200)]}
    whole = {
        sum(a and b for a, b in zip(o.indices[:7], o.indices[7:], strict=True))
        for o in [all_on, *drawn(space, 200)]
    }
    assert len(found) == len(whole) > 4


def test_a_skipped_block_can_stand_anywhere() -> None:
    definition = {
        "kind": "chain",
        "operations": ["skip_connect", "nor_conv_3x3", "sep_conv_3x3"],
        "blocks": [{"repeat": 3}, {"stride": 2, "operations": ["nor_conv_3x3", "max_pool_3x3"]}],
    }
    space = custom(definition)
    assert isinstance(space, ChainSpace)
    found = {space.canonical(one) for one in space.enumerate()}
    # Words over two operations of length 0 to 3, before one of two.
    assert len(found) == 2 * (1 + 2 + 4 + 8)


def test_other_definitions_have_other_canonical_forms() -> None:
    digests = {custom(definition).digest for definition in SPACES.values()}
    assert len(digests) == len(SPACES)
    for change in (
        {"stages": 3},
        {"output": ["right", "out"]},
        {"operations": ["none", "nor_conv_1x1"]},
    ):
        assert custom({**EXAMPLES["cell"], **change}).digest not in digests


# -- what a definition offers --------------------------------------------------------------------
def test_sizes_counted_by_hand() -> None:
    assert CUSTOM_SPACE.size == 3**3
    assert custom(EXAMPLES["cell"]).size == 4 * 3 * 2 * 2 * 4
    assert custom(EXAMPLES["chain"]).size == 4**2 * 3 * 4**2 * 2 * 3
    assert custom(EXAMPLES["sizes"]).size == 6 * 3 * 6 * 3
    huge = {"kind": "chain", "operations": ["nor_conv_1x1", "nor_conv_3x3"]}
    space = custom({**huge, "blocks": [{"repeat": 100}]})
    assert space.size == 2**100
    assert ENUMERABLE not in space.provides


def test_what_is_provided_follows_from_the_kind() -> None:
    assert OP_MIXTURE in custom(EXAMPLES["cell"]).provides
    assert OP_MIXTURE in custom(EXAMPLES["chain"]).provides
    assert OP_MIXTURE not in custom(EXAMPLES["sizes"]).provides
    assert WIDTH_SLICES in custom(EXAMPLES["sizes"]).provides
    kernels = {"kind": "sizes", "layers": [{"widths": 4, "kernels": [1, 3]}]}
    assert WIDTH_SLICES not in custom(kernels).provides


def test_edges_into_one_node_compete_and_depend_on_what_they_read() -> None:
    cell, chain = custom(EXAMPLES["cell"]), custom(EXAMPLES["chain"])
    names = [choice.name for choice in cell.choices]
    groups, sources = (
        dict(zip(names, one, strict=True)) for one in (cell.mixture_groups, cell.mixture_sources)
    )
    assert groups["in->right"] == groups["left->right"] != groups["in->left"]
    assert groups["in->out"] == groups["left->out"]
    assert sources["left->right"] == sources["left->out"] == groups["in->left"]
    assert sources["in->left"] == sources["in->out"] == -1
    assert chain.mixture_sources == (-1, 0, 1, 2, 3, 4, 5)
    fixed = {"kind": "chain", "operations": ["nor_conv_1x1", "nor_conv_3x3"]}
    blocks = [{}, {"operations": "nor_conv_1x1"}, {"repeat": 2}]
    assert custom({**fixed, "blocks": blocks}).mixture_sources == (-1, -1, 1)


def test_factors_are_those_that_have_an_effect() -> None:
    cell, one_kernel = (
        custom(EXAMPLES["cell"]),
        custom(EXAMPLES["cell"] | {"operations": ["none", "skip_connect", "nor_conv_3x3"]}),
    )
    assert cell.factors - one_kernel.factors == {"ofa_kernel"}
    assert {"path_dropout", "global_dropout", "partial_channels"} == one_kernel.factors
    assert custom(EXAMPLES["chain"]).factors == {"global_dropout", "ofa_kernel"}
    sizes = EXAMPLES["sizes"]
    assert custom(sizes).factors == {"global_dropout", "dynamic_channels"}
    # A shortcut without convolution between layers of other largest widths: channels would mix.
    wider = {"widths": [16, 64], "block": "residual"}
    mixed = custom({**sizes, "layers": [*sizes["layers"][:2], wider]})
    assert mixed.factors == {"global_dropout"}


def test_texts_can_be_read() -> None:
    cell, chain, sizes = (custom(EXAMPLES[kind]) for kind in ("cell", "chain", "sizes"))
    first = [
        space.to_text(Architecture("custom", (0,) * len(space.choices)))
        for space in (cell, chain, sizes)
    ]
    assert first[0] == (
        "in->left: none, in->right: sep_conv_3x3, left->right: none, in->out: none, "
        "left->out: none, right->out: nor_conv_3x3"
    )
    assert first[1] == (
        "skip_connect, skip_connect, nor_conv_3x3, skip_connect, skip_connect, nor_conv_3x3, "
        "skip_connect"
    )
    assert first[2] == "8k3, 16, 16k1, 32, 64"
    terms = first[0].split(", ")
    assert cell.parse(", ".join(terms[::-1])) == cell.parse(first[0])
    assert cell.parse(first[0].replace(", right->out: nor_conv_3x3", "")) == cell.parse(first[0])


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("cell", "in->left: none", "The edge in->right is missing"),
        ("cell", "in->left: none, in->left: none", "in->left is given twice"),
        ("cell", "in->left: sep_conv_3x3", "cannot carry `sep_conv_3x3`; it has none, skip_"),
        ("cell", "right->out: none", "cannot carry `none`; it has nor_conv_3x3."),
        ("cell", "right->left: none", "is no edge with its operation, such as `in->left: none`"),
        ("chain", "nor_conv_3x3,nor_conv_3x3", "is 7 operations with commas between"),
        ("chain", "a,b,c,d,e,f,g", "Block 1 cannot have `a`; it has skip_connect, nor_conv_3x3"),
        (
            "sizes",
            "8k3,16,16k1,32",
            "is 5 widths with commas between, such as `8k3, 16, 16k1, 32, 64`",
        ),
        ("sizes", "8,16,16k1,32,64", "Layer 1 has a width and a kernel, such as `16k3`"),
        ("sizes", "8k3,16k3,16k1,32,64", "Layer 2 has a width; given was `16k3`"),
        (
            "sizes",
            "8k3,17,16k1,32,64",
            "Layer 2 cannot have 17 channels; possible are 16, 24, 32.",
        ),
        ("sizes", "8k1,16,16k1,32,64", "Layer 1 cannot have 1 as its kernel's side"),
    ],
)
def test_a_wrong_text_is_met_with_what_is_possible(kind: str, text: str, words: str) -> None:
    with pytest.raises(ArchitectureError, match=re.escape(words)):
        custom(EXAMPLES[kind]).parse(text)


@pytest.mark.parametrize("name", SPACES)
def test_drawings_lead_forward_and_hold_every_option(name: str) -> None:
    space = custom(SPACES[name])
    for graphs in (space.overview(), space.graphs(drawn(space, 1)[0])):
        for graph in graphs.values():
            assert len(set(graph.nodes)) == len(graph.nodes)
            for source, target, _, _ in graph.edges:
                assert graph.nodes.index(source) < graph.nodes.index(target)
    shown = {label for graph in space.overview().values() for *_, label, _ in graph.edges}
    if not name.startswith("sizes"):
        assert {option for choice in space.choices for option in choice.options} <= shown
