"""How many cells there are: encodings by vectors, different networks by listing them.

Encodings are many (2^21 wirings of seven vertices), so that they are counted in numpy; networks
are listed one a class of isomorphic cells, without relying on fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from engine.spaces.nb101_cells import MAX_EDGES, OPERATIONS, Cell, orders, reordered

Codes = NDArray[np.uint32]
_PART = 2**17


def edges_of(nodes: int) -> tuple[tuple[int, int], ...]:
    """Return all (source, target) of a cell, those into vertex 1 first, then into 2, and so on."""
    return tuple((source, target) for target in range(1, nodes) for source in range(target))


@lru_cache(maxsize=16)
def valid_wirings(nodes: int, output_edges: int | None) -> Codes:
    """Return the wirings that the benchmark accepts, in ascending order.

    A wiring is accepted if a path leads from input to output and at most nine edges are on such
    paths. It is written as a number whose most significant bit is the first of `edges_of`.

    Args:
        nodes: vertices, input and output included.
        output_edges: wanted number of live edges from inner vertices to the output; None: any.
    """
    total = 2 ** len(edges_of(nodes))
    starts = range(0, total, _PART)
    parts = [
        _accepted(
            np.arange(first, min(first + _PART, total), dtype=np.uint32), nodes, output_edges
        )
        for first in starts
    ]
    return np.concatenate(parts)


def _accepted(codes: Codes, nodes: int, output_edges: int | None) -> Codes:
    edges, last = edges_of(nodes), nodes - 1
    has = {
        edge: (codes >> np.uint32(len(edges) - 1 - place)) & np.uint32(1) == 1
        for place, edge in enumerate(edges)
    }
    reached, needed = {0: np.ones(len(codes), bool)}, {last: np.ones(len(codes), bool)}
    for target in range(1, nodes):
        inputs = [reached[source] & has[source, target] for source in range(target)]
        reached[target] = np.logical_or.reduce(inputs)
    for source in reversed(range(last)):
        outputs = [needed[target] & has[source, target] for target in range(source + 1, nodes)]
        needed[source] = np.logical_or.reduce(outputs)
    alive = {(s, t): has[s, t] & reached[s] & needed[t] for s, t in edges}
    wanted = reached[last] & (np.sum(list(alive.values()), axis=0) <= MAX_EDGES)
    if output_edges is not None:
        fed = np.sum([alive[source, last] for source in range(1, last)], axis=0)
        wanted &= fed == output_edges
    return codes[wanted]


def networks(nodes: int, output_edges: int | None = None) -> Iterator[Cell]:
    """Yield one cell per class of isomorphic cells of at most `nodes` vertices, none with a dead
    vertex.

    Of each class it is the cell with the smallest wiring, then the smallest operations.

    Args:
        nodes: most vertices, input and output included.
        output_edges: see `valid_wirings`.
    """
    for vertices in range(2, nodes + 1):
        for code in valid_wirings(vertices, output_edges):
            bare = _bare(int(code), vertices)
            if bare is not None:
                yield from _labelled(bare)


def _bare(code: int, vertices: int) -> Cell | None:
    """Return a wiring with all operations 0, or None where a vertex is dead."""
    edges = edges_of(vertices)
    used = [edge for place, edge in enumerate(edges) if code >> (len(edges) - 1 - place) & 1]
    with_target, with_source = {t for _, t in used}, {s for s, _ in used}
    inner = set(range(1, vertices - 1))
    if not (inner <= with_target and inner <= with_source):
        return None
    sources = tuple(tuple(s for s, t in used if t == vertex) for vertex in range(vertices))
    return Cell(sources, (0,) * len(inner))


def _labelled(bare: Cell) -> Iterator[Cell]:
    """Yield the labellings of a wiring that no renumbering makes smaller; none if one makes the
    wiring smaller."""
    symmetries = []
    for order in orders(bare):
        other = reordered(bare, order).edges
        # The first difference decides: a missing edge makes the smaller number.
        if other != bare.edges:
            if _smaller(other, bare.edges, bare.vertices):
                return
        else:
            symmetries.append([vertex - 1 for vertex in order])
    for operations in product(range(len(OPERATIONS)), repeat=len(bare.operations)):
        moved = (tuple(operations[place] for place in order) for order in symmetries)
        if all(operations <= one for one in moved):
            yield Cell(bare.sources, operations)


def _smaller(
    first: tuple[tuple[int, int], ...], second: tuple[tuple[int, int], ...], vertices: int
) -> bool:
    edges = edges_of(vertices)
    return [edge in first for edge in edges] < [edge in second for edge in edges]
