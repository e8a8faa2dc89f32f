"""A cell whose operations sit on the edges of a DAG and whose nodes are sums."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from engine.networks.drop_path import DropPath
from engine.networks.norm import NormPolicy, normalised_sum
from engine.networks.ops import OPS, Op
from engine.networks.ops.basic import Identity
from engine.networks.partial import joined, operated, passing
from engine.networks.plan import Planner, Term
from engine.networks.route import Route
from engine.networks.sharing import share
from engine.networks.stack import Stack, distinct, sum_blocks, take_blocks
from engine.spec.network import SharingSpec


class DagCell(nn.Module):
    """One cell with any number of input and output nodes.

    Dead edges (zero, or on no path from input to output) are never computed; a node's ReLU is
    computed once however many convolutions read it.

    Args:
        planner: layout and plans, shared by all cells of the network.
        channels: channels of every node.
        policy: normalisation policy of the network.
        built: per edge, the options to instantiate; None: all of them.
        strides: per edge; None: 1 everywhere.
        drop_path: applied to what edges carry; None: never.
        sharing: what operations share, and the share of channels they see; None: nothing, all.

    Attributes:
        recompute: compute operations of several layers anew in the backward pass, instead of
            keeping what is between their layers.
    """

    def __init__(
        self,
        planner: Planner,
        channels: int,
        policy: NormPolicy,
        built: Sequence[Sequence[int]] | None = None,
        strides: Sequence[int] | None = None,
        drop_path: DropPath | None = None,
        sharing: SharingSpec | None = None,
    ) -> None:
        super().__init__()
        sharing = sharing or SharingSpec()
        self.planner = planner
        self.policy = policy
        self.drop_path = drop_path
        self.partial = sharing.partial_channels
        self.recompute = False
        layout = planner.layout
        self.strides = [1] * len(layout.edges) if strides is None else list(strides)
        width = channels // self.partial
        edges: list[dict[str, Op]] = []
        for edge, names in enumerate(layout.options):
            wanted = range(len(names)) if built is None else built[edge]
            edges.append(
                {
                    str(option): OPS[names[option]](width, width, self.strides[edge], policy)
                    for option in wanted
                    if names[option] != layout.zero
                }
            )
        share(edges, [target for _, target in layout.edges], sharing)
        self.edges = nn.ModuleList(nn.ModuleDict(ops) for ops in edges)

    def operation(self, edge: int, option: int) -> Op:
        """Return the operation that an option builds on an edge."""
        return self.edges[edge][str(option)]  # type: ignore[index,return-value]

    def forward(self, x: Tensor, route: Route, groups: int = 1) -> Tensor:
        """Compute the one output of a cell with one input; both are (groups*B, C, H, W)."""
        (found,) = self.outputs((x,), route, groups)
        return torch.zeros_like(x) if found is None else found

    def outputs(
        self, inputs: Sequence[Tensor | None], route: Route, groups: int = 1
    ) -> list[Tensor | None]:
        """Compute the output nodes for one route.

        Args:
            inputs: value of every input node, (groups*B, C, H, W); None where none is read.
            route: which operations, with which weights.
            groups: independent blocks of the batch.

        Returns:
            Per output node its value, or None for one that nothing alive leads to.
        """
        plan = self.planner.plan(route.active)
        layout = self.planner.layout
        sources = _Sources(inputs, self.partial)
        for node in range(layout.inputs, layout.nodes):
            if plan[node]:
                sources.put(node, self._node(plan[node], sources, route, groups))
        return [sources.get(node) for node in layout.outputs]

    def _node(self, terms: Sequence[Term], sources: _Sources, route: Route, groups: int) -> Tensor:
        layout = self.planner.layout
        outputs, norms, weights = [], [], []
        masks: dict[int, Tensor] = {}
        for edge, option, position in terms:
            op = self.operation(edge, option)
            source = layout.edges[edge][0]
            out, norm = self._result(op, source, sources, groups), op.norm
            if self._drops(op):
                out, norm = out if norm is None else norm(out, groups), None
                out = out * self._mask(edge, out, masks)
            outputs.append(out)
            norms.append(norm)
            weights.append(route.weight(layout.choices[edge], position))
        mixed = None
        if any(weight is not None for weight in weights):
            one = outputs[0].new_ones(())
            mixed = torch.stack([one if weight is None else weight for weight in weights])
        total = normalised_sum(outputs, norms, mixed, groups)
        if self.partial == 1:
            return total
        return joined(total, self._passing(terms, sources, route, masks), self.partial)

    def _passing(
        self,
        terms: Sequence[Term],
        sources: _Sources,
        route: Route,
        masks: dict[int, Tensor],
    ) -> Tensor:
        """Return the sum of what passes by the operations of a node's live edges."""
        layout = self.planner.layout
        parts = []
        for edge in sorted({edge for edge, _, _ in terms}):
            part = passing(sources.value(layout.edges[edge][0]), self.partial, self.strides[edge])
            if route.passing is not None:
                part = part * route.passing[layout.choices[edge]]
            parts.append(part * masks[edge] if edge in masks else part)
        return torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]

    def _result(self, op: Op, node: int, sources: _Sources, groups: int) -> Tensor:
        """Return what an operation makes of a node, before the last normalisation."""
        found = sources.shared(node, op)
        if found is None:
            found = self._body(op, sources.read(node, op.activated), groups)
            sources.share(node, op, found)
        return found

    def _body(self, op: Op, x: Tensor, groups: int) -> Tensor:
        if not (self.recompute and op.deep and torch.is_grad_enabled()):
            return op.body(x, groups)
        return checkpoint(
            op.body,
            x,
            groups,
            use_reentrant=False,
            preserve_rng_state=False,  # bodies draw no random numbers
            context_fn=lambda: (nullcontext(), self.policy.repeating()),
        )

    def _drops(self, op: Op) -> bool:
        drop = self.drop_path
        if drop is None or drop.probability == 0 or not self.policy.trains:
            return False
        return drop.identities or not isinstance(op, Identity)

    def _mask(self, edge: int, out: Tensor, masks: dict[int, Tensor]) -> Tensor:
        """Return the factors per image of an edge, equal for all that it carries."""
        assert self.drop_path is not None
        if edge not in masks:
            masks[edge] = self.drop_path.mask(out)
        return masks[edge]

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute the one output of a cell with one input, for many hard routes."""
        (last,) = self.outputs_many([Blocks.of(stack)], routes)
        if last.values is None:
            zeros = torch.zeros_like(stack.values[: stack.values.shape[0] // stack.blocks])
            return Stack(zeros, last.slots, 1)
        return Stack(last.values, last.slots, last.blocks)

    def outputs_many(self, inputs: Sequence[Blocks], routes: Sequence[Route]) -> list[Blocks]:
        """Compute the output nodes for many hard routes in one pass.

        Each edge runs each operation once, over the distinct inputs of the routes that chose it;
        routes whose history is equal share a block. Batch statistics are per block.
        """
        layout = self.planner.layout
        plans = [self.planner.plan(route.active) for route in routes]
        nodes = dict(enumerate(inputs))
        for node in range(layout.inputs, layout.nodes):
            nodes[node] = self._node_many([plan[node] for plan in plans], nodes)
        return [nodes[node] for node in layout.outputs]

    def _node_many(self, terms: Sequence[Sequence[Term]], nodes: dict[int, Blocks]) -> Blocks:
        layout = self.planner.layout
        keys, slots = distinct(
            [
                tuple(
                    (edge, option, nodes[layout.edges[edge][0]].slots[route])
                    for edge, option, _ in route_terms
                )
                for route, route_terms in enumerate(terms)
            ]
        )
        uses: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for slot, key in enumerate(keys):
            for edge, option, source_slot in key:
                uses.setdefault((edge, option), []).append((source_slot, slot))
        if not uses:
            return Blocks(None, 1, tuple(0 for _ in terms))
        parts = [
            self._run_many(edge, option, pairs, nodes[layout.edges[edge][0]])
            for (edge, option), pairs in sorted(uses.items())
        ]
        total = sum_blocks(parts, len(keys))
        if self.partial > 1:
            total = joined(total, self._passing_many(keys, nodes), self.partial)
        return Blocks(total, len(keys), slots)

    def _passing_many(
        self, keys: Sequence[tuple[tuple[int, int, int], ...]], nodes: dict[int, Blocks]
    ) -> Tensor:
        """Return `_passing` per block, from every block's (edge, option, source block)."""
        uses: dict[int, list[tuple[int, int]]] = {}
        for slot, key in enumerate(keys):
            for edge, source_slot in {edge: source for edge, _, source in key}.items():
                uses.setdefault(edge, []).append((source_slot, slot))
        parts = []
        for edge, pairs in sorted(uses.items()):
            source = nodes[self.planner.layout.edges[edge][0]]
            assert source.values is not None, "a live edge has a live source"
            values = passing(source.values, self.partial, self.strides[edge])
            parts.append((values, source.blocks, [s for s, _ in pairs], [t for _, t in pairs]))
        return sum_blocks(parts, len(keys))

    def _run_many(
        self, edge: int, option: int, pairs: Sequence[tuple[int, int]], source: Blocks
    ) -> tuple[Tensor, int, list[int], list[int]]:
        """Run one operation on the source blocks it needs; return a part for `sum_blocks`."""
        op = self.operation(edge, option)
        wanted = sorted({slot for slot, _ in pairs})
        place = {slot: position for position, slot in enumerate(wanted)}
        values = take_blocks(source.read(op.activated, self.partial), source.blocks, wanted)
        out = self._body(op, values, len(wanted))
        if op.norm is not None:
            out = op.norm(out, len(wanted))
        return out, len(wanted), [place[s] for s, _ in pairs], [target for _, target in pairs]


