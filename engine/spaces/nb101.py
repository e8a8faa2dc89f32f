"""NAS-Bench-101: cells of up to seven vertices and nine edges (000 §5.2.4, §6.3.2, §6.4.5).

A vertex sums what it reads and applies its operation; a 1x1 convolution stands between the
cell's input and each of its readers. The output is the concatenation of the inner vertices that
it reads, which share the cell's channels, plus a projection of the input if it reads that, too.

**Encodings.** One choice per pair of vertices says whether there is an edge, one per inner vertex
its operation. What is on no path from input to output does not count: as in the benchmark, it may
be there, and the nine edges are those left without it.

**Nodes.** The n of 000 (Tables 5.3 and 5.6) counts all vertices, input and output included, and
its sub-spaces hold all cells of at most n vertices: 7, 91, 2,532, 64,542 and 423,624 different
networks for n = 3 to 7. (Table 6.2 gives the same 7 as 5, without input and output.)

**Output edges.** A vertex has the cell's channels divided by the number of inner vertices that
the output reads. `output_edges` fixes that number, which "disables dynamic channels" (000
§6.4.5). More than four are impossible with nine edges: each such vertex needs an edge in and out.

**Same networks.** `canonical` is the benchmark's fingerprint. Where the output edges do not divide
the channels (three of 128), isomorphic cells can differ in which vertex has the one channel more;
the benchmark counts them as one cell, so that we do, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost, Rng, Space
from engine.spaces.nb101_cells import (
    MAX_EDGES,
    MAX_VERTICES,
    OPERATIONS,
    Cell,
    LiveCell,
    fingerprint,
    pruned,
)
from engine.spaces.nb101_cost import network_cost, require_channels
from engine.spaces.nb101_counts import edges_of, networks, valid_wirings
from engine.spaces.nb101_text import INPUT, OUTPUT, cell_of_matrix, read_cell, write_cell
from engine.spaces.registry import register_space
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec

OFF, ON = "off", "on"
MAX_OUTPUT_EDGES = 4
# Different networks by nodes, then by output edges from 0; the unit tests list them anew.
NETWORKS = {
    3: (1, 6),
    4: (1, 42, 48),
    5: (1, 546, 1_254, 731),
    6: (1, 12_330, 30_153, 19_205, 2_853),
    7: (1, 120_933, 201_441, 90_782, 10_467),
}
_LISTED = 5


class NB101Settings(BaseModel):
    """Which part of NAS-Bench-101 is searched."""

    model_config = ConfigDict(extra="forbid")

    nodes: int = Field(
        MAX_VERTICES,
        ge=3,
        le=MAX_VERTICES,
        description="Largest number of vertices, input and output included, as Yu's thesis counts "
        "them: 91 networks with 4, 2,532 with 5, 64,542 with 6, 423,624 with 7.",
        json_schema_extra={"unit": "vertices"},
    )
    output_edges: int | None = Field(
        None,
        ge=1,
        le=MAX_OUTPUT_EDGES,
        description="Number of inner vertices that the output reads. A fixed number gives all "
        "cells the same channels, so that no layer is cut from a wider one (000 §6.4.5); empty: "
        "any number.",
        json_schema_extra={"unit": "edges"},
    )

    @model_validator(mode="after")
    def _enough_vertices(self) -> NB101Settings:
        if self.output_edges is not None and self.output_edges > self.nodes - 2:
            raise ValueError(
                f"{self.output_edges} output edges need as many vertices besides input and "
                f"output, but {self.nodes} nodes have {self.nodes - 2}"
            )
        return self


class NB101(Space):
    """NAS-Bench-101, or a sub-space of it.

    Args:
        settings: which part.
    """

    name = "nb101"
    title = "NAS-Bench-101"
    source = "000 §5.2.4, §6.3.2, §6.4.5; Ying et al., NAS-Bench-101, ICML 2019"
    help = (
        "A cell is a graph of up to seven vertices and nine edges; an inner vertex is a "
        "convolution or a pooling. 423,624 different networks; sub-spaces have fewer vertices or "
        "a fixed number of edges into the output. Published with 128 channels and 3 cells a stack."
    )
    provides = frozenset(
        {
            capabilities.OP_CHOICE,
            capabilities.SHARED_WEIGHTS,
            capabilities.SEQUENCE_CODE,
            capabilities.CELL_GRAPH,
        }
    )
    factors = frozenset(
        {"dynamic_channels", "edge_norms", "ofa_kernel", "path_dropout", "global_dropout"}
    )
    operations_on = "node"
    flop_unit = "operations"
    settings = NB101Settings

    def __init__(self, settings: NB101Settings | None = None) -> None:
        chosen = settings or NB101Settings()
        self.nodes = chosen.nodes
        self.output_edges = chosen.output_edges
        self.edges = edges_of(self.nodes)
        names = [INPUT, *map(str, range(1, self.nodes - 1)), OUTPUT]
        self.choices = (
            *(Choice(f"{names[s]}->{names[t]}", "input", (OFF, ON)) for s, t in self.edges),
            *(Choice(f"vertex {name}", "op", OPERATIONS) for name in names[1:-1]),
        )
        if self.nodes <= _LISTED:
            self.provides = NB101.provides | {capabilities.ENUMERABLE}

    def configured(self, settings: BaseModel) -> NB101:
        """Return the sub-space with these settings."""
        return NB101(NB101Settings.model_validate(settings.model_dump()))

    # -- cells ---------------------------------------------------------------------------
    def cell(self, architecture: Architecture) -> Cell:
        """Return the graph as it is encoded, dead vertices included."""
        return cell_of(self.check(architecture).indices, self.nodes)

    def live(self, architecture: Architecture) -> LiveCell:
        """Return the graph without dead vertices."""
        found = pruned(self.cell(architecture))
        assert found is not None, "a valid architecture has a path"
        return found

    def of_cell(self, cell: Cell) -> Architecture:
        """Return the architecture of a cell with any number of vertices.

        Vertices that are missing are put before the output, without edges and with operation 0;
        if there are too many, those that are dead are left out.

        Raises:
            ArchitectureError: the cell does not belong to this space.
        """
        if cell.vertices > self.nodes:
            found = pruned(cell)
            if found is None or found.cell.vertices > self.nodes:
                raise ArchitectureError(
                    f"Cells of this space have at most {self.nodes} vertices, input and output "
                    f"included; given were {cell.vertices}."
                )
            cell = found.cell
        last = cell.vertices - 1
        present = {(s, self.nodes - 1 if t == last else t) for s, t in cell.edges}
        padding = (0,) * (self.nodes - cell.vertices)
        indices = [int(edge in present) for edge in self.edges]
        return self.check(Architecture.of(self.name, (*indices, *cell.operations, *padding)))

    def of_matrix(self, matrix: Any, operations: Any) -> Architecture:
        """Return the architecture of an adjacency matrix and a list of operations.

        Args:
            matrix: V rows of V zeros and ones, the rows being sources; any V.
            operations: V names, `input` first and `output` last.

        Raises:
            ArchitectureError: they are not a cell of this space.
        """
        return self.of_cell(cell_of_matrix(matrix, operations))

    # -- texts ---------------------------------------------------------------------------
    def to_text(self, architecture: Architecture) -> str:
        """Write operations and what they read, such as `conv3x3(0);conv1x1(0,1);output(2)`."""
        return write_cell(self.cell(architecture))

    def parse(self, text: str) -> Architecture:
        """Read that, and the forms in which the benchmark writes; see `nb101_text`."""
        return self.of_cell(read_cell(text))

    # -- structure -----------------------------------------------------------------------
    def constraint(self, architecture: Architecture) -> str | None:
        """Refuse cells without a path, with too many edges, or of another sub-space."""
        found = pruned(cell_of(architecture.indices, self.nodes))
        if found is None:
            return "No path leads from the cell's input to its output."
        if len(found.cell.edges) > MAX_EDGES:
            return (
                f"A cell of NAS-Bench-101 has at most {MAX_EDGES} edges on paths from input to "
                f"output; given were {len(found.cell.edges)}."
            )
        fed = len(found.cell.feeders)
        if self.output_edges not in (None, fed):
            return (
                f"In this sub-space the output reads {self.output_edges} inner vertices; "
                f"given were {fed}."
            )
        return None

    def canonical(self, architecture: Architecture) -> str:
        """Return the benchmark's fingerprint, by which its published data are keyed, too."""
        return fingerprint(self.live(architecture).cell)

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as published, see `nb101_cost`.

        Raises:
            SpecError: the skeleton has fewer channels than vertices can share.
        """
        cell = self.live(architecture).cell
        self.require(network)
        return network_cost(cell, network)

    def require(self, network: NetworkSpec) -> None:
        """Raise SpecError if some cell of the space cannot be built in a skeleton."""
        most = min(self.nodes - 2, MAX_OUTPUT_EDGES)
        require_channels(self.output_edges or most, network)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return the cell; vertices without any edge are left out."""
        cell, kept = self.cell(architecture), self.live(architecture).kept
        names = {0: INPUT, cell.vertices - 1: OUTPUT}
        names |= {v: f"{v}: {cell.operation(v).removesuffix('-bn-relu')}" for v in cell.inner}
        used = sorted({vertex for edge in cell.edges for vertex in edge})
        edges = tuple((names[s], names[t], "", s in kept and t in kept) for s, t in cell.edges)
        return {"cell": CellGraph(tuple(names[vertex] for vertex in used), edges)}

    # -- listing and drawing -------------------------------------------------------------
    @property
    def size(self) -> int:
        """Number of valid index tuples."""
        return len(self._wirings) * len(OPERATIONS) ** (self.nodes - 2)

    @property
    def counts(self) -> dict[str, int]:
        """The number of different networks."""
        counts = NETWORKS[self.nodes]
        count = sum(counts) if self.output_edges is None else counts[self.output_edges]
        return {f"different networks of at most {self.nodes} vertices": count}

    @property
    def _wirings(self) -> np.ndarray:
        return valid_wirings(self.nodes, self.output_edges)

    def sample(self, rng: Rng) -> Architecture:
        """Draw uniformly over the valid index tuples."""
        code = int(self._wirings[rng.integers(len(self._wirings))])
        operations = rng.integers(len(OPERATIONS), size=self.nodes - 2)
        return Architecture.of(self.name, (*self._bits(code), *operations))

    def enumerate(self) -> Iterator[Architecture]:
        """Yield every valid architecture, first choice slowest."""
        for code in self._wirings:
            bits = self._bits(int(code))
            for operations in product(range(len(OPERATIONS)), repeat=self.nodes - 2):
                yield Architecture(self.name, (*bits, *operations))

    def networks(self) -> Iterator[Architecture]:
        """Yield one architecture per different network; all 423,624 take a minute or two."""
        return map(self.of_cell, networks(self.nodes, self.output_edges))

    def _bits(self, code: int) -> tuple[int, ...]:
        return tuple(code >> place & 1 for place in reversed(range(len(self.edges))))


@lru_cache(maxsize=50_000)
def cell_of(indices: tuple[int, ...], nodes: int) -> Cell:
    edges = edges_of(nodes)
    sources: list[list[int]] = [[] for _ in range(nodes)]
    for (source, target), bit in zip(edges, indices[: len(edges)], strict=True):
        if bit:
            sources[target].append(source)
    return Cell(tuple(map(tuple, sources)), indices[len(edges) :])


NB101_SPACE = register_space(NB101())
