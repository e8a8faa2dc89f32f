"""NAS-Bench-201, the topology space of NATS-Bench (001 §5.2.1; 000 §6.3.2).

A cell has four nodes; each of its six edges carries one of five operations and a node is the sum
of its incoming edges. Convolutions are ReLU, convolution, batch normalisation.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import permutations, product

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.liveness import live_edges
from engine.core.space import CellGraph, Cost, Space
from engine.spaces.registry import register_space
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NODES = 4
ZERO = OPERATIONS.index("none")
SKIP = OPERATIONS.index("skip_connect")
_CHOICES = tuple(Choice(f"{source}->{target}", "op", OPERATIONS) for source, target in EDGES)


class NB201(Space):
    """The 15,625 cells of NAS-Bench-201 in the benchmark's own skeleton."""

    name = "nb201"
    title = "NAS-Bench-201 (NATS-Bench topology)"
    source = "001 §5.2.1; Dong and Yang, NAS-Bench-201, ICLR 2020"
    help = (
        "A cell of four nodes joined by six edges, each carrying one of five operations. "
        "Published accuracies exist for every architecture."
    )
    provides = frozenset(
        {
            capabilities.OP_CHOICE,
            capabilities.OP_MIXTURE,
            capabilities.SHARED_WEIGHTS,
            capabilities.SEQUENCE_CODE,
            capabilities.CELL_GRAPH,
            capabilities.ENUMERABLE,
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
    choices = _CHOICES

    @property
    def mixture_groups(self) -> tuple[int, ...]:
        """Edges into one node compete."""
        return tuple(target for _, target in EDGES)

    @property
    def mixture_sources(self) -> tuple[int, ...]:
        """Node 0 is the input of the cell."""
        return tuple(source or -1 for source, _ in EDGES)

    def to_text(self, architecture: Architecture) -> str:
        """Write the benchmark's string, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`."""
        self.check(architecture)
        groups: list[list[str]] = [[] for _ in range(NODES)]
        for index, (source, target) in zip(architecture.indices, EDGES, strict=True):
            groups[target].append(f"{OPERATIONS[index]}~{source}")
        return "+".join(f"|{'|'.join(group)}|" for group in groups[1:])

    def parse(self, text: str) -> Architecture:
        """Read the benchmark's string; the edges into a node may stand in any order."""
        groups = text.strip().split("+")
        if len(groups) != NODES - 1:
            raise ArchitectureError(
                f"A NAS-Bench-201 string has {NODES - 1} groups joined by `+`; "
                f"given was `{text:.200}`."
            )
        chosen: dict[tuple[int, int], str] = {}
        for target, group in enumerate(groups, start=1):
            if not re.fullmatch(r"\|(?:[^|~+]+~[0-9]{1,3}\|)+", group):
                raise ArchitectureError(
                    f"Group {target} should look like `|skip_connect~0|...|`; "
                    f"given was `{group:.80}`."
                )
            for term in group.strip("|").split("|"):
                operation, _, origin = term.partition("~")
                self._add_edge(chosen, (int(origin), target), operation)
        missing = [f"{s}->{t}" for s, t in EDGES if (s, t) not in chosen]
        if missing:
            raise ArchitectureError(f"The edge {missing[0]} is missing in `{text:.200}`.")
        return self.encode([chosen[edge] for edge in EDGES])

    @staticmethod
    def _add_edge(
        chosen: dict[tuple[int, int], str], edge: tuple[int, int], operation: str
    ) -> None:
        source, target = edge
        if edge not in EDGES:
            raise ArchitectureError(
                f"Node {target} has no edge from node {source}; a node takes earlier nodes only."
            )
        if operation not in OPERATIONS:
            raise ArchitectureError(
                f"`{operation:.40}` is no operation of NAS-Bench-201; "
                f"it has {', '.join(OPERATIONS)}."
            )
        if edge in chosen:
            raise ArchitectureError(f"The edge {source}->{target} is given twice.")
        chosen[edge] = operation

    def canonical(self, architecture: Architecture) -> str:
        """Return the network that is left after zero and dead edges and aliases are removed.

        Nodes reached by skip connections are merged into the sums that use them. Two
        convolutions of one node stay two, even where they look alike, since they have weights
        of their own. This is finer than the benchmark's own rule where sharing differs, and
        coarser where only zeros differ; see `published_class`.
        """
        return _canonical(self.check(architecture).indices)

    def published_class(self, architecture: Architecture) -> str:
        """Return the isomorphism class as NAS-Bench-201 counts it (6,466 in all).

        Nodes are written as sorted sums of their terms; a skip connection is the node's own
        text, and a zero edge, or any operation on a zero, stays in the sum as `#`.
        """
        texts = ["0"]
        edges = iter(self.check(architecture).indices)
        for target in range(1, NODES):
            terms = [_published_term(next(edges), texts[source]) for source in range(target)]
            texts.append("+".join(sorted(terms)))
        return texts[-1]

    def live(self, architecture: Architecture) -> tuple[bool, ...]:
        """Mark the edges that influence the output."""
        present = [index != ZERO for index in architecture.indices]
        return live_edges(EDGES, present, inputs=(0,), outputs=(NODES - 1,))

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the benchmark does: every convolution, dead or not; BN and pooling are free.

        FLOPs are multiply-adds of convolutions plus the classifier with its bias.
        """
        self.check(architecture)
        ops = [OPERATIONS[index] for index in architecture.indices]
        kernels = [{"nor_conv_1x1": 1, "nor_conv_3x3": 9}[op] for op in ops if "conv" in op]
        affine = 2 if network.norm.affine else 0
        width, side = network.channels, network.resolution
        params = 9 * network.input_channels * width + affine * width
        flops = 9 * network.input_channels * width * side**2
        for stage in range(3):
            if stage:
                wide, side = 2 * width, -(-side // 2)
                weights = 9 * width * wide + 9 * wide * wide + width * wide
                params += weights + 2 * affine * wide
                flops += weights * side**2
                width = wide
            weights = sum(kernel * width * width for kernel in kernels)
            params += network.cells * (weights + affine * width * len(kernels))
            flops += network.cells * weights * side**2
        head = (width + 1) * network.classes
        return Cost(params + affine * width + head, flops + head)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return the one cell, zero edges left out."""
        flags = self.live(architecture)
        edges = tuple(
            (str(source), str(target), OPERATIONS[index], alive)
            for (source, target), index, alive in zip(
                EDGES, architecture.indices, flags, strict=True
            )
            if index != ZERO
        )
        return {"cell": CellGraph(tuple(str(node) for node in range(NODES)), edges)}


def _published_term(operation: int, source: str) -> str:
    if operation == ZERO or source == "#":
        return "#"
    return source if operation == SKIP else f"({source})@{OPERATIONS[operation]}"


# A value is a sorted tuple of atoms: -1 is the cell's input, k >= 0 the operation on edge k.
_Value = tuple[int, ...]


@lru_cache(maxsize=20_000)
def _canonical(indices: tuple[int, ...]) -> str:
    values: list[_Value] = [(-1,)]
    inputs: dict[int, _Value] = {}
    edge = 0
    for target in range(1, NODES):
        atoms: list[int] = []
        for source in range(target):
            operation = indices[edge]
            if operation == SKIP:
                atoms.extend(values[source])
            elif operation != ZERO and values[source]:
                inputs[edge] = values[source]
                atoms.append(edge)
            edge += 1
        values.append(tuple(sorted(atoms)))
    return _smallest_text(indices, values[-1], inputs)


def _smallest_text(indices: tuple[int, ...], output: _Value, inputs: dict[int, _Value]) -> str:
    """Write the graph of atoms that reach the output, minimal over orders of look-alikes."""
    used: set[int] = set()
    stack = [atom for atom in output if atom >= 0]
    while stack:
        atom = stack.pop()
        if atom not in used:
            used.add(atom)
            stack.extend(source for source in inputs[atom] if source >= 0)

    def tree(atom: int) -> str:
        if atom < 0:
            return "x"
        return f"{indices[atom]}({'+'.join(sorted(tree(source) for source in inputs[atom]))})"

    alike: dict[str, list[int]] = {}
    for atom in used:
        alike.setdefault(tree(atom), []).append(atom)
    groups = [alike[text] for text in sorted(alike)]
    texts = []
    for orders in product(*(permutations(group) for group in groups)):
        names = {atom: name for name, atom in enumerate(a for order in orders for a in order)}
        names[-1] = -1
        lines = [f"{'.'.join(map(str, sorted(names[a] for a in output)))}"]
        for atom in sorted(used, key=names.__getitem__):
            sources = ".".join(map(str, sorted(names[s] for s in inputs[atom])))
            lines.append(f"{OPERATIONS[indices[atom]]}({sources})")
        texts.append(";".join(lines))
    return min(texts)


NB201_SPACE = register_space(NB201())
