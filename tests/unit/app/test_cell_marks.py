"""Where two architectures differ, in the drawing and in words, for every space."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest

from app.widgets.cell_graph import natural_width, svg
from app.widgets.cell_marks import Marks, differences, marks
from engine.core.architecture import Architecture
from engine.core.space import CellGraph
from engine.spaces import SPACES, get_space

SVG = "{http://www.w3.org/2000/svg}"
FIXED = [name for name in SPACES if name != "custom"]


def edges(graph: CellGraph) -> Counter[tuple[int, int, str]]:
    return Counter((graph.nodes.index(s), graph.nodes.index(t), o) for s, t, o, _ in graph.edges)


@pytest.mark.parametrize("name", FIXED)
def test_what_is_marked_is_what_the_other_lacks(name: str) -> None:
    space, rng = get_space(name), np.random.default_rng(0)
    compared = 0
    for _ in range(30):
        drawn = [space.sample(rng) for _ in range(2)]
        first, second = (space.graphs(one) for one in drawn)
        assert set(first) == set(second)
        for cell in first:
            found = marks(first[cell], second[cell])
            if found is None:
                assert len(first[cell].nodes) != len(second[cell].nodes)
                continue
            compared += 1
            for mine, other, marked in (
                (first[cell], second[cell], found[0]), (second[cell], first[cell], found[1]),
            ):  # fmt: skip
                bold = [edge for i, edge in enumerate(mine.edges) if i in marked.edges]
                sub = CellGraph(mine.nodes, tuple(bold))
                assert edges(sub) == edges(mine) - edges(other)
                named = {i for i, n in enumerate(mine.nodes) if n != other.nodes[i]}
                assert marked.nodes == named
    assert compared, "this space is compared at least sometimes"


@pytest.mark.parametrize("name", FIXED)
def test_differences_in_words_turn_one_into_the_other(name: str) -> None:
    space, rng = get_space(name), np.random.default_rng(1)
    for _ in range(20):
        first, second = space.sample(rng), space.sample(rng)
        found = differences(space.decode(first), space.decode(second))
        assert len(found) == space.hamming(first, second)
        turned = space.decode(first) | {one.choice: one.second for one in found}
        assert space.encode(list(turned.values())) == second
        assert all(space.decode(first)[one.choice] == one.first for one in found)


def test_an_equal_network_has_nothing_marked() -> None:
    space = get_space("nb201")
    (graph,) = space.graphs(Architecture.of("nb201", (3, 1, 2, 0, 4, 3))).values()
    nothing = Marks(frozenset(), frozenset())
    assert marks(graph, graph) == (nothing, nothing)
    assert marks(graph, CellGraph(("0", "1"), ())) is None


def test_marked_edges_are_bold_and_others_faded() -> None:
    graph = CellGraph(
        ("0", "1", "2"), (("0", "1", "skip_connect", True), ("0", "2", "nor_conv_3x3", True))
    )
    root = ET.fromstring(svg(graph, "cell", Marks(frozenset({1}), frozenset({2}))))
    lines = [(float(p.get("stroke-width", 0)), float(p.get("opacity", 0)))
             for p in root.iter(f"{SVG}path")]  # fmt: skip
    assert sorted(lines) == [(2.4, 0.6), (4.6, 1.0)]
    unmarked = ET.fromstring(svg(graph, "cell"))
    assert {p.get("opacity") for p in unmarked.iter(f"{SVG}path")} == {"1"}


@pytest.mark.parametrize("name", FIXED)
def test_nodes_hold_their_names_and_do_not_touch(name: str) -> None:
    space, rng = get_space(name), np.random.default_rng(2)
    for graph in space.graphs(space.sample(rng)).values():
        root = ET.fromstring(svg(graph, "cell"))
        nodes = [r for r in root.iter(f"{SVG}rect") if r.get("rx") == "15"]
        spans = sorted((float(r.get("x", 0)), float(r.get("width", 0))) for r in nodes)
        assert len(spans) == len(graph.nodes)
        for (x, width), (following, _) in zip(spans, spans[1:], strict=False):
            assert x + width < following
        assert spans[0][0] >= 0
        assert spans[-1][0] + spans[-1][1] <= natural_width(graph)
        labelled = [t for t in root.iter(f"{SVG}rect") if t.get("rx") == "6"]
        assert len(labelled) == sum(bool(op) for _, _, op, _ in graph.edges)
