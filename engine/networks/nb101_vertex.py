"""What a vertex of NAS-Bench-101 is made of: a projection of the input, and its operations.

Every convolution is followed by a normalisation and a ReLU, and layers have any width up to
their largest.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.channels import ChannelPolicy
from engine.networks.norm import Norm, NormPolicy, normalised_sum
from engine.networks.widths import NormMean, NormSlice, WidthConv, WidthConvNorm
from engine.spaces.nb101_cells import KERNELS, OPERATIONS
from engine.spec.network import SharingSpec


class ConvNormRelu(WidthConvNorm):
    """Convolution, normalisation, ReLU; Args as in `WidthConvNorm`."""

    def forward(  # type: ignore[override]
        self, x: Tensor, width: int | None = None, groups: int = 1
    ) -> Tensor:
        """Map (groups*B, any, H, W) to (groups*B, width, H, W); None: the largest width."""
        out, norm = super().forward(x, width or self.conv.out_channels)
        return torch.relu(normalised_sum([out], [norm], groups=groups))


class VertexConv(nn.Module):
    """The convolution of a vertex, normalisation, ReLU.

    With normalisations of their own for every incoming edge (WSBN; 000 §6.3.1, §6.4.5), a vertex
    that reads several others uses the mean of theirs: it convolves the sum of what it reads, so
    that there is one value to normalise. A vertex that reads one uses that one's.

    Args:
        conv: the convolution, or what lends it a kernel.
        width: largest number of channels.
        channels: policy of the network.
        policy: normalisation policy of the network.
        edges: the vertices that can be read, each with a normalisation; None: one for all.
    """

    def __init__(
        self,
        conv: nn.Module,
        width: int,
        channels: ChannelPolicy,
        policy: NormPolicy,
        edges: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.conv = conv
        self.channels = channels
        if edges is None:
            self.norm = Norm(width, policy)
        else:
            self.norms = nn.ModuleDict({str(source): Norm(width, policy) for source in edges})
        self.by_edge = edges is not None

    def forward(self, x: Tensor, sources: Sequence[int], groups: int) -> Tensor:
        """Map (groups*B, C, H, W) to the same shape.

        Args:
            x: the sum of what the vertex reads.
            sources: the vertices it reads.
            groups: independent blocks of the batch.
        """
        width = x.shape[1]
        if self.by_edge:
            own = [self.norms[str(source)] for source in sources]
            norm: NormMean | NormSlice = NormMean([self._slice(one, width) for one in own])
        else:
            norm = self._slice(self.norm, width)
        return torch.relu(normalised_sum([self.conv(x, width)], [norm], groups=groups))

    def _slice(self, norm: nn.Module, width: int) -> NormSlice:
        assert isinstance(norm, Norm)
        return NormSlice(norm, width, self.channels)


class MiddleConv(nn.Module):
    """A 1x1 convolution whose weights are the middle of a larger one's, times a learned number.

    That is the projection of Cai et al. 2020, §3.3 (OFA kernel; 000 §6.4.5), a matrix that maps
    the k*k values in the middle and starts as the identity, for k = 1.

    Args:
        largest: the convolution that owns the weights; it is not listed as a part of this one.
    """

    def __init__(self, largest: WidthConv) -> None:
        super().__init__()
        self.projection = nn.Parameter(torch.eye(1))
        self._largest = (largest,)

    def forward(self, x: Tensor, width: int) -> Tensor:
        """Map (B, any number of channels, H, W) to `width` channels."""
        largest = self._largest[0]
        middle = largest.channels.parameter(largest.weight, width, x.shape[1], side=1)
        return F.conv2d(x, middle * self.projection)


class MaxPool(nn.Module):
    """3x3 max pooling that keeps the size."""

    def forward(self, x: Tensor, sources: Sequence[int], groups: int) -> Tensor:
        """Map (groups*B, C, H, W) to the same shape; arguments as in `VertexConv`."""
        return F.max_pool2d(x, 3, 1, 1)


class Vertex(nn.Module):
    """An inner vertex: the projection of the cell's input, and the operations that can be chosen.

    Args:
        number: of the vertex in the cell; it can read vertices with smaller numbers.
        before: channels of the cell's input.
        width: largest number of channels.
        options: operations to build, as indices into `OPERATIONS`.
        reads_input: build the projection.
        channels: policy of the network.
        policy: normalisation policy of the network.
        sharing: how operations share weights.
    """

    def __init__(
        self,
        number: int,
        before: int,
        width: int,
        options: Sequence[int],
        reads_input: bool,
        channels: ChannelPolicy,
        policy: NormPolicy,
        sharing: SharingSpec,
    ) -> None:
        super().__init__()
        if reads_input:
            self.projection = ConvNormRelu(before, width, 1, 1, channels, policy)
        self.operations = nn.ModuleDict()
        edges = range(number) if sharing.edge_norms else None
        owner: WidthConv | None = None
        # The largest kernel first: with `ofa_kernel`, smaller ones are made from it.
        for option in sorted(options, key=lambda one: -KERNELS.get(OPERATIONS[one], 0)):
            kernel = KERNELS.get(OPERATIONS[option])
            if kernel is None:
                self.operations[str(option)] = MaxPool()
                continue
            if sharing.ofa_kernel and owner is not None:
                conv: nn.Module = MiddleConv(owner)
            else:
                conv = owner = WidthConv(width, width, kernel, 1, channels)
            self.operations[str(option)] = VertexConv(conv, width, channels, policy, edges)

    def project(self, x: Tensor, width: int, groups: int) -> Tensor:
        """Map the cell's input (groups*B, C_in, H, W) to (groups*B, width, H, W)."""
        return self.projection(x, width, groups)

    def apply_operation(
        self, option: int, x: Tensor, sources: Sequence[int], groups: int
    ) -> Tensor:
        """Run an operation; arguments as in `VertexConv`."""
        return self.operations[str(option)](x, sources, groups)
