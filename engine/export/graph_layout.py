"""A layered drawing from left to right (Sugiyama, Tagawa and Toda, 1981).

Nodes stand in even columns. An edge passes through one point in every column between its ends,
and its label takes the place of one of the points in the odd columns, so labels never cover each
other, nodes or lines. Columns are ordered for few crossings; heights then solve a least-squares
problem column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.core.space import CellGraph
from engine.export.graph_net import Net, Size, ends_of, order

GAP = 12.0
SLACK = 4.0
COLUMN_GAP = 30.0
NODE_HEIGHT = 38.0
PORT = 11.0
HEIGHT_SWEEPS = 60
STRAIGHT = 20.0
"""How much more two points of one edge want to be level than a point and a node."""
SPINE = 500.0
"""How much more the labels between neighbouring layers want to be level than others."""

Point = tuple[float, float]


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
    ends = ends_of(graph)
    busy = [0] * len(graph.nodes)
    for node in range(len(graph.nodes)):
        outgoing = sum(source == node for source, _ in ends)
        incoming = sum(target == node for _, target in ends)
        busy[node] = max(outgoing, incoming)
    sizes = [
        (node_width(name), max(NODE_HEIGHT, PORT * (busy[place] + 1)))
        for place, name in enumerate(graph.nodes)
    ]
    net = Net(graph, sizes, [label_size(edge[2]) for edge in graph.edges])
    order(net)
    _set_heights(net)
    _flatten(net)
    return _finish(net, len(graph.nodes))


# -- heights ---------------------------------------------------------------------------------
def _set_heights(net: Net) -> None:
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


def _wish(net: Net, vertex: int, around: Sequence[int]) -> tuple[float, float]:
    """Return the height a vertex would like, and how much: edges are kept straight, labels too."""
    pulls = [
        1.0 if net.vertices[vertex].node or net.vertices[other].node else STRAIGHT
        for other in around
    ]
    total = sum(pulls)
    firm = SPINE if vertex in net.spine else 1.0
    mean = (
        sum(pull * net.vertices[other].y for pull, other in zip(pulls, around, strict=True))
        / total
    )
    return mean, firm * total


def _settle(net: Net, column: Sequence[int], wishes: dict[int, tuple[float, float]]) -> None:
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


def _flatten(net: Net) -> None:
    """Make the points of an edge level where nothing is in the way, long edges first."""
    inner = sorted((chain[1:-1] for chain in net.chains), key=len, reverse=True)
    for points in inner:
        for y in sorted({net.vertices[point].y for point in points}, key=abs):
            if all(_fits(net, point, y) for point in points):
                for point in points:
                    net.vertices[point].y = y
                break


def _fits(net: Net, vertex: int, y: float) -> bool:
    here = net.vertices[vertex]
    column = net.columns[here.column]
    place = column.index(vertex)
    for other, sign in ((place - 1, 1), (place + 1, -1)):
        if 0 <= other < len(column):
            near = net.vertices[column[other]]
            if sign * (y - near.y) < (here.size[1] + near.size[1]) / 2 + GAP - SLACK:
                return False
    return True


# -- pixels ----------------------------------------------------------------------------------
def _finish(net: Net, nodes: int) -> Layout:
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


def _ports(net: Net, nodes: int) -> tuple[dict[int, float], dict[int, float]]:
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
            level = [place for place, edge in enumerate(edges) if abs(rise[edge]) < 2]
            anchor = min(level, key=lambda place: abs(place - middle), default=middle)
            room = net.vertices[node].size[1] / 2 - 8
            reach = max(anchor, len(edges) - 1 - anchor, 1)
            for place, edge in enumerate(edges):
                found[side][edge] = (place - anchor) * min(PORT, room / reach)
    return found
