"""Layers of several widths in one set of weights, under one channel policy (joint 10)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.channels import ChannelPolicy
from engine.networks.norm import Norm, NormPolicy, batch_moments


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
        """Return the moving mean and variance, shape (width,) each."""
        mean, variance = self.norm.running_mean, self.norm.running_var
        return self.channels.buffer(mean, self.width), self.channels.buffer(variance, self.width)

    def statistics(self) -> tuple[Tensor, Tensor] | None:
        """Return (mean, variance) to normalise with, or None for batch statistics."""
        return self.averages() if self.policy.use_moving else None

    def observe(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the averages of these channels; see `Norm.observe`."""
        seen = batch_moments(mean, variance, count)
        momentum = self.policy.momentum
        for largest, value in zip(
            (self.norm.running_mean, self.norm.running_var), seen, strict=True
        ):
            self.channels.move(largest, value, momentum)


class NormMean:
    """Several normalisations of one tensor, averaged: scales, shifts and moving averages.

    A batch moves each of them as if it were alone, and hence their mean in the same way.
    """

    def __init__(self, norms: Sequence[NormSlice]) -> None:
        self.norms = norms
        self.policy = norms[0].policy
        self.weight = _mean([norm.weight for norm in norms])
        self.bias = _mean([norm.bias for norm in norms])

    def statistics(self) -> tuple[Tensor, Tensor] | None:
        """Return (mean, variance) to normalise with, or None for batch statistics."""
        if not self.policy.use_moving:
            return None
        means, variances = zip(*(norm.averages() for norm in self.norms), strict=True)
        return sum(means) / len(means), sum(variances) / len(variances)

    def observe(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move all averages; see `Norm.observe`."""
        for norm in self.norms:
            norm.observe(mean, variance, count)


def _mean(values: Sequence[Tensor | None]) -> Tensor | None:
    found = [value for value in values if value is not None]
    return sum(found[1:], found[0]) / len(found) if found else None


class WidthConv(nn.Conv2d):
    """A convolution without bias between any number of its channels.

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
    """A linear layer over any number of its inputs; all outputs are always there."""

    def __init__(self, largest: int, outputs: int, channels: ChannelPolicy) -> None:
        super().__init__(largest, outputs)
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, any number of features) to (B, outputs)."""
        weight = self.channels.parameter(self.weight, self.out_features, x.shape[1])
        return F.linear(x, weight, self.bias)
