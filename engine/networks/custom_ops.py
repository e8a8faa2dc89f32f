"""Networks of user-defined cells and chains of operations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.networks.dag_cell import Blocks, DagCell
from engine.networks.drop_path import DropPath
from engine.networks.nb201 import CellChain, Head, Reduction
from engine.networks.norm import NormPolicy
from engine.networks.ops import OPS
from engine.networks.ops.basic import ReluConvNorm
from engine.networks.plan import CellLayout, Planner
from engine.networks.route import Route
from engine.networks.sharing import share, sharing_of
from engine.networks.stack import Stack, distinct, take_blocks
from engine.networks.stem import Stem
from engine.networks.supernet import SuperNet
from engine.spaces.custom_cell import CellSpace
from engine.spaces.custom_chain import Block, ChainSpace
from engine.spec.network import NetworkSpec, SharingSpec

# Per edge, the options to instantiate; None: all of them.
Built = list[list[int]] | None


class WholeRoutes(CellChain):
    """A chain in which fixed operations have an entry in the routes, too: the last one of all."""

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """Compute one route, which has an entry per choice."""
        return super().forward(x, _with_fixed(route))

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute many hard routes."""
        return super().forward_many(stack, [_with_fixed(route) for route in routes])


def _with_fixed(route: Route) -> Route:
    weights = None if route.weights is None else (*route.weights, None)
    passing = route.passing
    if passing is not None:
        passing = (*passing, passing[0].new_ones(()))
    return Route((*route.active, (0,)), weights, passing)


class JoinedCell(DagCell):
    """A cell with several outputs, which are concatenated and brought back to its channels.

    Args:
        planner: layout with one input and several outputs.
        channels: channels of every node.
        policy: normalisation policy of the network.
        built: like the others, as `DagCell` has it.
        drop_path: applied to what edges carry.
        sharing: what operations share, and the share of channels they see.
    """

    def __init__(
        self,
        planner: Planner,
        channels: int,
        policy: NormPolicy,
        built: Built = None,
        drop_path: DropPath | None = None,
        sharing: SharingSpec | None = None,
    ) -> None:
        super().__init__(planner, channels, policy, built, None, drop_path, sharing)
        self.join = ReluConvNorm(
            len(planner.layout.outputs) * channels, channels, kernel=1, stride=1, policy=policy
        )

    def _joined(self, parts: Sequence[Tensor], groups: int) -> Tensor:
        x = self.join.body(torch.relu(torch.cat(list(parts), dim=1)), groups)
        assert self.join.norm is not None
        return self.join.norm(x, groups)

    def forward(self, x: Tensor, route: Route, groups: int = 1) -> Tensor:
        """Map (groups*B, C, H, W) to the same shape; dead outputs are zero."""
        found = self.outputs((x,), route, groups)
        return self._joined([torch.zeros_like(x) if o is None else o for o in found], groups)

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute many hard routes; those whose outputs are all equal share a block."""
        outputs = self.outputs_many([Blocks.of(stack)], routes)
        keys, slots = distinct(list(zip(*(out.slots for out in outputs), strict=True)))
        zero = torch.zeros_like(stack.values[: stack.values.shape[0] // stack.blocks])
        parts = [
            zero.repeat(len(keys), 1, 1, 1)
            if out.values is None
            else take_blocks(out.values, out.blocks, [key[place] for key in keys])
            for place, out in enumerate(outputs)
        ]
        return Stack(self._joined(parts, len(keys)), slots, len(keys))


class ChainBlock(DagCell):
    """A block of a chain: a cell of one edge, between any two widths, so that it can mix.

    Args:
        block: shape and options.
        choice: place of its choice in routes.
        policy: normalisation policy of the network.
        sharing: whether kernels are shared.
        built: the option to instantiate; None: all of them.
    """

    def __init__(
        self,
        block: Block,
        choice: int,
        policy: NormPolicy,
        sharing: SharingSpec,
        built: int | None = None,
    ) -> None:
        layout = CellLayout(
            edges=((0, 1),),
            nodes=2,
            inputs=1,
            outputs=(1,),
            options=(block.options,),
            choices=(choice,),
        )
        super().__init__(Planner(layout), block.width, policy, [[]], (block.stride,))
        shape = block.before, block.width, block.stride
        operations = {
            str(option): OPS[block.options[option]](*shape, policy)
            for option in (range(len(block.options)) if built is None else [built])
        }
        share([operations], [1], sharing)
        self.edges[0] = nn.ModuleDict(operations)


def build_cells(
    space: CellSpace, network: NetworkSpec, policy: NormPolicy, architecture: Architecture | None
) -> SuperNet:
    """Build a network of cells, see `engine.spaces.custom_cell` for its skeleton."""
    planner = Planner(
        CellLayout(
            edges=space.edges,
            nodes=len(space.nodes),
            inputs=1,
            outputs=space.outputs,
            options=space.options,
            choices=_choices(space),
        )
    )
    built: Built = None
    if architecture is not None:
        flags = space.live(architecture)
        built = [
            [option] if alive else []
            for option, alive in zip(_chosen(space, architecture), flags, strict=True)
        ]
    sharing = sharing_of(network, architecture)
    drop_path = DropPath(sharing.path_dropout, identities=True)

    def cell() -> DagCell:
        if len(space.outputs) > 1:
            return JoinedCell(planner, width, policy, built, drop_path, sharing)
        return DagCell(planner, width, policy, built, None, drop_path, sharing)

    width = network.channels
    layers: list[nn.Module] = []
    for stage in range(space.stages):
        if stage:
            layers.append(Reduction(width, policy))
            width *= 2
        layers += [cell() for _ in range(network.cells)]
    stem = Stem(network.input_channels, network.channels, policy)
    head = Head(width, network.classes, policy, sharing.global_dropout)
    return SuperNet(stem, WholeRoutes(layers), head, policy)


def build_chain(
    space: ChainSpace, network: NetworkSpec, policy: NormPolicy, architecture: Architecture | None
) -> SuperNet:
    """Build a chain, see `engine.spaces.custom_chain`."""
    chosen = None if architecture is None else _chosen(space, architecture)
    sharing = sharing_of(network, architecture)
    layers = [
        ChainBlock(block, choice, policy, sharing, None if chosen is None else chosen[place])
        for place, (block, choice) in enumerate(zip(space.blocks, _choices(space), strict=True))
    ]
    stem = Stem(network.input_channels, space.stem, policy)
    head = Head(space.blocks[-1].width, network.classes, policy, sharing.global_dropout)
    return SuperNet(stem, WholeRoutes(layers), head, policy)


def _choices(space: CellSpace | ChainSpace) -> tuple[int, ...]:
    """Return the entry of each edge or block in routes that have one for fixed operations."""
    fixed = len(space.choices)
    return tuple(fixed if place is None else place for place in space.places)


def _chosen(space: CellSpace | ChainSpace, architecture: Architecture) -> list[int]:
    """Return the option of each edge or block."""
    indices = space.check(architecture).indices
    return [0 if place is None else indices[place] for place in space.places]
