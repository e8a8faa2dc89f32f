"""Drawings: well-formed, complete, without overlaps, readable without colour."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from export_cases import CELLS, nb201, random_cells

from engine.core.space import CellGraph
from engine.export.dot import dot_source
from engine.export.graph_layout import lay_out
from engine.export.graph_net import Net, inputs_of, order
from engine.export.graph_style import NODE, NOTE, contrast, ink_on, label, styles
from engine.export.graph_svg import LABEL_HEIGHT, svg
from engine.spaces import SPACES, get_space
from engine.spec.errors import ExportError

SVG = "{http://www.w3.org/2000/svg}"
PAGES = ("#FFFFFF", "#0E1117", "#0F161B")
DARTS_NODES = ("c_{k-2}", "c_{k-1}", "0", "1", "2", "3", "c_{k}")
DARTS = CellGraph(
    DARTS_NODES,
    (
        ("c_{k-1}", "0", "sep_conv_3x3", True),
        ("c_{k-2}", "0", "sep_conv_3x3", True),
        ("c_{k-2}", "1", "sep_conv_5x5", True),
        ("c_{k-1}", "1", "max_pool_3x3", True),
        ("c_{k-1}", "2", "avg_pool_3x3", True),
        ("c_{k-2}", "2", "skip_connect", True),
        ("c_{k-2}", "3", "dil_conv_5x5", True),
        ("0", "3", "dil_conv_3x3", True),
        *((str(node), "c_{k}", "", True) for node in range(4)),
    ),
)


def cells() -> Iterator[tuple[str, CellGraph]]:
    space = get_space("nb201")
    for indices in (*CELLS.values(), *random_cells(60)):
        yield str(indices), space.graphs(nb201(indices))["cell"]
    yield "darts", DARTS


ALL = dict(cells())


def parse(graph: CellGraph, title: str = "A cell") -> ElementTree.Element:
    return ElementTree.fromstring(svg({"cell": graph}, title))


def hints(root: ElementTree.Element) -> list[str]:
    return [item.text or "" for item in root.iterfind(f".//{SVG}g/{SVG}title")]


def texts(root: ElementTree.Element) -> list[str]:
    return [item.text or "" for item in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", ALL)
def test_every_node_and_edge_is_drawn(name: str) -> None:
    graph = ALL[name]
    root = parse(graph)
    assert root.tag == f"{SVG}svg"
    found, shown = hints(root), texts(root)
    for source, target, operation, alive in graph.edges:
        if operation:
            hint = f"{source} → {target}: {operation}"
            assert found.count(hint + ("" if alive else ", reaches no output")) == 1
            assert label(operation) in shown
            assert operation in shown, "the legend names the operation"
    for node in graph.nodes:
        assert node in shown
    lines = [p for p in root.iter(f"{SVG}path") if p.get("stroke") and p.get("fill") == "none"]
    lines = [p for p in lines if not p.get("d", "").endswith("z")]
    assert len(lines) == len(graph.edges)


@pytest.mark.parametrize("name", ALL)
def test_dead_edges_are_dotted_and_explained(name: str) -> None:
    graph = ALL[name]
    root = parse(graph)
    dead = sum(not alive for *_, alive in graph.edges)
    faint = [p for p in root.iter(f"{SVG}path") if p.get("opacity")]
    assert len(faint) == 2 * dead  # a line and its head
    assert ("reaches no output" in texts(root)) == (dead > 0)
    alive = any(flag for *_, flag in graph.edges)
    assert ("The output is zero." in texts(root)) == (not alive)


def boxes(graph: CellGraph) -> list[tuple[float, float, float, float]]:
    """Return (left, top, right, bottom) of all nodes and labels."""

    def width(text: str) -> float:
        return 8.0 * len(text) + 18

    def size(operation: str) -> tuple[float, float]:
        return (width(operation), LABEL_HEIGHT) if operation else (16.0, 8.0)

    layout = lay_out(graph, width, size)
    placed = list(zip(layout.nodes, layout.sizes, strict=True))
    placed += [
        (wire.label, size(edge[2]))
        for wire, edge in zip(layout.wires, graph.edges, strict=True)
        if edge[2]
    ]
    found = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in placed]
    assert min(box[0] for box in found) > -0.01
    assert max(box[2] for box in found) < layout.width + 0.01
    assert min(box[1] for box in found) > layout.top - 0.01
    assert max(box[3] for box in found) < layout.bottom + 0.01
    return found


@pytest.mark.parametrize("name", ALL)
def test_nodes_and_labels_do_not_overlap(name: str) -> None:
    for first, second in itertools.combinations(boxes(ALL[name]), 2):
        apart = (
            first[2] <= second[0]
            or second[2] <= first[0]
            or first[3] <= second[1]
            or second[3] <= first[1]
        )
        assert apart, (first, second)


@pytest.mark.parametrize("name", ALL)
def test_lines_go_rightwards_and_miss_the_nodes(name: str) -> None:
    graph = ALL[name]
    layout = lay_out(graph, lambda text: 60.0, lambda text: (90.0, LABEL_HEIGHT))
    for wire, (source, target, *_) in zip(layout.wires, graph.edges, strict=True):
        points = [*wire.before, *wire.after]
        assert points == sorted(points, key=lambda point: point[0])
        for node, (x, y), (width, height) in zip(
            graph.nodes, layout.nodes, layout.sizes, strict=True
        ):
            for px, py in points:
                inside = abs(px - x) < width / 2 and abs(py - y) < height / 2
                assert not inside, (source, target, node)


@pytest.mark.parametrize("name", [name for name in ALL if name != "darts"])
def test_four_nodes_need_no_crossing(name: str) -> None:
    graph = ALL[name]
    net = Net(graph, [(50.0, 38.0)] * len(graph.nodes), [(80.0, 24.0)] * len(graph.edges))
    order(net)
    place = {v: i for column in net.columns for i, v in enumerate(column)}
    crossings = [
        (a, b)
        for a, b in itertools.combinations(net.links, 2)
        if net.vertices[a[0]].column == net.vertices[b[0]].column
        and (place[a[0]] - place[b[0]]) * (place[a[1]] - place[b[1]]) < 0
    ]
    assert crossings == []


def test_inputs_are_told_from_nodes_without_edges() -> None:
    assert inputs_of(DARTS) == {0, 1}
    assert inputs_of(ALL[str(CELLS["fed by nothing"])]) == {0}


def test_an_edge_backwards_or_to_nowhere_is_refused() -> None:
    for edge in (("b", "a", "skip", True), ("a", "a", "skip", True), ("a", "z", "skip", True)):
        with pytest.raises(ExportError, match="cannot be drawn"):
            svg({"cell": CellGraph(("a", "b"), (edge,))}, "title")


def test_two_edges_between_the_same_nodes_are_both_drawn() -> None:
    graph = CellGraph(("a", "b"), (("a", "b", "one", True), ("a", "b", "two", True)))
    assert {"a → b: one", "a → b: two"} <= set(hints(parse(graph)))
    found = boxes(graph)
    assert len(found) == 4
    assert found[2] != found[3]


def test_drawing_is_the_same_every_time() -> None:
    assert svg({"cell": DARTS}, "x") == svg({"cell": DARTS}, "x")


# -- look ------------------------------------------------------------------------------------
def operations_of(space: str) -> list[str]:
    choices = [choice for choice in SPACES[space].choices if choice.kind == "op"]
    return sorted({option for choice in choices for option in choice.options} - {"none"})


@pytest.mark.parametrize("space", [name for name in SPACES.names() if operations_of(name)])
def test_operations_of_a_space_differ_in_colour_and_in_dash_or_shape(space: str) -> None:
    names = operations_of(space)
    edges = tuple(("a", "b", name, True) for name in names)
    looks = styles({"cell": CellGraph(("a", "b"), edges)})
    assert list(looks) == names
    assert len({look.colour for look in looks.values()}) == len(names)
    assert len({(look.dash, look.shape) for look in looks.values()}) == len(names)


def test_known_operations_look_alike_in_every_drawing() -> None:
    looks = styles({"cell": DARTS})
    alone = CellGraph(("a", "b"), (("a", "b", "dil_conv_3x3", True),))
    assert styles({"x": alone})["dil_conv_3x3"] == looks["dil_conv_3x3"]


def test_colours_can_be_read_on_light_and_dark_pages() -> None:
    names = [f"made up {number}" for number in range(18)]
    made_up = CellGraph(("a", "b"), tuple(("a", "b", name, True) for name in names))
    looks = styles({"one": DARTS, "two": ALL[str(CELLS["mixed"])], "three": made_up})
    for colour in {look.colour for look in looks.values()} | {NODE, NOTE}:
        for page in PAGES:
            assert contrast(colour, page) >= 3.0, (colour, page)
        assert contrast(colour, ink_on(colour)) >= 4.5, colour
    assert all(contrast(NOTE, page) >= 4.2 for page in PAGES)
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)


def test_labels_are_short() -> None:
    assert label("nor_conv_3x3") == "conv 3×3"
    assert label("skip_connect") == "skip"
    assert label("dil_conv_5x5") == "dil conv 5×5"
    assert label("maxpool3x3") == "max pool 3×3"


# -- the file --------------------------------------------------------------------------------
HOSTILE = "<script>alert('x')</script> & \" ]]> \0 \x1b end"


def test_texts_are_escaped() -> None:
    graph = CellGraph(("<a>", "b&'\""), (("<a>", "b&'\"", HOSTILE, True),))
    text = svg({"cell": graph, HOSTILE: graph}, HOSTILE, HOSTILE)
    root = ElementTree.fromstring(text)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in text
    allowed = {"svg", "title", "desc", "g", "path", "rect", "text"}
    assert {item.tag.removeprefix(SVG) for item in root.iter()} <= allowed
    assert root.findtext(f"{SVG}title") == re.sub("[\0\x1b]", "\ufffd", HOSTILE)


def test_it_is_described_for_screen_readers() -> None:
    graph = ALL[str(CELLS["half dead"])]
    root = parse(graph, "The title")
    assert root.get("role") == "img"
    ids = {item.get("id"): item.text for item in root if item.get("id")}
    assert ids[root.get("aria-labelledby")] == "The title"
    words = ids[root.get("aria-describedby")] or ""
    assert "0 to 1: nor_conv_1x1; " in words
    assert "(reaches no output)" in words


def test_ids_differ_between_drawings() -> None:
    found = [item.get("id") for graph in ALL.values() for item in parse(graph) if item.get("id")]
    drawings = {svg({"cell": graph}, "A cell") for graph in ALL.values()}
    assert len(set(found)) == 2 * len(drawings)


def test_it_scales_and_has_no_background() -> None:
    root = parse(DARTS)
    left, top, width, height = map(float, root.get("viewBox", "").split())
    assert (left, top) == (0, 0)
    assert (root.get("width"), root.get("height")) == (f"{width:g}", f"{height:g}")
    assert "max-width:100%" in root.get("style", "")
    for item in root.iter(f"{SVG}rect"):
        assert float(item.get("width", "0")) < width / 2


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = svg({"cell": DARTS}, "x").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|href|url\(|@import|<style", text)


def test_names_of_several_cells_are_shown() -> None:
    shown = texts(ElementTree.fromstring(svg({"normal": DARTS, "reduction": DARTS}, "x")))
    assert {"normal", "reduction"} <= set(shown)
    assert "cell" not in texts(parse(DARTS))


# -- Graphviz --------------------------------------------------------------------------------
def test_dot_has_every_edge() -> None:
    text = dot_source({"cell": ALL[str(CELLS["half dead"])]}, "title")
    lines = [line for line in text.splitlines() if "->" in line]
    graph = ALL[str(CELLS["half dead"])]
    assert len(lines) == len(graph.edges)
    for line, (source, target, operation, alive) in zip(lines, graph.edges, strict=True):
        assert line.strip().startswith(f"n0_{source} -> n0_{target} ")
        assert f'label="{label(operation)}"' in line
        assert ("style=dotted" in line) == (not alive)
    assert text.count("{") == text.count("}")


def test_dot_texts_are_quoted() -> None:
    nasty = 'a"; b -> c; \\N\nnext'
    graph = CellGraph((nasty, "b"), ((nasty, "b", nasty, True),))
    text = dot_source({nasty: graph, "two": graph}, nasty)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert outside.count("->") == 2
    assert '\\\\N next"' in text


def test_operations_of_two_families_are_told_apart_in_one_drawing() -> None:
    names = ["nor_conv_3x3", "nor_conv_1x1", "sep_conv_3x3", "dil_conv_5x5", "mine"]
    edges = tuple(("a", "b", name, True) for name in names)
    looks = styles({"cell": CellGraph(("a", "b"), edges)})
    assert list(looks) == names
    assert len({look.colour for look in looks.values()}) == len(names)
    assert looks["sep_conv_3x3"].shape == looks["nor_conv_3x3"].shape == "pill"
