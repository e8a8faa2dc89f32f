"""A user's cell: named nodes, edges that choose operations, one node or several as its output.

The skeleton is NAS-Bench-201's: a stem, stages of equal cells, a residual block between stages
that halves the image and doubles the channels, and a classifier. Every node has the cell's
channels. Where the output is a concatenation of nodes, ReLU, 1x1 convolution and normalisation
bring it back to these channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.liveness import live_edges
from engine.core.space import CellGraph, Cost
from engine.core.wiring import CanonicalForm, Value, canonical_form
from engine.spaces.custom_base import KIND_SPACES, CustomSpace, Tally
from engine.spaces.custom_check import ends
from engine.spaces.custom_definition import CellDefinition
from engine.spaces.operations import NONE, OPERATIONS, share_kernels
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec

Edge = tuple[int, int]


@dataclass(frozen=True)
class Wired:
    """What is left of a cell when dead edges and aliases are gone.

    Attributes:
        form: its canonical form; atoms are edges, -1 is the cell's input.
        atom_of: per live edge that is no skip connection, the edge that stands for it: itself, or
            an equal operation without weights.
    """

    form: CanonicalForm
    atom_of: dict[int, int]


class CellSpace(CustomSpace):
    """All cells of a definition.

    Attributes:
        nodes: names, the input first, every node behind those it reads.
        edges: (source, target) as places in `nodes`, by target, then by source.
        options: per edge, the operations it can carry.
        outputs: places of the nodes that leave the cell, as the definition lists them.
        stages: number of stages.
        places: per edge, its place among `choices`; None where one operation is fixed.
    """

    def __init__(self, cell: CellDefinition) -> None:
        self.nodes = _ordered(cell)
        place = {name: number for number, name in enumerate(self.nodes)}
        found = {
            (place[source], place[target]): tuple(names or cell.operations or ())
            for (source, target), names in ((ends(e), ops) for e, ops in cell.edges.items())
        }
        self.edges = tuple(sorted(found, key=lambda edge: (edge[1], edge[0])))
        self.options = tuple(found[edge] for edge in self.edges)
        self.outputs = tuple(place[name] for name in cell.output or cell.nodes[-1:])
        self.stages = cell.stages
        self.factors = frozenset({"path_dropout", "global_dropout", "partial_channels"})
        if any(map(share_kernels, self.options)):
            self.factors |= {"ofa_kernel"}
        self.recomputes = any(OPERATIONS[name].deep for names in self.options for name in names)
        free = [edge for edge, names in enumerate(self.options) if len(names) > 1]
        self.places = tuple(
            free.index(edge) if edge in free else None for edge in range(len(self.edges))
        )
        super().__init__(
            tuple(Choice(self._edge(edge), "op", self.options[edge]) for edge in free),
            frozenset(
                {
                    capabilities.OP_CHOICE,
                    capabilities.OP_MIXTURE,
                    capabilities.CELL_GRAPH,
                }
            ),
            {
                "kind": cell.kind,
                "stages": self.stages,
                "nodes": self.nodes,
                "edges": [
                    [*edge, names] for edge, names in zip(self.edges, self.options, strict=True)
                ],
                "outputs": self.outputs,
            },
        )
        self._wired = lru_cache(maxsize=20_000)(self._find_wired)

    def _edge(self, edge: int) -> str:
        source, target = self.edges[edge]
        return f"{self.nodes[source]}->{self.nodes[target]}"

    @property
    def mixture_groups(self) -> tuple[int, ...]:
        """The node that each choice leads to."""
        free = zip(self.edges, self.places, strict=True)
        return tuple(target for (_, target), place in free if place is not None)

    @property
    def mixture_sources(self) -> tuple[int, ...]:
        """The node that each choice reads; -1 for the input, and where a fixed edge feeds it."""
        pairs = list(zip(self.edges, self.places, strict=True))
        given = {0, *(target for (_, target), place in pairs if place is None)}
        return tuple(
            -1 if source in given else source for (source, _), place in pairs if place is not None
        )

    def operations(self, architecture: Architecture) -> tuple[str, ...]:
        """Return the operation of every edge, fixed ones included."""
        indices = self.check(architecture).indices
        return tuple(
            names[0] if place is None else names[indices[place]]
            for place, names in zip(self.places, self.options, strict=True)
        )

    def live(self, architecture: Architecture) -> tuple[bool, ...]:
        """Mark the edges that lie on a path from the input to an output."""
        present = [name != NONE for name in self.operations(architecture)]
        return live_edges(self.edges, present, (0,), self.outputs)

    # -- texts ---------------------------------------------------------------------------
    def to_text(self, architecture: Architecture) -> str:
        """Write every edge with its operation, `in->mid: skip_connect, in->out: none`."""
        names = self.operations(architecture)
        return ", ".join(f"{self._edge(edge)}: {name}" for edge, name in enumerate(names))

    def parse(self, text: str) -> Architecture:
        """Read what `to_text` writes; edges in any order, fixed ones may be left out."""
        chosen: dict[int, str] = {}
        known = [self._edge(edge) for edge in range(len(self.edges))]
        for term in text.strip().split(","):
            path, _, name = (part.strip() for part in term.partition(":"))
            path = "->".join(ends(path))
            if path not in known:
                raise ArchitectureError(
                    f"`{term.strip():.60}` is no edge with its operation, such as "
                    f"`{known[0]}: {self.options[0][0]}`; the edges are {', '.join(known)}."
                )
            edge = known.index(path)
            if edge in chosen:
                raise ArchitectureError(f"The edge {path} is given twice.")
            if name not in self.options[edge]:
                raise ArchitectureError(
                    f"The edge {path} cannot carry `{name:.40}`; it has "
                    f"{', '.join(self.options[edge])}."
                )
            chosen[edge] = name
        free = [edge for edge, place in enumerate(self.places) if place is not None]
        missing = [known[edge] for edge in free if edge not in chosen]
        if missing:
            raise ArchitectureError(f"The edge {missing[0]} is missing in `{text:.200}`.")
        return self.encode([chosen[edge] for edge in free])

    # -- structure -----------------------------------------------------------------------
    def wired(self, architecture: Architecture) -> Wired:
        """Return the cell without dead edges and aliases.

        Skip connections hand values on. Operations without weights are one atom where they are
        equal and read the same value. Nodes may be renumbered, and the outputs of a concatenation
        reordered: that permutes the inputs of the convolution behind it.
        """
        return self._wired(self.check(architecture))

    def _find_wired(self, architecture: Architecture) -> Wired:
        names, flags = self.operations(architecture), self.live(architecture)
        values: list[Value] = [(-1,), *(() for _ in self.nodes[1:])]
        labels: dict[int, str] = {}
        sources: dict[int, Value] = {}
        equal: dict[tuple[str, Value], int] = {}
        atom_of: dict[int, int] = {}
        for edge, (source, target) in enumerate(self.edges):
            operation, value = OPERATIONS[names[edge]], values[source]
            if not flags[edge]:
                continue
            if operation.is_identity(stride=1):
                values[target] = tuple(sorted(values[target] + value))
                continue
            key = operation.name, value
            atom = atom_of[edge] = equal.setdefault(key, edge) if operation.weightless else edge
            labels[atom], sources[atom] = key
            values[target] = tuple(sorted((*values[target], atom)))
        outputs = [values[node] for node in self.outputs]
        return Wired(canonical_form(labels, sources, outputs), atom_of)

    def canonical(self, architecture: Architecture) -> str:
        """Return the definition's digest and the cell without dead edges and aliases."""
        return f"{self.digest} {self.wired(architecture).form.text}"

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count what the stand-alone network builds: live operations only."""
        names, flags = self.operations(architecture), self.live(architecture)
        kept = [OPERATIONS[name] for name, alive in zip(names, flags, strict=True) if alive]
        width, side = network.channels, network.resolution
        tally = Tally.stem(network, width)
        for stage in range(self.stages):
            if stage:
                wide, side = 2 * width, -(-side // 2)
                tally.conv(9 * width * wide, side, wide)
                tally.conv(9 * wide * wide, side, wide)
                tally.conv(width * wide, side)
                width = wide
            cell = Tally(network.norm.affine)
            for operation in kept:
                cell.add(operation.cost(width, width, 1, side, network.norm.affine))
            if len(self.outputs) > 1:
                cell.conv(len(self.outputs) * width * width, side, width)
            tally.add(Cost(cell.params, cell.flops), network.cells)
        return tally.with_head(network, width)

    # -- drawings ------------------------------------------------------------------------
    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return the cell, `none` edges left out."""
        names, flags = self.operations(architecture), self.live(architecture)
        carried = zip(self.edges, names, flags, strict=True)
        return self._drawn([(*edge, name, alive) for edge, name, alive in carried if name != NONE])

    def overview(self) -> dict[str, CellGraph]:
        """Return the cell with an edge for every operation that can be chosen."""
        pairs = zip(self.edges, self.options, strict=True)
        return self._drawn([(*edge, name, True) for edge, names in pairs for name in names])

    def _drawn(self, edges: list[tuple[int, int, str, bool]]) -> dict[str, CellGraph]:
        nodes = self.nodes
        drawn = [(nodes[source], nodes[target], *rest) for source, target, *rest in edges]
        if len(self.outputs) > 1:
            joined = " + ".join(nodes[node] for node in self.outputs)
            fed = {target for _, target, _, alive in edges if alive}
            drawn += [(nodes[node], joined, "", node in fed) for node in self.outputs]
            nodes = (*nodes, joined)
        return {"cell": CellGraph(nodes, tuple(drawn))}  # type: ignore[arg-type]


def _ordered(cell: CellDefinition) -> tuple[str, ...]:
    """Return the nodes so that edges lead forward, otherwise in the order of the definition."""
    before: dict[str, set[str]] = {name: set() for name in cell.nodes}
    for source, target in map(ends, cell.edges):
        before[target].add(source)
    ordered: list[str] = []
    while len(ordered) < len(cell.nodes):
        ready = (n for n in cell.nodes if n not in ordered and before[n] <= set(ordered))
        ordered.append(next(ready))
    return tuple(ordered)


KIND_SPACES[CellDefinition] = CellSpace
