"""The skeleton of NAS-Bench-201: stem, three stages of cells, stride-2 blocks between, head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.builder import register_builder
from engine.networks.dag_cell import DagCell
from engine.networks.drop_path import DropPath
from engine.networks.dropout import GlobalDropout
from engine.networks.norm import Norm, NormPolicy, normalised_sum
from engine.networks.plan import CellLayout, Planner
from engine.networks.route import Route
from engine.networks.sharing import sharing_of
from engine.networks.stack import Stack
from engine.networks.stem import Stem
from engine.networks.supernet import SuperNet
from engine.spaces.nb201 import EDGES, NB201_SPACE, NODES, OPERATIONS
from engine.spec.network import NetworkSpec

LAYOUT = CellLayout(
    edges=EDGES,
    nodes=NODES,
    inputs=1,
    outputs=(NODES - 1,),
    options=(OPERATIONS,) * len(EDGES),
    choices=tuple(range(len(EDGES))),
)


class Reduction(nn.Module):
    """Residual block of stride 2 that doubles the channels; its shortcut pools, then projects."""

    def __init__(self, channels: int, policy: NormPolicy) -> None:
        super().__init__()
        wide = 2 * channels
        self.first = nn.Conv2d(channels, wide, 3, 2, 1, bias=False)
        self.first_norm = Norm(wide, policy)
        self.second = nn.Conv2d(wide, wide, 3, 1, 1, bias=False)
        self.second_norm = Norm(wide, policy)
        self.shortcut = nn.Conv2d(channels, wide, 1, bias=False)

    def forward(self, x: Tensor, groups: int = 1) -> Tensor:
        """Map (groups*B, C, H, W) to (groups*B, 2C, ceil(H/2), ceil(W/2))."""
        inner = self.first_norm(self.first(torch.relu(x)), groups)
        inner = self.second(torch.relu(inner))
        # ceil_mode only matters for odd sizes, which the benchmark does not have.
        outer = self.shortcut(F.avg_pool2d(x, 2, 2, ceil_mode=True))
        return normalised_sum([inner, outer], [self.second_norm, None], groups=groups)


class Head(nn.Module):
    """Normalisation, ReLU, global average pooling, linear classifier.

    Args:
        channels: of the last cell.
        classes: number of logits.
        policy: normalisation policy of the network.
        dropout: probability of dropout before the pooling in training.
    """

    def __init__(
        self, channels: int, classes: int, policy: NormPolicy, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.norm = Norm(channels, policy)
        self.dropout = GlobalDropout(dropout, policy)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return logits (groups*B, classes)."""
        features = self.dropout(torch.relu(self.norm(x, groups)))
        return self.classifier(features.mean((2, 3)))


class CellChain(nn.Module):
    """Cells and reductions one after another."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(modules)

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """Compute one route."""
        for layer in self.layers:
            x = layer(x, route) if isinstance(layer, DagCell) else layer(x)
        return x

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute many hard routes."""
        for layer in self.layers:
            if isinstance(layer, DagCell):
                stack = layer.forward_many(stack, routes)
            else:
                stack = stack.with_values(layer(stack.values, stack.blocks))
        return stack


@register_builder("nb201")
def build_nb201(
    space: Space, network: NetworkSpec, policy: NormPolicy, architecture: Architecture | None
) -> SuperNet:
    """Build the super-net, or the live operations of one architecture only."""
    planner = Planner(LAYOUT)
    built = None
    if architecture is not None:
        alive = NB201_SPACE.live(architecture)
        pairs = zip(architecture.indices, alive, strict=True)
        built = [[index] if flag else [] for index, flag in pairs]
    sharing = sharing_of(network, architecture)
    drop_path = DropPath(sharing.path_dropout, identities=True)
    width = network.channels
    layers: list[nn.Module] = []
    for stage in range(3):
        if stage:
            layers.append(Reduction(width, policy))
            width *= 2
        layers += [
            DagCell(planner, width, policy, built, None, drop_path, sharing)
            for _ in range(network.cells)
        ]
    stem = Stem(network.input_channels, network.channels, policy)
    head = Head(width, network.classes, policy, sharing.global_dropout)
    return SuperNet(stem, CellChain(layers), head, policy)
