"""A layered drawing from left to right (Sugiyama, Tagawa and Toda, 1981).

Nodes stand in even columns. An edge passes through one point in every column between its ends,
and its label takes the place of one of the points in the odd columns, so labels never cover each
other, nodes or lines. Columns are ordered for few crossings; heights then solve a least-squares
problem column by column.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.core.space import CellGraph
from engine.spec.errors import ExportError

GAP = 12.0
COLUMN_GAP = 30.0
NODE_HEIGHT = 38.0
PORT = 11.0
SWEEPS = 6
STARTS = 8
HEIGHT_SWEEPS = 60
STRAIGHT = 20.0
"""How much more two points of one edge want to be level than a point and a node."""
_POINT = (0.0, 8.0)

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True)
class Wire:
    """An edge on the drawing.

    Attributes:
        before: from the right side of its source to the left side of its label.
        after: from the right side of its label to the left side of its target.
        label: centre of its label.
    """

    before: tuple[Point, ...]
    after: tuple[Point, ...]
    label: Point


@dataclass(frozen=True)
class Layout:
    """Places on the drawing, in pixels; y grows downwards.

    Attributes:
        nodes: centre per node.
        sizes: width and height per node.
        wires: one per edge, in the order of the graph.
        width: of the whole drawing, which begins at x = 0.
        top: smallest y.
        bottom: largest y.
    """

    nodes: tuple[Point, ...]
    sizes: tuple[Size, ...]
    wires: tuple[Wire, ...]
    width: float
    top: float
    bottom: float


@dataclass
class _Vertex:
    column: int
    size: Size
    node: bool
    y: float = 0.0


class _Net:
    """Nodes and the points of edges, before they have places."""

    def __init__(self, graph: CellGraph, node_size: Sequence[Size], labels: Sequence[Size]):
        layers = _layers(graph)
        ends = _ends(graph)
        self.vertices = [
            _Vertex(2 * layer, size, True) for layer, size in zip(layers, node_size, strict=True)
        ]
        self.chains: list[list[int]] = [[] for _ in ends]
        self.label_of: list[int] = [0] * len(ends)
        crowd: dict[int, int] = {}
        by_length = sorted(range(len(ends)), key=lambda e: layers[ends[e][1]] - layers[ends[e][0]])
        for edge in by_length:
            source, target = ends[edge]
            first, last = 2 * layers[source], 2 * layers[target]
            middle = (first + last) / 2
            place = min(
                range(first + 1, last, 2),
                key=lambda column: (abs(column - middle) > 1, crowd.get(column, 0), -column),
            )
            crowd[place] = crowd.get(place, 0) + 1
            chain = [source]
            for column in range(first + 1, last):
                if column == place:
                    self.label_of[edge] = len(self.vertices)
                chain.append(len(self.vertices))
                size = labels[edge] if column == place else _POINT
                self.vertices.append(_Vertex(column, size, False))
            self.chains[edge] = [*chain, target]
        self.links = [
            (a, b) for chain in self.chains for a, b in zip(chain, chain[1:], strict=False)
        ]
        self.columns: list[list[int]] = [
            [] for _ in range(1 + max(vertex.column for vertex in self.vertices))
        ]
        for number, vertex in enumerate(self.vertices):
            self.columns[vertex.column].append(number)


def lay_out(
    graph: CellGraph,
    node_width: Callable[[str], float],
    label_size: Callable[[str], Size],
) -> Layout:
    """Place nodes, labels and lines.

    Args:
        graph: the cell.
        node_width: width of a node by its name.
        label_size: width and height of an operation's label.

    Raises:
        ExportError: an edge goes to an unknown node, or not from an earlier to a later one.
    """
    ends = _ends(graph)
    busy = [0] * len(graph.nodes)
    for node in range(len(graph.nodes)):
        outgoing = sum(source == node for source, _ in ends)
        incoming = sum(target == node for _, target in ends)
        busy[node] = max(outgoing, incoming)
    sizes = [
        (node_width(name), max(NODE_HEIGHT, PORT * (busy[place] + 1)))
        for place, name in enumerate(graph.nodes)
    ]
    net = _Net(graph, sizes, [label_size(edge[2]) for edge in graph.edges])
    _order(net)
    _set_heights(net)
    _flatten(net)
    return _finish(net, len(graph.nodes))


def _ends(graph: CellGraph) -> list[tuple[int, int]]:
    place = {name: number for number, name in enumerate(graph.nodes)}
    ends = []
    for source, target, *_ in graph.edges:
        if source not in place or target not in place or place[source] >= place[target]:
            raise ExportError(
                f"This cell cannot be drawn: its edge {source} -> {target} does not go from an "
                f"earlier to a later one of the nodes {', '.join(graph.nodes)}."
            )
        ends.append((place[source], place[target]))
    return ends


def inputs_of(graph: CellGraph) -> set[int]:
    """Return the places of the nodes that have a value from outside.

    That is the first node, and every other that reaches the output without an incoming edge.
    """
    fed = {target for _, target, *_ in graph.edges}
    live = {source for source, _, _, alive in graph.edges if alive}
    return {0} | {
        place for place, name in enumerate(graph.nodes) if name not in fed and name in live
    }


def _layers(graph: CellGraph) -> list[int]:
    """Number the layers by the longest path; unconnected nodes keep their turn in the order."""
    ends, inputs, last = _ends(graph), inputs_of(graph), len(graph.nodes) - 1
    before: list[list[int]] = [[] for _ in graph.nodes]
    for source, target in ends:
        before[target].append(source)
    layers: list[int] = []
    for node in range(len(graph.nodes)):
        if node in inputs:
            layers.append(0)
        else:
            sources = before[node] or [node - 1]
            layers.append(1 + max(layers[source] for source in sources))
    if last > 0:
        layers[last] = max(layers[last], 1 + max(layers[:last]))
    return layers


# -- order within columns --------------------------------------------------------------------
def _order(net: _Net) -> None:
    """Order the columns for few crossings, from several starts as long as some are left."""
    rng = random.Random(0)
    best, fewest = [list(column) for column in net.columns], _crossings(net)
    for _ in range(STARTS):
        if fewest == 0:
            break
        for sweep in range(SWEEPS):
            _sort_by_neighbours(net, sweep % 2)
            _swap(net)
            count = _crossings(net)
            if count < fewest:
                best, fewest = [list(column) for column in net.columns], count
        for column in net.columns:
            rng.shuffle(column)
    net.columns = best


def _sort_by_neighbours(net: _Net, side: int) -> None:
    """Sort every column by the mean place of its neighbours to the left (0) or right (1)."""
    near: dict[int, list[int]] = {}
    for link in net.links:
        near.setdefault(link[1 - side], []).append(link[side])
    for column in net.columns if side == 0 else reversed(net.columns):
        place = {v: i for other in net.columns for i, v in enumerate(other)}
        keys = {}
        for vertex in column:
            around = near.get(vertex, [vertex])
            keys[vertex] = sum(place[other] for other in around) / len(around)
        column.sort(key=keys.__getitem__)


def _swap(net: _Net) -> None:
    """Exchange neighbours within a column as long as that removes crossings."""
    count, better = _crossings(net), True
    while better:
        better = False
        for column in net.columns:
            for i in range(len(column) - 1):
                column[i], column[i + 1] = column[i + 1], column[i]
                now = _crossings(net)
                if now < count:
                    count, better = now, True
                else:
                    column[i], column[i + 1] = column[i + 1], column[i]


def _crossings(net: _Net) -> int:
    place = {v: i for column in net.columns for i, v in enumerate(column)}
    between: dict[int, list[tuple[int, int]]] = {}
    for a, b in net.links:
        between.setdefault(net.vertices[a].column, []).append((place[a], place[b]))
    return sum(
        (a - c) * (b - d) < 0
        for links in between.values()
        for position, (a, b) in enumerate(links)
        for c, d in links[:position]
    )


# -- heights ---------------------------------------------------------------------------------
def _set_heights(net: _Net) -> None:
    """Pull every vertex to its neighbours' heights, and lonely nodes to the middle line."""
    near: dict[int, list[int]] = {}
    for a, b in net.links:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    for column in net.columns:
        _settle(net, column, {vertex: (0.0, 1.0) for vertex in column})
    for sweep in range(HEIGHT_SWEEPS):
        for column in net.columns if sweep % 2 == 0 else reversed(net.columns):
            lonely = sum(net.vertices[vertex].node for vertex in column) == 1
            wishes = {}
            for vertex in column:
                around = near.get(vertex, [])
                if net.vertices[vertex].node and (lonely or not around):
                    wishes[vertex] = (0.0, 1000.0)
                else:
                    wishes[vertex] = _wish(net, vertex, around)
            _settle(net, column, wishes)


