"""Which column every node and every point of an edge stands in, and in which order there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.core.space import CellGraph
from engine.spec.errors import ExportError

SWEEPS = 6
STARTS = 8
POINT = (0.0, 8.0)
"""Width and height that a point of an edge takes."""

Size = tuple[float, float]


@dataclass
class Vertex:
    """A node, or a point of an edge.

    Attributes:
        column: 0, 1, ... from the left; nodes stand in even ones.
        size: width and height.
        node: it is a node.
        y: height of its centre, which `graph_layout` finds.
    """

    column: int
    size: Size
    node: bool
    y: float = 0.0


class Net:
    """Nodes and the points of edges, in columns.

    Args:
        graph: the cell.
        node_size: width and height per node.
        labels: width and height of the label per edge.

    Attributes:
        vertices: the nodes in the order of the graph, then points.
        chains: per edge the vertices it passes, its ends included.
        label_of: per edge the point that its label stands on.
        spine: labels of the edges between neighbouring layers.
        links: pairs of vertices in neighbouring columns that are joined.
        columns: per column its vertices from top to bottom.

    Raises:
        ExportError: an edge goes to an unknown node, or not from an earlier to a later one.
    """

    def __init__(
        self, graph: CellGraph, node_size: Sequence[Size], labels: Sequence[Size]
    ) -> None:
        layers = _layers(graph)
        ends = ends_of(graph)
        self.vertices = [
            Vertex(2 * layer, size, True) for layer, size in zip(layers, node_size, strict=True)
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
                size = labels[edge] if column == place else POINT
                self.vertices.append(Vertex(column, size, False))
            self.chains[edge] = [*chain, target]
        self.spine = {chain[1] for chain in self.chains if len(chain) == 3}
        self.links = [link for chain in self.chains for link in pairwise(chain)]
        self.columns: list[list[int]] = [
            [] for _ in range(1 + max(vertex.column for vertex in self.vertices))
        ]
        for number, vertex in enumerate(self.vertices):
            self.columns[vertex.column].append(number)


def ends_of(graph: CellGraph) -> list[tuple[int, int]]:
    """Return (place of source, place of target) per edge; see `Net` for errors."""
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
    ends, inputs, last = ends_of(graph), inputs_of(graph), len(graph.nodes) - 1
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
def order(net: Net) -> None:
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


def _sort_by_neighbours(net: Net, side: int) -> None:
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


def _swap(net: Net) -> None:
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


def _crossings(net: Net) -> int:
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
