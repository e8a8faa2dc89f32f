"""A drawn cell as the places where weights are, whether on edges or on nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.core.space import CellGraph

Entry = tuple[str, str, str]  # source, target, operation


@dataclass(frozen=True)
class CellWeights:
    """What enters each node of a cell.

    Attributes:
        nodes: names in drawing order, without the operations that drawings write beside them.
        edges: (source, target) pairs.
        operations: (source, target, operation) for an operation on an edge, with an empty source
            for one on the node itself.
    """

    nodes: tuple[str, ...]
    edges: frozenset[tuple[str, str]]
    operations: frozenset[Entry]

    @classmethod
    def of(cls, graph: CellGraph) -> CellWeights:
        """Read a drawn cell; a node named `3: conv3x3` is node 3 with that operation."""
        pairs = [name.partition(": ") for name in graph.nodes]
        names = {name: pair[0] for name, pair in zip(graph.nodes, pairs, strict=True)}
        on_nodes = {("", name, operation) for name, _, operation in pairs if operation}
        on_edges = {
            (names[source], names[target], operation)
            for source, target, operation, _ in graph.edges
            if operation
        }
        return cls(
            tuple(names.values()),
            frozenset((names[source], names[target]) for source, target, _, _ in graph.edges),
            frozenset(on_nodes | on_edges),
        )

    def fed_by(self, inputs: Iterable[str]) -> CellWeights:
        """Return the cell without the edges that carry nothing of these inputs, being zero."""
        fed, before = set(inputs), set[str]()
        while fed != before:
            before = set(fed)
            fed |= {target for source, target in self.edges if source in fed}
        edges = frozenset(edge for edge in self.edges if edge[0] in fed)
        kept = frozenset(e for e in self.operations if not e[0] or e[0] in fed)
        return CellWeights(self.nodes, edges, kept)

    @property
    def entries(self) -> frozenset[Entry]:
        """Everything that enters a node: edges, with or without an operation, and its own one."""
        return self.operations | {(source, target, "") for source, target in self.edges}

    def sources(self, node: str) -> list[str]:
        """Return the nodes that a node takes as inputs."""
        return [source for source, target in self.edges if target == node]

    def reaches_output(self, node: str) -> bool:
        """Tell whether the last node of the drawing depends on a node."""
        return node in self._needed(self.nodes[-1])

    def behind(self, node: str, weighted: Iterable[str]) -> frozenset[Entry]:
        """Return the operations with weights that a node's value depends on, its own ones too."""
        needed, wanted = self._needed(node), set(weighted)
        return frozenset(e for e in self.operations if e[1] in needed and e[2] in wanted)

    def shared_by(self, node: str, weighted: Iterable[str]) -> int:
        """Count the operations with weights, of other nodes, that a node's value depends on."""
        return sum(target != node for _, target, _ in self.behind(node, weighted))

    def _needed(self, node: str) -> set[str]:
        needed, queue = {node}, [node]
        while queue:
            fresh = [source for source in self.sources(queue.pop()) if source not in needed]
            needed.update(fresh)
            queue += fresh
        return needed