def _wish(net: _Net, vertex: int, around: Sequence[int]) -> tuple[float, float]:
    """Return the height a vertex would like, and how much: edges are kept straight, labels too."""
    pulls = [
        1.0 if net.vertices[vertex].node or net.vertices[other].node else STRAIGHT
        for other in around
    ]
    total = sum(pulls)
    mean = sum(
        pull * net.vertices[other].y for pull, other in zip(pulls, around, strict=True)
    ) / total
    return mean, total


def _settle(net: _Net, column: Sequence[int], wishes: dict[int, tuple[float, float]]) -> None:
    """Minimise the weighted squared distances to the wishes, keeping order and gaps.

    With the gaps subtracted this is isotonic regression, solved by pooling adjacent violators.
    """
    offsets, offset = [], 0.0
    for place, vertex in enumerate(column):
        if place:
            above, here = net.vertices[column[place - 1]], net.vertices[vertex]
            offset += (above.size[1] + here.size[1]) / 2 + GAP
        offsets.append(offset)
    pools: list[list[float]] = []
    for vertex, shift in zip(column, offsets, strict=True):
        wish, weight = wishes[vertex]
        pools.append([wish - shift, weight, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            value, heavy, count = pools.pop()
            other = pools[-1]
            total = other[1] + heavy
            pools[-1] = [(other[0] * other[1] + value * heavy) / total, total, other[2] + count]
    values = [value for value, _, count in pools for _ in range(int(count))]
    for vertex, shift, value in zip(column, offsets, values, strict=True):
        net.vertices[vertex].y = value + shift


def _flatten(net: _Net) -> None:
    """Make the points of an edge level where nothing is in the way, long edges first."""
    inner = sorted((chain[1:-1] for chain in net.chains), key=len, reverse=True)
    for points in inner:
        for y in sorted({net.vertices[point].y for point in points}, key=abs):
            if all(_fits(net, point, y) for point in points):
                for point in points:
                    net.vertices[point].y = y
                break


def _fits(net: _Net, vertex: int, y: float) -> bool:
    here = net.vertices[vertex]
    column = net.columns[here.column]
    place = column.index(vertex)
    for other, sign in ((place - 1, 1), (place + 1, -1)):
        if 0 <= other < len(column):
            near = net.vertices[column[other]]
            if sign * (y - near.y) < (here.size[1] + near.size[1]) / 2 + GAP - 0.01:
                return False
    return True


# -- pixels ----------------------------------------------------------------------------------
def _finish(net: _Net, nodes: int) -> Layout:
    centres, x = [], 0.0
    for column in net.columns:
        width = max((net.vertices[vertex].size[0] for vertex in column), default=0.0)
        centres.append(x + width / 2)
        x += width + COLUMN_GAP
    spots = [(centres[vertex.column], vertex.y) for vertex in net.vertices]
    leaving, arriving = _ports(net, nodes)
    wires = []
    for edge, chain in enumerate(net.chains):
        label = net.label_of[edge]
        cut = chain.index(label)
        (x_from, y_from), (x_to, y_to) = spots[chain[0]], spots[chain[-1]]
        start = (x_from + net.vertices[chain[0]].size[0] / 2, y_from + leaving[edge])
        end = (x_to - net.vertices[chain[-1]].size[0] / 2, y_to + arriving[edge])
        (at, level), half = spots[label], net.vertices[label].size[0] / 2
        before = (start, *(spots[vertex] for vertex in chain[1:cut]), (at - half, level))
        after = ((at + half, level), *(spots[vertex] for vertex in chain[cut + 1 : -1]), end)
        wires.append(Wire(before, after, spots[label]))
    return Layout(
        nodes=tuple(spots[:nodes]),
        sizes=tuple(vertex.size for vertex in net.vertices[:nodes]),
        wires=tuple(wires),
        width=x - COLUMN_GAP,
        top=min(vertex.y - vertex.size[1] / 2 for vertex in net.vertices),
        bottom=max(vertex.y + vertex.size[1] / 2 for vertex in net.vertices),
    )


def _ports(net: _Net, nodes: int) -> tuple[dict[int, float], dict[int, float]]:
    """Return per edge where it leaves its source and meets its target, from the node's centre.

    An edge that is level with the node keeps its height; the others stand around it.
    """
    found: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for side, (end, beside) in enumerate(((0, 1), (-1, -2))):
        for node in range(nodes):
            edges = [e for e, chain in enumerate(net.chains) if chain[end] == node]
            rise = {e: net.vertices[net.chains[e][beside]].y - net.vertices[node].y for e in edges}
            edges.sort(key=rise.__getitem__)
            middle = (len(edges) - 1) / 2
            level = [place for place, edge in enumerate(edges) if abs(rise[edge]) < 1]
            anchor = min(level, key=lambda place: abs(place - middle), default=middle)
            room = net.vertices[node].size[1] / 2 - 8
            reach = max(anchor, len(edges) - 1 - anchor, 1)
            for place, edge in enumerate(edges):
                found[side][edge] = (place - anchor) * min(PORT, room / reach)
    return found
