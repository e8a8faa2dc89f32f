"""The DARTS space: a normal and a reduction cell (Liu et al. 2019; 001 §3.2.1, 002 §5.1).

A cell has four inner nodes; each adds up two operations on two different earlier nodes, two of
which are the outputs of the cells before. The cell's output is the concatenation of all four.

**Architectures.** Per cell and inner node there is one choice of kind `input`, the unordered pair
of its two different sources, and two of kind `op`, for the earlier and for the later source. So
the order is canonical and every index tuple is valid: sampling needs no rejection, a mutation of
k choices always exists, and FairNAS can permute operations whatever the wiring is. Node 2 has one
pair only, hence no choice. Two cells of 3 pairs and 8 operations make 22 choices. (The landmark
paper writes both sources as elements of their own; its Hamming distances are up to 8 larger.)

**Routes.** The network knows edges only: 14 per cell, each with the same 8 operations, listed in
`mixture` (normal cell first). A route of 28 entries gives the active operations per edge, with or
without weights; an empty entry is an edge that is not used. DARTS activates everything, GDAS one
operation on each of the 28 edges, path dropout a subset. `Route.of(architecture)` has 22 entries
and is translated to 28 with two used edges per node (`edges`), so that the hard path and the
dense mixture run through the same code. `of_edges` is the way back, once a deriver has kept two
edges per node.

**Sizes.** `size` counts index tuples, 8 operations with `none`: (1 * 3 * 6 * 10 * 8^8)^2.
DARTS leaves `none` out: (prod_k k(k+1)/2 * 7^2)^2 = (180 * 7^8)^2 = 1.08e18. The 3.3e13 of
002 and 000 are 7^16: the operations of the 16 edges, not the choice of their sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost, Reference, Space
from engine.spaces.darts_cells import (
    CELLS,
    EDGES,
    INNER,
    INPUTS,
    NODES,
    OPERATIONS,
    ZERO,
    CellEdges,
    edges_of_pairs,
    form,
    inputs_used,
    live,
)
from engine.spaces.darts_cost import CountedCell, network_cost
from engine.spaces.darts_reference import outside, references
from engine.spaces.genotype import Edge, Genotype, read_genotype
from engine.spaces.registry import register_space
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec

PAIRS = {node: tuple(combinations(range(node), 2)) for node in INNER}
_NAMES = ("c_{k-2}", "c_{k-1}", "0", "1", "2", "3", "c_{k}")


def _choices() -> tuple[Choice, ...]:
    choices = []
    for cell in CELLS:
        for node in INNER:
            if len(PAIRS[node]) > 1:
                pairs = tuple(f"{first}+{second}" for first, second in PAIRS[node])
                choices.append(Choice(f"{cell} {node} inputs", "input", pairs))
            choices += [
                Choice(f"{cell} {node} {which} op", "op", OPERATIONS)
                for which in ("first", "second")
            ]
    return tuple(choices)


_MIXTURE = tuple(
    Choice(f"{cell} {source}->{target}", "op", OPERATIONS)
    for cell in CELLS
    for source, target in EDGES
)


class Darts(Space):
    """All pairs of a normal and a reduction cell."""

    name = "darts"
    title = "DARTS (normal and reduction cell)"
    source = "001 §3.2.1, 002 §5.1; Liu et al., DARTS, ICLR 2019"
    help = (
        "Two cells of four nodes, each adding two of eight operations on two earlier nodes. "
        "9.1e18 index tuples; DARTS counts 1.1e18 without `none`, the landmark paper 3.3e13."
    )
    provides = frozenset(
        {
            capabilities.OP_CHOICE,
            capabilities.OP_MIXTURE,
            capabilities.SHARED_WEIGHTS,
            capabilities.SEQUENCE_CODE,
            capabilities.CELL_GRAPH,
        }
    )
    factors = frozenset(
        {
            "ofa_kernel",
            "edge_norms",
            "path_dropout",
            "global_dropout",
            "operations_on",
            "partial_channels",
        }
    )
    operations_on = "edge"
    recomputes = True
    stand_alone_options = frozenset({"auxiliary_weight", "drop_path"})
    choices = _choices()

    @property
    def counts(self) -> dict[str, int]:
        """The two numbers in print."""
        kept = len(OPERATIONS) - 1
        wirings, edges = 1, 2 * len(INNER)
        for node in INNER:
            wirings *= len(PAIRS[node])
        return {
            "genotypes as DARTS counts them, (180 * 7^8)^2": (wirings * kept**edges) ** 2,
            "as 002 and 000 count them, 7^16, one wiring": kept ** (2 * edges),
        }

    @property
    def references(self) -> tuple[Reference, ...]:
        """Genotypes in print, NASNet-A and AmoebaNet-A among them."""
        return references()

    @property
    def mixture(self) -> tuple[Choice, ...]:
        """The 28 edges, see the module's text."""
        return _MIXTURE

    @property
    def mixture_groups(self) -> tuple[int, ...]:
        """Edges of one cell into one node compete."""
        return tuple(cell * NODES + target for cell in range(len(CELLS)) for _, target in EDGES)

    @property
    def mixture_sources(self) -> tuple[int, ...]:
        """The first two nodes of a cell are its inputs."""
        return tuple(
            -1 if source < INPUTS else cell * NODES + source
            for cell in range(len(CELLS))
            for source, _ in EDGES
        )

    def mixture_of(self, architecture: Architecture) -> tuple[int, ...]:
        """Return the operation of all 28 edges, `none` where an edge is not used."""
        cells = self.edges(architecture)
        return tuple(ZERO if option is None else option for cell in cells for option in cell)

    def from_mixture(self, weights: Sequence[Sequence[float]]) -> Architecture:
        """Keep the two strongest edges of every node (DARTS, §2.4).

        An edge is as strong as its strongest operation but `none`, which it gets; where all of
        these count 0 it gets `none`.
        """
        cells, first = [], 0
        for _ in CELLS:
            best = [self._strongest(one) for one in weights[first : first + len(EDGES)]]
            used: list[tuple[int, int, int]] = []
            for node in INNER:
                into = [i for i, (_, target) in enumerate(EDGES) if target == node]
                into.sort(key=lambda i, found=best: -found[i][1])  # type: ignore[misc]
                used += [(EDGES[i][0], node, best[i][0]) for i in sorted(into[:2])]
            cells.append(edges_of_pairs(used))
            first += len(EDGES)
        return self.of_edges(cells)

    @staticmethod
    def _strongest(weights: Sequence[float]) -> tuple[int, float]:
        options = [option for option in range(len(OPERATIONS)) if option != ZERO]
        best = max(options, key=weights.__getitem__)
        return (best, weights[best]) if weights[best] > 0 else (ZERO, 0.0)

    # -- edges ---------------------------------------------------------------------------
    def edges(self, architecture: Architecture) -> tuple[CellEdges, CellEdges]:
        """Return the operation per edge of the normal and the reduction cell, None if unused."""
        indices = iter(self.check(architecture).indices)
        cells = []
        for _ in CELLS:
            used = []
            for node in INNER:
                pair = PAIRS[node][next(indices) if len(PAIRS[node]) > 1 else 0]
                used += [(source, node, next(indices)) for source in pair]
            cells.append(edges_of_pairs(used))
        return cells[0], cells[1]

    def of_edges(self, cells: Sequence[CellEdges]) -> Architecture:
        """Return the architecture with these edges, the inverse of `edges`.

        Raises:
            ArchitectureError: a node has not exactly two used edges.
        """
        indices = []
        for cell, options in zip(CELLS, cells, strict=True):
            for node in INNER:
                found = {
                    source: option
                    for (source, target), option in zip(EDGES, options, strict=True)
                    if target == node and option is not None
                }
                pair = tuple(sorted(found))
                if pair not in PAIRS[node]:
                    raise ArchitectureError(
                        f"Node {node} of the {cell} cell has {len(pair)} edges; a node takes two."
                    )
                if len(PAIRS[node]) > 1:
                    indices.append(PAIRS[node].index(pair))
                indices += [found[source] for source in pair]
        return self.check(Architecture.of(self.name, indices))

    # -- texts ---------------------------------------------------------------------------
    def to_text(self, architecture: Architecture) -> str:
        """Write the genotype as DARTS prints it, the earlier source of a node first."""
        cells = []
        for options in self.edges(architecture):
            used = zip(EDGES, options, strict=True)
            cells.append(tuple((OPERATIONS[o], s) for (s, _), o in used if o is not None))
        nodes = tuple(INNER)
        return str(Genotype(cells[0], nodes, cells[1], nodes))

    def parse(self, text: str) -> Architecture:
        """Read a genotype; the two edges of a node may stand in any order."""
        genotype = read_genotype(text)
        unknown = outside(genotype)
        if unknown is not None:
            raise ArchitectureError(
                f"`{unknown:.40}` is no operation of the DARTS space; it has "
                f"{', '.join(OPERATIONS)}. `space darts reference` lists published cells "
                "with others."
            )
        cells = []
        for cell in CELLS:
            concat = getattr(genotype, f"{cell}_concat")
            if sorted(concat) != list(INNER):
                raise ArchitectureError(
                    f"In this space all inner nodes leave a cell, `{cell}_concat=range(2, 6)`; "
                    f"given was {list(concat)}."
                )
            cells.append(_read_cell(cell, getattr(genotype, cell)))
        return self.of_edges(cells)

    # -- structure -----------------------------------------------------------------------
    def live(self, architecture: Architecture) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
        """Mark the edges of both cells that influence their outputs."""
        normal, reduction = self.edges(architecture)
        return live(normal), live(reduction)

    def canonical(self, architecture: Architecture) -> str:
        """Return both cells without dead edges, aliases, and the order of inner nodes.

        A skip connection of stride 1 is its source itself; an operation on a node without
        value counts as dead; equal poolings of one value are one. Inner nodes may be
        renumbered: that permutes the channels of the concatenation, of which all readers have
        weights of their own. Separable and dilated convolutions stay apart even where they
        look alike.
        """
        normal, reduction = self.edges(architecture)
        return f"{form(normal, False).text} / {form(reduction, True).text}"

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count what the stand-alone network builds: live edges, preprocessing that is read.

        Genotypes in print have no `none`, and count the same as in their publications; see
        `engine.spaces.darts_cost`.
        """
        counted = []
        for options in self.edges(architecture):
            kept = zip(EDGES, options, live(options), strict=True)
            edges = tuple((OPERATIONS[o], s) for (s, _), o, alive in kept if o and alive)
            counted.append(CountedCell(edges, len(INNER), inputs_used(options)))
        return network_cost(counted[0], counted[1], network)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return both cells as DARTS draws them, `none` edges left out."""
        drawn = {}
        for cell, options in zip(CELLS, self.edges(architecture), strict=True):
            edges = [
                (_NAMES[source], _NAMES[target], OPERATIONS[option], alive)
                for (source, target), option, alive in zip(
                    EDGES, options, live(options), strict=True
                )
                if option is not None and option != ZERO
            ]
            fed = {target for _, target, _, alive in edges if alive}
            edges += [(_NAMES[n], _NAMES[NODES], "", _NAMES[n] in fed) for n in INNER]
            drawn[cell] = CellGraph(_NAMES, tuple(edges))
        return drawn


def _read_cell(cell: str, edges: Sequence[Edge]) -> CellEdges:
    wanted = 2 * len(INNER)
    if len(edges) != wanted:
        raise ArchitectureError(
            f"The {cell} cell has {wanted} edges, two per node; given were {len(edges)}."
        )
    used = []
    for position, (name, source) in enumerate(edges):
        node = INNER[position // 2]
        if source >= node:
            raise ArchitectureError(
                f"Node {node} of the {cell} cell cannot read node {source}; "
                "a node takes earlier nodes only."
            )
        if used and used[-1][:2] == (source, node):
            raise ArchitectureError(
                f"Node {node} of the {cell} cell reads node {source} twice; "
                "the two inputs of a node differ."
            )
        used.append((source, node, OPERATIONS.index(name)))
    return edges_of_pairs(used)


DARTS_SPACE = register_space(Darts())
