"""Networks of NATS-Bench's size space; the super-net has the largest widths everywhere.

A narrow network uses a part of every layer: the first channels, so that it is exactly the
benchmark's network of these widths, unless `sharing.dynamic_channels` says otherwise (see
`engine.networks.channels`). Initial values are drawn for the largest widths. Routes with weights
mix widths: all layers are as wide as their largest option, and channels are masked after every
normalisation, so that a mixture of one option is that option's network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.builder import register_builder
from engine.networks.channels import ChannelPolicy, channel_policy
from engine.networks.dropout import GlobalDropout
from engine.networks.norm import Norm, NormPolicy, normalised_sum
from engine.networks.route import Route
from engine.networks.sharing import sharing_of
from engine.networks.stack import take_blocks
from engine.networks.supernet import SuperNet
from engine.networks.width_mixture import Masking, masked, maskings, with_channels
from engine.networks.widths import (
    NormSlice,
    WidthConv,
    WidthConvNorm,
    WidthLinear,
)
from engine.spaces.nats_size import CELL_CONVS, CELL_SKIP, LAYERS, WIDTHS, widths_of
from engine.spec.network import NetworkSpec

# A layer's number of channels per route, first layer first.
Widths = tuple[int, ...]


class Stem(WidthConvNorm):
    """3x3 convolution and normalisation."""

    def forward(self, x: Tensor, width: int | None = None) -> Tensor:  # type: ignore[override]
        """Map images (B, C_in, H, W) to (B, width, H, W); None: the largest width."""
        inner, norm = super().forward(x, width or self.conv.out_channels)
        return normalised_sum([inner], [norm])


class SizeCell(nn.Module):
    """The one cell of the space, between any two widths.

    Args:
        before: largest number of input channels.
        width: largest number of channels of its own.
        skip: whether widths may differ, so that the skip connection needs a convolution.
        channels: policy of the network.
        policy: normalisation policy of the network.
    """

    def __init__(
        self, before: int, width: int, skip: bool, channels: ChannelPolicy, policy: NormPolicy
    ) -> None:
        super().__init__()
        edges = {(s, t): (before if s == 0 else width, kernel) for s, t, kernel in CELL_CONVS}
        if skip:
            edges[CELL_SKIP] = (before, 1)
        for (source, target), (largest, kernel) in edges.items():
            edge = WidthConvNorm(largest, width, kernel, 1, channels, policy)
            self.add_module(f"edge_{source}_{target}", edge)

    def forward(
        self, x: Tensor, width: int, groups: int = 1, masking: Masking | None = None
    ) -> Tensor:
        """Map (groups*B, any width, H, W) to (groups*B, width, H, W)."""
        values: list[Tensor] = [torch.relu(x)]
        for target in (1, 2, 3):
            terms: list[tuple[Tensor, NormSlice | None]] = [
                self.get_submodule(f"edge_{s}_{t}")(values[s], width)
                for s, t, _ in CELL_CONVS
                if t == target
            ]
            if target == CELL_SKIP[1]:
                terms.append(self._skip(x, width, groups, masking))
            inputs, norms = zip(*terms, strict=True)
            total = masked(normalised_sum(inputs, norms, groups=groups), masking)
            values.append(torch.relu(total) if target < 3 else total)
        return values[-1]

    def _skip(
        self, x: Tensor, width: int, groups: int, masking: Masking | None
    ) -> tuple[Tensor, NormSlice | None]:
        """Return the input where widths agree, else its projection (without a ReLU before it).

        In a mixture both, each as likely as it is; the first layer's widths always agree.
        """
        if masking is None and x.shape[1] != width:
            return self.get_submodule("edge_0_3")(x, width)
        if masking is None or not hasattr(self, "edge_0_3"):
            return x, None
        projected, norm = self.get_submodule("edge_0_3")(x, width)
        projected = normalised_sum([projected], [norm], groups=groups)
        same = masking.same.to(x.dtype)
        return same * with_channels(x, width) + (1 - same) * projected, None


class SizeReduction(nn.Module):
    """Residual block of stride 2 between any two widths; its shortcut pools, then projects.

    Args are those of `SizeCell`.
    """

    def __init__(
        self, before: int, width: int, channels: ChannelPolicy, policy: NormPolicy
    ) -> None:
        super().__init__()
        self.first = WidthConvNorm(before, width, 3, 2, channels, policy)
        self.second = WidthConvNorm(width, width, 3, 1, channels, policy)
        self.shortcut = WidthConv(before, width, 1, 1, channels)

    def forward(
        self, x: Tensor, width: int, groups: int = 1, masking: Masking | None = None
    ) -> Tensor:
        """Map (groups*B, any, H, W) to (groups*B, width, ceil(H/2), ceil(W/2))."""
        inner, norm = self.first(torch.relu(x), width)
        inner = torch.relu(masked(normalised_sum([inner], [norm], groups=groups), masking))
        inner, norm = self.second(inner, width)
        # ceil_mode only matters for odd sizes, which the benchmark does not have.
        outer = self.shortcut(F.avg_pool2d(x, 2, 2, ceil_mode=True), width)
        return masked(normalised_sum([inner, outer], [norm, None], groups=groups), masking)


class SizeHead(nn.Module):
    """Normalisation, ReLU, global average pooling, linear classifier, for any width.

    Args:
        width: largest number of input channels.
        classes: number of logits.
        channels: policy of the network.
        policy: normalisation policy of the network.
        dropout: probability of dropout before the pooling in training.
    """

    def __init__(
        self,
        width: int,
        classes: int,
        channels: ChannelPolicy,
        policy: NormPolicy,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.dropout = GlobalDropout(dropout, policy)
        self.channels = channels
        self.norm = Norm(width, policy)
        self.classifier = WidthLinear(width, classes, channels)

    def forward(self, x: Tensor, groups: int = 1, masking: Masking | None = None) -> Tensor:
        """Return logits (groups*B, classes)."""
        norm = NormSlice(self.norm, x.shape[1], self.channels)
        x = masked(normalised_sum([x], [norm], groups=groups), masking)
        return self.classifier(self.dropout(torch.relu(x)).mean((2, 3)))


class SizeTrunk(nn.Module):
    """The five layers, one after another.

    Args:
        largest: largest width per layer.
        shared: layers of other widths are used, too; else only the largest.
        channels: policy of the network.
        policy: normalisation policy of the network.
    """

    def __init__(
        self, largest: Widths, shared: bool, channels: ChannelPolicy, policy: NormPolicy
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        # The stem has the first layer's width.
        before = largest[0]
        for number, (kind, width) in enumerate(zip(LAYERS, largest, strict=True)):
            if kind == "block":
                layer: nn.Module = SizeReduction(before, width, channels, policy)
            else:
                skip = before != width or (shared and number > 0)
                layer = SizeCell(before, width, skip, channels, policy)
            self.layers.append(layer)
            before = width

    def forward(self, x: Tensor, widths: Widths, masks: Sequence[Masking] | None = None) -> Tensor:
        """Map (B, widths[0], H, W) to (B, widths[-1], H/4, W/4)."""
        for number, (layer, width) in enumerate(zip(self.layers, widths, strict=True)):
            x = layer(x, width, masking=None if masks is None else masks[number])
        return x


class SizeNet(SuperNet):
    """A super-net whose routes have layers of different widths.

    Args:
        network: skeleton.
        architecture: whose widths are the largest; None: the widest of the space.
        policy: normalisation policy of the network.
    """

    def __init__(
        self, network: NetworkSpec, architecture: Architecture | None, policy: NormPolicy
    ) -> None:
        widest = (len(WIDTHS) - 1,) * len(LAYERS)
        largest = widths_of(architecture.indices if architecture else widest, network)
        sharing = sharing_of(network, architecture)
        channels = channel_policy(sharing, policy)
        super().__init__(
            Stem(network.input_channels, largest[0], 3, 1, channels, policy),
            SizeTrunk(largest, architecture is None, channels, policy),
            SizeHead(largest[-1], network.classes, channels, policy, sharing.global_dropout),
            policy,
        )
        self.network = network
        self.architecture = architecture
        self.channels = channels

    def widths(self, route: Route) -> Widths:
        """Return the layers' widths along a hard route.

        Raises:
            ValueError: the route is not hard, or not that of a stand-alone network.
        """
        if route.weighted or any(len(active) != 1 for active in route.active):
            raise ValueError("a route without weights has one width per layer")
        indices = tuple(active[0] for active in route.active)
        if self.architecture is not None and indices != self.architecture.indices:
            raise ValueError("a network built for one architecture has its route only")
        return widths_of(indices, self.network)

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """Return logits (B, classes) of images (B, C_in, H, W) along one route, or a mixture."""
        if route.weights is not None:
            return self._mixed(x, route)
        widths = self.widths(route)
        self.channels.renew()
        return self.head(cast(SizeTrunk, self.trunk)(self.stem(x, widths[0]), widths))

    def _mixed(self, x: Tensor, route: Route) -> Tensor:
        """Return logits of a mixture of widths; gradients reach its weights through the masks.

        Raises:
            ValueError: the network was built for one architecture.
        """
        if self.architecture is not None:
            raise ValueError("a network built for one architecture has its route only")
        options = [[widths_of((i,), self.network)[0] for i in one] for one in route.active]
        widths, masks = zip(*maskings(route, options), strict=True)
        x = masked(self.stem(x, widths[0]), masks[0])
        x = cast(SizeTrunk, self.trunk)(x, widths, masks)
        return self.head(x, masking=masks[-1])

    def forward_many(self, x: Tensor, routes: Sequence[Route]) -> Tensor:
        """Return logits (R, B, classes) of the same images along R hard routes.

        Routes that agree in their first layers share what these compute. A layer runs once for
        every pair of an input width and a width of its own, over the stacked histories. Where
        a pass draws masks or channels, routes run one by one, as each has draws of its own.
        """
        if self.policy.draws:
            return torch.stack([self(x, route) for route in routes])
        wanted = [self.widths(route) for route in routes]
        states = {w: (self.stem(x, w), [(w,)]) for w in sorted({widths[0] for widths in wanted})}
        for depth, layer in enumerate(cast(SizeTrunk, self.trunk).layers, start=1):
            states = _advance(layer, states, sorted({widths[:depth] for widths in wanted}))
        logits: dict[Widths, Tensor] = {}
        for values, histories in states.values():
            blocks = self.head(values, len(histories)).chunk(len(histories))
            logits.update(zip(histories, blocks, strict=True))
        return torch.stack([logits[widths] for widths in wanted])


# By present width: the values (K*B, width, H, W) of K histories, and these.
_States = dict[int, tuple[Tensor, list[Widths]]]


def _advance(layer: nn.Module, states: _States, histories: Sequence[Widths]) -> _States:
    """Run one layer for all histories that include it; `states` hold those before it."""
    first = len(histories[0]) == 1
    groups: dict[tuple[int, int], list[Widths]] = {}
    for history in histories:
        before = history[-1] if first else history[-2]
        groups.setdefault((before, history[-1]), []).append(history)
    parts: dict[int, list[tuple[Tensor, list[Widths]]]] = {}
    for (before, width), members in groups.items():
        values, sources = states[before]
        chosen = [sources.index(member if first else member[:-1]) for member in members]
        taken = take_blocks(values, len(sources), chosen)
        parts.setdefault(width, []).append((layer(taken, width, len(members)), members))
    return {
        width: (_joined([values for values, _ in found]), [h for _, some in found for h in some])
        for width, found in parts.items()
    }


def _joined(values: list[Tensor]) -> Tensor:
    return values[0] if len(values) == 1 else torch.cat(values)


@register_builder("nats_size")
def build_nats_size(
    space: Space, network: NetworkSpec, policy: NormPolicy, architecture: Architecture | None
) -> SuperNet:
    """Build the super-net, or one architecture with exactly its widths."""
    return SizeNet(network, architecture, policy)
