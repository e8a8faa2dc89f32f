"""A cell whose operations sit on the edges of a DAG and whose nodes are sums."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.networks.norm import NormPolicy, normalised_sum
from engine.networks.ops import OPS, Op
from engine.networks.plan import Planner, Term
from engine.networks.route import Route
from engine.networks.stack import Stack, sum_blocks, take_blocks


class DagCell(nn.Module):
    """One cell of stride 1 with a single output node.

    Dead edges (zero, or on no path from input to output) are never computed; a node's ReLU is
    computed once however many convolutions read it.

    Args:
        planner: layout and plans, shared by all cells of the network.
        channels: channels of every node.
        policy: normalisation policy of the network.
        built: per edge, the options to instantiate; None: all of them.
    """

    def __init__(
        self,
        planner: Planner,
        channels: int,
        policy: NormPolicy,
        built: Sequence[Sequence[int]] | None = None,
    ) -> None:
        super().__init__()
        self.planner = planner
        layout = planner.layout
        self.output = layout.outputs[0]
        self.edges = nn.ModuleList()
        for edge, names in enumerate(layout.options):
            wanted = range(len(names)) if built is None else built[edge]
            self.edges.append(
                nn.ModuleDict(
                    {
                        str(option): OPS[names[option]](channels, channels, 1, policy)
                        for option in wanted
                        if names[option] != layout.zero
                    }
                )
            )

    def operation(self, edge: int, option: int) -> Op:
        """Return the operation that an option builds on an edge."""
        return self.edges[edge][str(option)]  # type: ignore[index,return-value]

    def forward(self, x: Tensor, route: Route, groups: int = 1) -> Tensor:
        """Compute the output node for one route; x and the result are (groups*B, C, H, W)."""
        plan = self.planner.plan(route.active)
        sources = _Sources(x)
        for node in range(self.planner.layout.inputs, self.planner.layout.nodes):
            if plan[node]:
                sources.put(node, self._node(plan[node], sources, route, groups))
        found = sources.get(self.output)
        return torch.zeros_like(x) if found is None else found

    def _node(self, terms: Sequence[Term], sources: _Sources, route: Route, groups: int) -> Tensor:
        layout = self.planner.layout
        outputs, norms, weights = [], [], []
        for edge, option, position in terms:
            op = self.operation(edge, option)
            source = layout.edges[edge][0]
            outputs.append(op.body(sources.read(source, op.activated), groups))
            norms.append(op.norm)
            weights.append(route.weight(layout.choices[edge], position))
        if all(weight is None for weight in weights):
            return normalised_sum(outputs, norms, None, groups)
        one = outputs[0].new_ones(())
        mixed = torch.stack([one if weight is None else weight for weight in weights])
        return normalised_sum(outputs, norms, mixed, groups)

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute the output node for many hard routes in one pass.

        Each edge runs each operation once, over the distinct inputs of the routes that chose it;
        routes whose history is equal share a block. Batch statistics are per block.
        """
        layout = self.planner.layout
        plans = [self.planner.plan(route.active) for route in routes]
        nodes: dict[int, _Blocks] = {0: _Blocks(stack.values, stack.blocks, stack.slots)}
        for node in range(layout.inputs, layout.nodes):
            nodes[node] = self._node_many([plan[node] for plan in plans], nodes, node)
        last = nodes[self.output]
        if last.values is None:
            zeros = torch.zeros_like(stack.values[: stack.values.shape[0] // stack.blocks])
            return Stack(zeros, last.slots, 1)
        return Stack(last.values, last.slots, last.blocks)

    def _node_many(
        self, terms: Sequence[Sequence[Term]], nodes: dict[int, _Blocks], node: int
    ) -> _Blocks:
        layout = self.planner.layout
        keys: dict[tuple[tuple[int, int, int], ...], int] = {}
        slots = []
        for route, route_terms in enumerate(terms):
            key = tuple(
                (edge, option, nodes[layout.edges[edge][0]].slots[route])
                for edge, option, _ in route_terms
            )
            slots.append(keys.setdefault(key, len(keys)))
        uses: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for key, slot in keys.items():
            for edge, option, source_slot in key:
                uses.setdefault((edge, option), []).append((source_slot, slot))
        if not uses:
            return _Blocks(None, 1, tuple(0 for _ in terms))
        parts = [
            self._run_many(edge, option, pairs, nodes[layout.edges[edge][0]])
            for (edge, option), pairs in sorted(uses.items())
        ]
        return _Blocks(sum_blocks(parts, len(keys)), len(keys), tuple(slots))

    def _run_many(
        self, edge: int, option: int, pairs: Sequence[tuple[int, int]], source: _Blocks
    ) -> tuple[Tensor, int, list[int], list[int]]:
        """Run one operation on the source blocks it needs; return a part for `sum_blocks`."""
        op = self.operation(edge, option)
        wanted = sorted({slot for slot, _ in pairs})
        place = {slot: position for position, slot in enumerate(wanted)}
        values = take_blocks(source.read(op.activated), source.blocks, wanted)
        out = op.body(values, len(wanted))
        if op.norm is not None:
            out = op.norm(out, len(wanted))
        return out, len(wanted), [place[s] for s, _ in pairs], [target for _, target in pairs]


class _Sources:
    """Node values and their ReLUs, each computed at most once."""

    def __init__(self, x: Tensor) -> None:
        self._values: dict[int, Tensor] = {0: x}
        self._activated: dict[int, Tensor] = {}

    def put(self, node: int, value: Tensor) -> None:
        self._values[node] = value

    def get(self, node: int) -> Tensor | None:
        return self._values.get(node)

    def read(self, node: int, activated: bool) -> Tensor:
        if not activated:
            return self._values[node]
        if node not in self._activated:
            self._activated[node] = torch.relu(self._values[node])
        return self._activated[node]


class _Blocks:
    """A node's values over the distinct histories of many routes."""

    def __init__(self, values: Tensor | None, blocks: int, slots: tuple[int, ...]) -> None:
        self.values = values
        self.blocks = blocks
        self.slots = slots
        self._activated: Tensor | None = None

    def read(self, activated: bool) -> Tensor:
        assert self.values is not None, "a live edge has a live source"
        if not activated:
            return self.values
        if self._activated is None:
            self._activated = torch.relu(self.values)
        return self._activated
