"""The skeleton of NAS-Bench-101: stem, three stacks of cells with pooling between them, head.

The stem is a 3x3 convolution, normalisation and ReLU; each stack after the first halves the image
and doubles the channels; the head averages over the image (Ying et al. 2019, §2.1, Fig. 1).

The super-net has, per vertex, one projection and one of each convolution, with the most channels
that the vertex can have. Narrower vertices use a part of them, see `engine.networks.channels`.
Initial values are drawn for the largest widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.builder import register_builder
from engine.networks.channels import ChannelPolicy, FixedChunk, channel_policy
from engine.networks.drop_path import DropPath
from engine.networks.dropout import GlobalDropout
from engine.networks.nb101_cell import BenchCell
from engine.networks.nb101_vertex import ConvNormRelu, Vertex
from engine.networks.norm import NormPolicy
from engine.networks.route import Route
from engine.networks.sharing import sharing_of
from engine.networks.stack import Stack
from engine.networks.supernet import SuperNet
from engine.spaces.nb101 import NB101, cell_of
from engine.spaces.nb101_cells import OPERATIONS, Cell, LiveCell, pruned, vertex_channels
from engine.spaces.nb101_cost import STACKS
from engine.spec.network import NetworkSpec, SharingSpec


class BenchHead(nn.Module):
    """Average over the image, linear classifier."""

    def __init__(self, channels: int, classes: int, dropout: float, policy: NormPolicy) -> None:
        super().__init__()
        self.dropout = GlobalDropout(dropout, policy)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return logits (groups*B, classes)."""
        return self.classifier(self.dropout(x).mean((2, 3)))


class CellStacks(nn.Module):
    """Cells and poolings one after another.

    Args:
        layers: cells, and the poolings between stacks.
        nodes: vertices per cell of the space.
        alone: the architecture that the cells are built for; None: all.
    """

    def __init__(
        self, layers: Sequence[nn.Module], nodes: int, alone: Architecture | None
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.nodes = nodes
        self.alone = alone

    def live(self, route: Route) -> LiveCell:
        """Return what a hard route computes in every cell.

        In a stand-alone network vertices are numbered without the dead ones.

        Raises:
            ValueError: the route is not hard, connects nothing, or is not the network's.
        """
        if route.weighted or any(len(options) != 1 for options in route.active):
            raise ValueError("a route of `nb101` has one option per choice, without weights")
        indices = tuple(options[0] for options in route.active)
        if self.alone is not None and indices != self.alone.indices:
            raise ValueError("a network built for one architecture has its route only")
        found = pruned(cell_of(indices, self.nodes))
        if found is None:
            raise ValueError("no path leads from the cell's input to its output")
        if self.alone is None:
            return found
        return LiveCell(found.cell, tuple(range(found.cell.vertices)))

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """Compute one route."""
        return self.forward_many(Stack.shared(x, 1), [route]).values

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute many hard routes."""
        cells = [self.live(route) for route in routes]
        for layer in self.layers:
            if isinstance(layer, BenchCell):
                stack = layer(stack, cells)
            else:
                stack = stack.with_values(layer(stack.values))
        return stack


class BenchNet(SuperNet):
    """A super-net or stand-alone network of NAS-Bench-101 cells.

    Args are those of `SuperNet` and the channel policy.
    """

    def __init__(
        self,
        stem: nn.Module,
        trunk: CellStacks,
        head: nn.Module,
        policy: NormPolicy,
        chunks: ChannelPolicy,
    ) -> None:
        super().__init__(stem, trunk, head, policy)
        self.chunks = chunks

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """See `SuperNet.forward`."""
        self.chunks.renew()
        return super().forward(x, route)

    def forward_many(self, x: Tensor, routes: Sequence[Route]) -> Tensor:
        """See `SuperNet.forward_many`."""
        self.chunks.renew()
        return super().forward_many(x, routes)


class _Builder:
    """Builds cells, for one architecture or all.

    Args:
        space: the space or sub-space.
        policy: normalisation policy of the network.
        sharing: how architectures share weights.
        cell: the pruned cell to build by itself; None: all operations of all vertices.
    """

    def __init__(
        self, space: NB101, policy: NormPolicy, sharing: SharingSpec, cell: Cell | None
    ) -> None:
        self.space, self.policy, self.sharing, self.alone = space, policy, sharing, cell
        self.chunks = channel_policy(sharing, policy)
        self.drop_path = DropPath(sharing.path_dropout, identities=True)

    def cell(self, before: int, channels: int) -> BenchCell:
        """Build a cell between these numbers of channels."""
        if self.alone is None:
            vertices, passes = self._every(before, channels), True
        else:
            vertices, passes = self._needed(self.alone, before, channels), self.alone.passes
        return BenchCell(
            before,
            channels,
            vertices,
            passes,
            self.sharing.edge_norms,
            self.chunks,
            self.policy,
            self.drop_path,
        )

    def _every(self, before: int, channels: int) -> dict[int, Vertex]:
        """Build all vertices with the most channels that they can have."""
        width = -(-channels // (self.space.output_edges or 1))
        options = range(len(OPERATIONS))
        numbers = range(1, self.space.nodes - 1)
        return {n: self._vertex(n, before, width, options, True) for n in numbers}

    def _needed(self, cell: Cell, before: int, channels: int) -> dict[int, Vertex]:
        """Build what one cell has, exactly as wide as it is."""
        return {
            n: self._vertex(n, before, width, [cell.operations[n - 1]], 0 in cell.sources[n])
            for n, width in zip(cell.inner, vertex_channels(cell, channels), strict=True)
        }

    def _vertex(
        self, number: int, before: int, width: int, options: Sequence[int], reads_input: bool
    ) -> Vertex:
        return Vertex(
            number, before, width, options, reads_input, self.chunks, self.policy, self.sharing
        )


@register_builder("nb101")
def build_nb101(
    space: Space, network: NetworkSpec, policy: NormPolicy, architecture: Architecture | None
) -> SuperNet:
    """Build the super-net, or one architecture with exactly its widths.

    Raises:
        SpecError: the skeleton has fewer channels than vertices can share.
    """
    bench = cast(NB101, space)
    bench.require(network)
    cell = None if architecture is None else bench.live(architecture).cell
    builder = _Builder(bench, policy, sharing_of(network, architecture), cell)
    channels, before = network.channels, network.channels
    stem = ConvNormRelu(network.input_channels, channels, 3, 1, FixedChunk(), policy)
    layers: list[nn.Module] = []
    for stack in range(STACKS):
        if stack:
            # ceil_mode only matters for odd sizes, which the benchmark does not have.
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
            channels *= 2
        for _ in range(network.cells):
            layers.append(builder.cell(before, channels))
            before = channels
    trunk = CellStacks(layers, bench.nodes, architecture)
    head = BenchHead(channels, network.classes, builder.sharing.global_dropout, policy)
    return BenchNet(stem, trunk, head, policy, builder.chunks)
