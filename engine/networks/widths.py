"""Layers of several widths in one set of weights, under one channel policy (joint 10).

A layer is built once, with its largest widths; a narrower one uses part of it. Which part is
decided by one object for weights, normalisation parameters and normalisation buffers together.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.norm import Norm, NormPolicy, move_averages
from engine.networks.touched import watched


class ChannelPolicy(Protocol):
    """How a narrow layer is made from the largest one (000 §6.4.5 compares three ways)."""

    def parameter(self, largest: Tensor, *widths: int) -> Tensor:
        """Return the values of a layer with these widths, gradients leading to `largest`.

        Args:
            largest: its first dimensions are channels.
            widths: how many of each of these dimensions; the others stay whole.
        """
        ...

    def buffer(self, largest: Tensor, width: int) -> Tensor:
        """Return a view of the moving averages of `width` channels; writing to it is kept."""
        ...


class FixedChunk:
    """The first channels, [0:k] (Guo et al. 2019; 000 §6.4.5)."""

    def parameter(self, largest: Tensor, *widths: int) -> Tensor:
        """See `ChannelPolicy`; gradients of the channels beyond are exactly zero."""
        return watched(largest, _first(largest, widths))

    def buffer(self, largest: Tensor, width: int) -> Tensor:
        """See `ChannelPolicy`."""
        return largest[_first(largest, (width,))]


def _first(largest: Tensor, widths: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the leading slices.

    Raises:
        ValueError: a width is below 1 or above the largest.
    """
    sizes = largest.shape[: len(widths)]
    if any(not 1 <= width <= size for width, size in zip(widths, sizes, strict=True)):
        raise ValueError(f"widths {widths} of a layer whose largest are {tuple(sizes)}")
    return tuple(slice(0, width) for width in widths)


class NormSlice:
    """The normalisation of some channels of a `Norm`, as `normalised_sum` takes it."""

    def __init__(self, norm: Norm, width: int, channels: ChannelPolicy) -> None:
        self.norm = norm
        self.width = width
        self.channels = channels
        self.policy = norm.policy
        self.weight = None if norm.weight is None else channels.parameter(norm.weight, width)
        self.bias = None if norm.bias is None else channels.parameter(norm.bias, width)

    def averages(self) -> tuple[Tensor, Tensor]:
        """Return views of the moving mean and variance, shape (width,) each."""
        mean, variance = self.norm.running_mean, self.norm.running_var
        return self.channels.buffer(mean, self.width), self.channels.buffer(variance, self.width)

    def statistics(self) -> tuple[Tensor, Tensor] | None:
        """Return (mean, variance) to normalise with, or None for batch statistics."""
        return self.averages() if self.policy.use_moving else None

    def observe(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the averages of these channels; see `Norm.observe`."""
        move_averages(self.averages(), mean, variance, count, self.policy.momentum)


class WidthConv(nn.Conv2d):
    """A convolution without bias between any number of its first channels.

    Args:
        channels_in: largest number of input channels.
        channels_out: largest number of output channels.
        kernel: side of the kernel; padding keeps the size.
        stride: stride.
        channels: policy of the network.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int,
        channels: ChannelPolicy,
    ) -> None:
        super().__init__(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
        self.channels = channels

    def forward(self, x: Tensor, width: int) -> Tensor:  # type: ignore[override]
        """Map (B, any number of channels, H, W) to `width` channels."""
        weight = self.channels.parameter(self.weight, width, x.shape[1])
        return F.conv2d(x, weight, None, self.stride, self.padding)


class WidthConvNorm(nn.Module):
    """A `WidthConv` and the normalisation of its result, which the caller applies.

    Args are those of `WidthConv` and the normalisation policy.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int,
        channels: ChannelPolicy,
        policy: NormPolicy,
    ) -> None:
        super().__init__()
        self.conv = WidthConv(channels_in, channels_out, kernel, stride, channels)
        self.norm = Norm(channels_out, policy)

    def forward(self, x: Tensor, width: int) -> tuple[Tensor, NormSlice]:
        """Return the convolution's result and how to normalise it."""
        return self.conv(x, width), NormSlice(self.norm, width, self.conv.channels)


class WidthLinear(nn.Linear):
    """A linear layer over any number of its first inputs; all outputs are always there."""

    def __init__(self, largest: int, outputs: int, channels: ChannelPolicy) -> None:
        super().__init__(largest, outputs)
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, any number of features) to (B, outputs)."""
        weight = self.channels.parameter(self.weight, self.out_features, x.shape[1])
        return F.linear(x, weight, self.bias)
