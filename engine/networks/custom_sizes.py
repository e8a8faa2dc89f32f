"""Networks of user-defined sizes; the super-net has the largest width of every layer.

A narrow layer is made from the widest, as `network.sharing.dynamic_channels` says. Kernels have
weights of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.networks.channels import ChannelPolicy, channel_policy
from engine.networks.nats_size import SizeHead
from engine.networks.norm import NormPolicy, normalised_sum
from engine.networks.route import Route
from engine.networks.sharing import sharing_of
from engine.networks.stack import take_blocks
from engine.networks.stem import Stem
from engine.networks.supernet import SuperNet
from engine.networks.widths import WidthConv, WidthConvNorm
from engine.spaces.custom_definition import LayerDefinition
from engine.spaces.custom_sizes import Size, SizesSpace, projects
from engine.spec.network import NetworkSpec

# (channels, kernel) of the layers so far, first one first.
History = tuple[Size, ...]


class SizedLayer(nn.Module):
    """ReLU, convolution, normalisation; as a residual block twice, with a shortcut around both.

    Args:
        before: channels it can read.
        widths: channels it can have.
        kernels: sides of its kernel.
        layer: stride and kind.
        channels: how a narrow layer is made from the widest.
        policy: normalisation policy of the network.
    """

    def __init__(
        self,
        before: Sequence[int],
        widths: Sequence[int],
        kernels: Sequence[int],
        layer: LayerDefinition,
        channels: ChannelPolicy,
        policy: NormPolicy,
    ) -> None:
        super().__init__()
        self.layer = layer
        old, new = max(before), max(widths)
        self.first, self.second = nn.ModuleDict(), nn.ModuleDict()
        for kernel in kernels:
            conv = WidthConvNorm(old, new, kernel, layer.stride, channels, policy)
            self.first[str(kernel)] = conv
            if layer.block == "residual":
                conv = WidthConvNorm(new, new, kernel, 1, channels, policy)
                self.second[str(kernel)] = conv
        if any(projects(layer, b, w) for b in before for w in widths):
            self.shortcut = WidthConv(old, new, 1, 1, channels)

    def forward(self, x: Tensor, size: Size, groups: int = 1) -> Tensor:
        """Map (groups*B, any width, H, W) to (groups*B, width, H', W')."""
        width, kernel = size
        inner, norm = self.first[str(kernel)](torch.relu(x), width)
        if self.layer.block == "conv":
            return normalised_sum([inner], [norm], groups=groups)
        inner = torch.relu(normalised_sum([inner], [norm], groups=groups))
        inner, norm = self.second[str(kernel)](inner, width)
        outer = x
        if projects(self.layer, x.shape[1], width):
            if self.layer.stride == 2:
                outer = F.avg_pool2d(outer, 2, 2, ceil_mode=True)
            outer = self.shortcut(outer, width)
        return normalised_sum([inner, outer], [norm, None], groups=groups)


class SizedTrunk(nn.Module):
    """All layers, one after another."""

    def __init__(self, layers: Sequence[SizedLayer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, sizes: History) -> Tensor:
        """Compute the layers with these sizes."""
        for layer, size in zip(self.layers, sizes, strict=True):
            x = layer(x, size)
        return x


class SizedNet(SuperNet):
    """A super-net whose routes have layers of different sizes.

    Args:
        space: the sizes.
        network: skeleton.
        policy: normalisation policy of the network.
        architecture: the only one to build; None: all.
    """

    def __init__(
        self,
        space: SizesSpace,
        network: NetworkSpec,
        policy: NormPolicy,
        architecture: Architecture | None,
    ) -> None:
        sharing = sharing_of(network, architecture)
        channels, layers = channel_policy(sharing, policy), []
        only = None if architecture is None else space.sizes(architecture)
        before: Sequence[int] = [space.stem]
        for place, layer in enumerate(space.layers):
            widths, kernels = layer.widths, layer.kernels
            if only is not None:
                widths, kernels = [only[place][0]], [only[place][1]]
            layers.append(SizedLayer(before, widths, kernels, layer, channels, policy))
            before = widths
        super().__init__(
            Stem(network.input_channels, space.stem, policy),
            SizedTrunk(layers),
            SizeHead(max(before), network.classes, channels, policy, sharing.global_dropout),
            policy,
        )
        self.space = space
        self.architecture = architecture
        self.channels = channels

    def sizes(self, route: Route) -> History:
        """Return the layers' sizes along a hard route.

        Raises:
            ValueError: the route is not hard, or not that of a stand-alone network.
        """
        if route.weighted or any(len(active) != 1 for active in route.active):
            raise ValueError("sizes cannot be mixed: a route has one option per choice")
        indices = tuple(active[0] for active in route.active)
        if self.architecture is not None and indices != self.architecture.indices:
            raise ValueError("a network built for one architecture has its route only")
        return self.space.sizes_of(indices)

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """Return logits (B, classes) of images (B, C_in, H, W) along one route."""
        self.channels.renew()
        return self.head(cast(SizedTrunk, self.trunk)(self.stem(x), self.sizes(route)))

    def forward_many(self, x: Tensor, routes: Sequence[Route]) -> Tensor:
        """Return logits (R, B, classes) of the same images along R hard routes.

        A layer runs once for every pair of an input width and a size of its own, over the
        stacked histories of the routes; routes with equal first layers share these. Where a pass
        draws masks or channels, routes run one by one, as each has draws of its own.
        """
        if self.policy.draws:
            return torch.stack([self(x, route) for route in routes])
        wanted = [self.sizes(route) for route in routes]
        states: _States = {(): (self.stem(x), [()])}
        for depth, layer in enumerate(cast(SizedTrunk, self.trunk).layers, start=1):
            states = _advance(layer, states, sorted({sizes[:depth] for sizes in wanted}))
        logits: dict[History, Tensor] = {}
        for values, histories in states.values():
            blocks = self.head(values, len(histories)).chunk(len(histories))
            logits.update(zip(histories, blocks, strict=True))
        return torch.stack([logits[sizes] for sizes in wanted])


# By the last layer's width, in a tuple that is empty before the first layer: the values
# (K*B, width, H, W) of K histories, and these.
_States = dict[tuple[int, ...], tuple[Tensor, list[History]]]


def _advance(layer: nn.Module, states: _States, histories: Sequence[History]) -> _States:
    """Run one layer for all histories that include it; `states` hold those before it."""
    groups: dict[tuple[tuple[int, ...], Size], list[History]] = {}
    for history in histories:
        groups.setdefault((_width(history[:-1]), history[-1]), []).append(history)
    parts: dict[tuple[int, ...], list[tuple[Tensor, list[History]]]] = {}
    for (before, size), members in groups.items():
        values, sources = states[before]
        taken = take_blocks(values, len(sources), [sources.index(m[:-1]) for m in members])
        part = layer(taken, size, len(members)), members
        parts.setdefault((size[0],), []).append(part)
    return {
        width: (
            torch.cat([values for values, _ in found]),
            [history for _, some in found for history in some],
        )
        for width, found in parts.items()
    }


def _width(history: History) -> tuple[int, ...]:
    return (history[-1][0],) if history else ()
