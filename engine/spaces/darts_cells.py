"""The shape of DARTS cells: nodes, edges, what is alive, and how cells follow one another.

Nodes 0 and 1 are the outputs of the two cells before, nodes 2 to 5 are inner nodes, and the
cell's output is the concatenation of the inner nodes. Plain numbers, shared by the space, the
network and the exported source.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from engine.core.liveness import live_edges
from engine.core.wiring import CanonicalForm, Value, canonical_form

OPERATIONS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
ZERO = OPERATIONS.index("none")
SKIP = OPERATIONS.index("skip_connect")
POOLS = (OPERATIONS.index("max_pool_3x3"), OPERATIONS.index("avg_pool_3x3"))
INPUTS, NODES = 2, 6
INNER = tuple(range(INPUTS, NODES))
CELLS = ("normal", "reduce")
# Per cell, in DARTS's order: all edges into node 2, then into node 3, and so on.
EDGES = tuple((source, target) for target in INNER for source in range(target))

# Per edge of one cell, its operation, or None where the architecture does not use the edge.
CellEdges = tuple[int | None, ...]


def live(cell: CellEdges) -> tuple[bool, ...]:
    """Mark the edges that carry something: all but `none`, and none out of a node without."""
    present = [option is not None and option != ZERO for option in cell]
    return live_edges(EDGES, present, range(INPUTS), INNER)


def inputs_used(cell: CellEdges) -> frozenset[int]:
    """Return which of the two input nodes a live edge reads."""
    flags = live(cell)
    return frozenset(s for (s, _), flag in zip(EDGES, flags, strict=True) if flag and s < INPUTS)


def reductions(layers: int) -> frozenset[int]:
    """Return the layers that are reduction cells: those at one and two thirds of the depth.

    With one layer it is a reduction, with two both are, as DARTS's own rule has it.
    """
    return frozenset({layers // 3, 2 * layers // 3})


def needed_layers(
    layers: int, used: tuple[Collection[int], Collection[int]], roots: Collection[int] = ()
) -> tuple[bool, ...]:
    """Mark the layers whose output the last one depends on.

    Args:
        layers: number of cells.
        used: input nodes that the normal and the reduction cell read; node 1 is the layer
            before, node 0 the one before that.
        roots: further layers whose output is wanted.
    """
    reducing = reductions(layers)
    needed = [layer == layers - 1 or layer in roots for layer in range(layers)]
    for layer in reversed(range(layers)):
        for node in used[layer in reducing] if needed[layer] else ():
            before = layer - INPUTS + node
            if before >= 0:
                needed[before] = True
    return tuple(needed)


@lru_cache(maxsize=20_000)
def form(cell: CellEdges, reducing: bool) -> CanonicalForm:
    """Return the canonical form of a cell; atoms are edges, -1 and -2 the input nodes 0 and 1.

    Skip connections hand values on, but for those of stride 2, which have weights. Poolings
    have none, so that equal poolings of equal values are one atom.
    """
    values: list[Value] = [(-1,), (-2,)]
    labels: dict[int, str] = {}
    sources: dict[int, Value] = {}
    pools: dict[tuple[int, Value], int] = {}
    flags = live(cell)
    for target in INNER:
        atoms: list[int] = []
        for edge, (source, end) in enumerate(EDGES):
            option = cell[edge]
            if end != target or not flags[edge] or option is None:
                continue
            if option == SKIP and not (reducing and source < INPUTS):
                atoms.extend(values[source])
                continue
            atom = edge
            if option in POOLS:
                atom = pools.setdefault((option, values[source]), edge)
            labels[atom], sources[atom] = OPERATIONS[option], values[source]
            atoms.append(atom)
        values.append(tuple(sorted(atoms)))
    return canonical_form(labels, sources, values[INPUTS:])


def edge_of(source: int, target: int) -> int:
    """Return the place of an edge in `EDGES`."""
    return EDGES.index((source, target))


def edges_of_pairs(pairs: Sequence[tuple[int, int, int]]) -> CellEdges:
    """Return a cell from (source, target, operation) triples."""
    cell: list[int | None] = [None] * len(EDGES)
    for source, target, option in pairs:
        cell[edge_of(source, target)] = option
    return tuple(cell)
