"""Operations of the DARTS family: separable and dilated convolutions, pooling, reductions.

Kernels, strides, paddings and the order of parts are those of Liu et al. 2019 (ICLR), §3.1.1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.norm import Norm, NormPolicy
from engine.networks.ops.registry import OPS, Op, OpFactory, register_op


def _depthwise(channels: int, kernel: int, stride: int, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(
        channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False
    )


class SepConv(Op):
    """Twice ReLU, depth-wise and 1x1 convolution, normalisation; the first one has the stride."""

    activated = True
    deep = True

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int, policy: NormPolicy
    ) -> None:
        super().__init__()
        self.depthwise_1 = _depthwise(channels_in, kernel, stride)
        self.pointwise_1 = nn.Conv2d(channels_in, channels_in, 1, bias=False)
        self.norm_1 = Norm(channels_in, policy)
        self.depthwise_2 = _depthwise(channels_in, kernel, 1)
        self.pointwise_2 = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.norm = Norm(channels_out, policy)

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return (groups*B, C', H', W') before the second normalisation."""
        inner = self.norm_1(self.pointwise_1(self.depthwise_1(x)), groups)
        return self.pointwise_2(self.depthwise_2(torch.relu(inner)))


class DilConv(Op):
    """ReLU, depth-wise convolution with dilation 2, 1x1 convolution, normalisation."""

    activated = True
    deep = True

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int, policy: NormPolicy
    ) -> None:
        super().__init__()
        self.depthwise = _depthwise(channels_in, kernel, stride, dilation=2)
        self.pointwise = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.norm = Norm(channels_out, policy)

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return (groups*B, C', H', W') before the normalisation."""
        return self.pointwise(self.depthwise(x))


class RowColumnConv(Op):
    """ReLU, 1x7 and 7x1 convolution, normalisation (AmoebaNet's reduction cell)."""

    activated = True
    deep = True

    def __init__(
        self, channels_in: int, channels_out: int, stride: int, policy: NormPolicy
    ) -> None:
        super().__init__()
        self.row = nn.Conv2d(channels_in, channels_in, (1, 7), (1, stride), (0, 3), bias=False)
        self.column = nn.Conv2d(channels_in, channels_out, (7, 1), (stride, 1), (3, 0), bias=False)
        self.norm = Norm(channels_out, policy)

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return (groups*B, C', H', W') before the normalisation."""
        return self.column(self.row(x))


class FactorizedReduce(Op):
    """ReLU, two 1x1 convolutions of stride 2 on shifted grids, side by side, normalisation.

    For odd sizes the shifted grid is padded by zeros, so that both have ceil(H/2) rows.
    """

    activated = True

    def __init__(self, channels_in: int, channels_out: int, policy: NormPolicy) -> None:
        super().__init__()
        half = channels_out // 2
        self.even = nn.Conv2d(channels_in, half, 1, 2, bias=False)
        self.odd = nn.Conv2d(channels_in, channels_out - half, 1, 2, bias=False)
        self.norm = Norm(channels_out, policy)

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return (groups*B, C', ceil(H/2), ceil(W/2)) before the normalisation."""
        height, width = x.shape[2:]
        shifted = F.pad(x, (0, width % 2, 0, height % 2))[:, :, 1:, 1:]
        return torch.cat([self.even(x), self.odd(shifted)], dim=1)


class Pool(Op):
    """3x3 pooling, without padding values; normalised without scale and shift in super-nets.

    DARTS normalises poolings during search only, so that no operation's result is larger than
    another's by its nature.
    """

    def __init__(self, kind: str, channels: int, stride: int, policy: NormPolicy | None) -> None:
        super().__init__()
        self.kind = kind
        self.stride = stride
        self.shared = kind, stride
        if policy is not None:
            self.norm = Norm(channels, policy, affine=False)

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Pool."""
        if self.kind == "max":
            return F.max_pool2d(x, 3, self.stride, padding=1)
        return F.avg_pool2d(x, 3, self.stride, padding=1, count_include_pad=False)


def _pool(kind: str, normalised: bool) -> OpFactory:
    def build(channels_in: int, channels_out: int, stride: int, policy: NormPolicy) -> Op:
        if channels_in != channels_out:
            raise ValueError("pooling keeps the number of channels")
        return Pool(kind, channels_out, stride, policy if normalised else None)

    return build


def _conv(kind: Callable[..., Op], kernel: int) -> OpFactory:
    def build(channels_in: int, channels_out: int, stride: int, policy: NormPolicy) -> Op:
        return kind(channels_in, channels_out, kernel, stride, policy)

    return build


for _kernel in (3, 5, 7):
    register_op(f"sep_conv_{_kernel}x{_kernel}")(_conv(SepConv, _kernel))
for _kernel in (3, 5):
    register_op(f"dil_conv_{_kernel}x{_kernel}")(_conv(DilConv, _kernel))
register_op("conv_7x1_1x7")(RowColumnConv)
register_op("max_pool_3x3")(_pool("max", normalised=False))
register_op("max_pool_3x3_norm")(_pool("max", normalised=True))
register_op("avg_pool_3x3_norm")(_pool("avg", normalised=True))


@register_op("skip_or_reduce")
def skip_or_reduce(channels_in: int, channels_out: int, stride: int, policy: NormPolicy) -> Op:
    """Build the identity where it keeps the shape, else a factorised reduction of stride 2."""
    if stride == 2:
        return FactorizedReduce(channels_in, channels_out, policy)
    return OPS["skip_connect"](channels_in, channels_out, stride, policy)
