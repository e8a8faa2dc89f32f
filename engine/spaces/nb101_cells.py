"""Cells of NAS-Bench-101: what is alive, how channels are split, which cells are the same.

A cell is a DAG of vertices in topological order. Vertex 0 is the input, the last one the output,
and every vertex between them has an operation. Plain numbers, shared by the space, the network
and the exported source. Source: Ying et al., NAS-Bench-101, ICML 2019, §2 and its supplement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from engine.core.liveness import live_edges

# In the order in which the benchmark numbers them, on which its fingerprints depend.
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
KERNELS = {"conv3x3-bn-relu": 3, "conv1x1-bn-relu": 1}
MAX_VERTICES, MAX_EDGES = 7, 9


@dataclass(frozen=True)
class Cell:
    """A directed acyclic graph with an operation per inner vertex.

    Attributes:
        sources: per vertex, the earlier vertices that it reads, in ascending order.
        operations: index into `OPERATIONS` per inner vertex, that is, vertices 1 to V-2.
    """

    sources: tuple[tuple[int, ...], ...]
    operations: tuple[int, ...]

    @property
    def vertices(self) -> int:
        """Number of vertices V, input and output included."""
        return len(self.sources)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(source, target) of every edge."""
        return tuple((s, target) for target, read in enumerate(self.sources) for s in read)

    @property
    def inner(self) -> range:
        """The vertices with operations."""
        return range(1, self.vertices - 1)

    @property
    def feeders(self) -> tuple[int, ...]:
        """Inner vertices that the output reads; their channels are concatenated."""
        return tuple(source for source in self.sources[-1] if source > 0)

    @property
    def passes(self) -> bool:
        """Whether the output reads the input."""
        return 0 in self.sources[-1]

    def operation(self, vertex: int) -> str:
        """Return the name of an inner vertex's operation."""
        return OPERATIONS[self.operations[vertex - 1]]


@dataclass(frozen=True)
class LiveCell:
    """What is left of a cell without the vertices that are on no path from input to output.

    Attributes:
        cell: the vertices left, numbered anew in the same order.
        kept: per vertex left, its number before.
    """

    cell: Cell
    kept: tuple[int, ...]


@lru_cache(maxsize=50_000)
def pruned(cell: Cell) -> LiveCell | None:
    """Remove what no path from input to output passes; None where there is no such path."""
    last = cell.vertices - 1
    flags = live_edges(cell.edges, [True] * len(cell.edges), (0,), (last,))
    kept_edges = [edge for edge, alive in zip(cell.edges, flags, strict=True) if alive]
    if not kept_edges:
        return None
    kept = tuple(sorted({vertex for edge in kept_edges for vertex in edge}))
    place = {vertex: number for number, vertex in enumerate(kept)}
    sources = tuple(
        tuple(place[s] for s, target in kept_edges if target == vertex) for vertex in kept
    )
    operations = tuple(cell.operations[vertex - 1] for vertex in kept[1:-1])
    return LiveCell(Cell(sources, operations), kept)


def vertex_channels(cell: Cell, channels: int) -> tuple[int, ...]:
    """Return the output channels of every inner vertex of a pruned cell, vertex 1 first.

    The cell's channels are divided among the k inner vertices that feed the output; where k does
    not divide them, the first of these vertices get one more each. Another vertex has the most
    channels of any vertex that reads it; readers drop a channel that is one too many.

    Args:
        cell: without dead vertices.
        channels: output channels of the cell, at least k.
    """
    feeders = cell.feeders
    if not feeders:
        return ()
    share, rest = divmod(channels, len(feeders))
    widths = {feeder: share + (place < rest) for place, feeder in enumerate(feeders)}
    for vertex in reversed(cell.inner):
        if vertex not in widths:
            widths[vertex] = max(widths[t] for t in cell.inner if vertex in cell.sources[t])
    return tuple(widths[vertex] for vertex in cell.inner)


@lru_cache(maxsize=50_000)
def fingerprint(cell: Cell) -> str:
    """Return the benchmark's fingerprint of a pruned cell, 32 hexadecimal digits.

    Every vertex starts from its numbers of outgoing and incoming edges and its operation. As many
    times as there are vertices, it then takes up what its neighbours have, sources and targets
    apart and each sorted, so that the order of vertices leaves no trace. The fingerprint is that
    of all vertices, sorted. Texts and digests are those of the published data set, so that its
    hashes can be looked up.
    """
    number = cell.vertices
    targets: list[list[int]] = [[] for _ in range(number)]
    for source, target in cell.edges:
        targets[source].append(target)
    labels = (-1, *cell.operations, -2)
    marks = [_md5(str((len(targets[v]), len(cell.sources[v]), labels[v]))) for v in range(number)]
    for _ in range(number):
        before = marks
        marks = [
            _md5("|".join((_joined(before, cell.sources[v]), _joined(before, targets[v]), mark)))
            for v, mark in enumerate(before)
        ]
    return _md5(str(sorted(marks)))


def _joined(marks: list[str], vertices: tuple[int, ...] | list[int]) -> str:
    return "".join(sorted(marks[vertex] for vertex in vertices))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def orders(cell: Cell) -> Iterator[tuple[int, ...]]:
    """Yield every order of the inner vertices in which edges still go forward."""

    def extend(order: tuple[int, ...], left: frozenset[int]) -> Iterator[tuple[int, ...]]:
        if not left:
            yield order
        for vertex in sorted(left):
            if left.isdisjoint(cell.sources[vertex]):
                yield from extend((*order, vertex), left - {vertex})

    return extend((), frozenset(cell.inner))


def reordered(cell: Cell, order: tuple[int, ...]) -> Cell:
    """Return the same graph with its inner vertices in another order (see `orders`)."""
    last = cell.vertices - 1
    place = {vertex: number for number, vertex in enumerate((0, *order, last))}
    sources = tuple(
        tuple(sorted(place[source] for source in cell.sources[vertex])) for vertex in place
    )
    return Cell(sources, tuple(cell.operations[vertex - 1] for vertex in order))