class _Sources:
    """Node values, and what operations read of them, ReLUs and poolings computed once."""

    def __init__(self, inputs: Sequence[Tensor | None], partial: int) -> None:
        self.partial = partial
        self._values = {node: x for node, x in enumerate(inputs) if x is not None}
        self._activated: dict[int, Tensor] = {}
        self._shared: dict[tuple[int, Hashable], Tensor] = {}

    def put(self, node: int, value: Tensor) -> None:
        self._values[node] = value

    def get(self, node: int) -> Tensor | None:
        return self._values.get(node)

    def value(self, node: int) -> Tensor:
        return self._values[node]

    def read(self, node: int, activated: bool) -> Tensor:
        if not activated:
            return operated(self._values[node], self.partial)
        if node not in self._activated:
            self._activated[node] = torch.relu(operated(self._values[node], self.partial))
        return self._activated[node]

    def shared(self, node: int, op: Op) -> Tensor | None:
        return None if op.shared is None else self._shared.get((node, op.shared))

    def share(self, node: int, op: Op, result: Tensor) -> None:
        if op.shared is not None:
            self._shared[node, op.shared] = result


class Blocks:
    """A node's values over the distinct histories of many routes; None: zero for all of them."""

    @classmethod
    def of(cls, stack: Stack) -> Blocks:
        """Wrap the input of a cell."""
        return cls(stack.values, stack.blocks, stack.slots)

    def __init__(self, values: Tensor | None, blocks: int, slots: tuple[int, ...]) -> None:
        self.values = values
        self.blocks = blocks
        self.slots = slots
        self._activated: Tensor | None = None

    def read(self, activated: bool, partial: int = 1) -> Tensor:
        """Return the channels that operations of a cell read."""
        assert self.values is not None, "a live edge has a live source"
        if not activated:
            return operated(self.values, partial)
        if self._activated is None:
            self._activated = torch.relu(operated(self.values, partial))
        return self._activated
