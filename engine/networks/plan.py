"""From a route's active options to the work of a cell: which operations feed which node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.core.liveness import live_edges


@dataclass(frozen=True)
class CellLayout:
    """The fixed part of a cell whose operations sit on edges.

    Attributes:
        edges: (source node, target node) in choice order.
        nodes: number of nodes; nodes 0 to inputs-1 come from outside.
        inputs: number of input nodes.
        outputs: nodes whose values leave the cell.
        options: operation names per edge.
        choices: index of each edge's choice in the space.
        zero: name of the operation that contributes nothing.
    """

    edges: tuple[tuple[int, int], ...]
    nodes: int
    inputs: int
    outputs: tuple[int, ...]
    options: tuple[tuple[str, ...], ...]
    choices: tuple[int, ...]
    zero: str = "none"


# One term of a node's sum: (edge, option index, position among the edge's active options).
Term = tuple[int, int, int]
CellPlan = tuple[tuple[Term, ...], ...]


@dataclass
class Planner:
    """Plans per active options, remembered; one planner serves all cells of the same layout."""

    layout: CellLayout
    limit: int = 20_000
    _plans: dict[tuple[tuple[int, ...], ...], CellPlan] = field(default_factory=dict)

    def plan(self, active: Sequence[tuple[int, ...]]) -> CellPlan:
        """Return the live terms of every node, from `Route.active` of the whole space."""
        key = tuple(active[choice] for choice in self.layout.choices)
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= self.limit:
                self._plans.clear()
            found = self._plans[key] = self._make(key)
        return found

    def inputs_read(self, active: Sequence[tuple[int, ...]]) -> frozenset[int]:
        """Return the input nodes that a live term reads."""
        edges = self.layout.edges
        sources = {edges[edge][0] for node in self.plan(active) for edge, _, _ in node}
        return frozenset(source for source in sources if source < self.layout.inputs)

    def _make(self, active: tuple[tuple[int, ...], ...]) -> CellPlan:
        layout = self.layout
        terms: list[list[Term]] = [[] for _ in range(layout.nodes)]
        present = []
        for edge, chosen in enumerate(active):
            names = layout.options[edge]
            present.append(any(names[option] != layout.zero for option in chosen))
        alive = live_edges(layout.edges, present, range(layout.inputs), layout.outputs)
        for edge, chosen in enumerate(active):
            if not alive[edge]:
                continue
            for position, option in enumerate(chosen):
                if layout.options[edge][option] != layout.zero:
                    terms[layout.edges[edge][1]].append((edge, option, position))
        return tuple(tuple(node) for node in terms)
