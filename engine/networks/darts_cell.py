"""One cell of the DARTS family: two preprocessed inputs, a DAG of operations, a concatenation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.networks.dag_cell import Blocks, DagCell
from engine.networks.drop_path import DropPath
from engine.networks.norm import NormPolicy
from engine.networks.ops import Op
from engine.networks.ops.basic import ReluConvNorm
from engine.networks.ops.darts_ops import FactorizedReduce
from engine.networks.plan import Planner
from engine.networks.route import Route
from engine.networks.stack import Stack, distinct, take_blocks
from engine.spec.network import SharingSpec


class TwoInputCell(nn.Module):
    """A cell that reads the two cells before it.

    An input that no live edge reads is not preprocessed. Routes are those of the layout, whose
    choice points are edges.

    Args:
        planner: layout and plans of this kind of cell; two inputs, any number of outputs.
        before: channels of the cell before the last one, and of the last one.
        channels: channels of every inner node.
        policy: normalisation policy of the network.
        reduces: operations on the inputs have stride 2.
        after_reduction: the first input is twice as large as the second.
        built: per edge, the options to instantiate; None: all of them.
        used: inputs to build the preprocessing of.
        drop_path: see `DagCell`.
        sharing: see `DagCell`; preprocessing shares nothing and sees all channels.
    """

    def __init__(
        self,
        planner: Planner,
        before: tuple[int, int],
        channels: int,
        policy: NormPolicy,
        reduces: bool,
        after_reduction: bool,
        built: Sequence[Sequence[int]] | None = None,
        used: Sequence[int] = (0, 1),
        drop_path: DropPath | None = None,
        sharing: SharingSpec | None = None,
    ) -> None:
        super().__init__()
        layout = planner.layout
        self.planner = planner
        self.channels = channels
        self.preprocess = nn.ModuleDict()
        for node in sorted(used):
            if node == 0 and after_reduction:
                op: Op = FactorizedReduce(before[0], channels, policy)
            else:
                op = ReluConvNorm(before[node], channels, 1, 1, policy)
            self.preprocess[str(node)] = op
        strides = [2 if reduces and source < layout.inputs else 1 for source, _ in layout.edges]
        self.dag = DagCell(planner, channels, policy, built, strides, drop_path, sharing)

    def _prepare(self, node: int, x: Tensor, groups: int) -> Tensor:
        op: Op = self.preprocess[str(node)]  # type: ignore[assignment]
        out = op.body(torch.relu(x), groups)
        return out if op.norm is None else op.norm(out, groups)

    def forward(self, inputs: Sequence[Tensor | None], route: Route, zero: Tensor) -> Tensor:
        """Compute one route.

        Args:
            inputs: outputs of the two cells before, (B, C, H, W); None where none was computed,
                as no live edge reads it.
            route: one entry per edge of the network.
            zero: the value (B, C, H', W') of a node without live edges.

        Returns:
            The concatenation of all output nodes, (B, nodes*C, H', W').
        """
        read = self.planner.inputs_read(route.active)
        prepared = [
            self._prepare(node, x, 1) if node in read and x is not None else None
            for node, x in enumerate(inputs)
        ]
        outputs = self.dag.outputs(prepared, route)
        return torch.cat([zero if out is None else out for out in outputs], dim=1)

    def forward_many(
        self, inputs: Sequence[Stack | None], routes: Sequence[Route], zero: Tensor
    ) -> Stack:
        """Compute many hard routes; arguments as in `forward`, a block per distinct history."""
        readers = [self.planner.inputs_read(route.active) for route in routes]
        prepared = [
            self._prepare_many(node, stack, [node in read for read in readers])
            for node, stack in enumerate(inputs)
        ]
        outputs = self.dag.outputs_many(prepared, routes)
        keys, slots = distinct(list(zip(*(out.slots for out in outputs), strict=True)))
        parts = []
        for place, out in enumerate(outputs):
            if out.values is None:
                parts.append(zero.repeat(len(keys), 1, 1, 1))
            else:
                parts.append(take_blocks(out.values, out.blocks, [key[place] for key in keys]))
        return Stack(torch.cat(parts, dim=1), slots, len(keys))

    def _prepare_many(self, node: int, stack: Stack | None, reads: Sequence[bool]) -> Blocks:
        """Preprocess the blocks that a route reads; other routes get any of them."""
        if stack is None or not any(reads):
            return Blocks(None, 1, (0,) * len(reads))
        pairs = zip(stack.slots, reads, strict=True)
        wanted = sorted({slot for slot, read in pairs if read})
        place = {slot: position for position, slot in enumerate(wanted)}
        values = take_blocks(stack.values, stack.blocks, wanted)
        slots = tuple(place.get(slot, 0) for slot in stack.slots)
        return Blocks(self._prepare(node, values, len(wanted)), len(wanted), slots)
