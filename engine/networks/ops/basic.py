"""Operations of NAS-Bench-201: convolutions with normalisation, pooling, identity (001 §5.2.1)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.norm import Norm, NormPolicy
from engine.networks.ops.registry import Op, register_op


class ReluConvNorm(Op):
    """ReLU, convolution without bias, batch normalisation."""

    activated = True

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int, policy: NormPolicy
    ) -> None:
        super().__init__()
        padding = kernel // 2
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, padding, bias=False)
        self.norm = Norm(channels_out, policy)

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Convolve (the ReLU is the cell's)."""
        return self.conv(x)


class AveragePool(Op):
    """3x3 average pooling that does not count the padding."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.shared = "avg", stride

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Pool."""
        return F.avg_pool2d(x, 3, self.stride, padding=1, count_include_pad=False)


class Identity(Op):
    """A skip connection."""

    def body(self, x: Tensor, groups: int = 1) -> Tensor:
        """Return the source itself."""
        return x


@register_op("nor_conv_1x1")
def nor_conv_1x1(channels_in: int, channels_out: int, stride: int, policy: NormPolicy) -> Op:
    """Build ReLU, 1x1 convolution, normalisation."""
    return ReluConvNorm(channels_in, channels_out, 1, stride, policy)


@register_op("nor_conv_3x3")
def nor_conv_3x3(channels_in: int, channels_out: int, stride: int, policy: NormPolicy) -> Op:
    """Build ReLU, 3x3 convolution, normalisation."""
    return ReluConvNorm(channels_in, channels_out, 3, stride, policy)


@register_op("avg_pool_3x3")
def avg_pool_3x3(channels_in: int, channels_out: int, stride: int, policy: NormPolicy) -> Op:
    """Build an average pooling; it cannot change the number of channels."""
    if channels_in != channels_out:
        raise ValueError("average pooling keeps the number of channels")
    return AveragePool(stride)


@register_op("skip_connect")
def skip_connect(channels_in: int, channels_out: int, stride: int, policy: NormPolicy) -> Op:
    """Build an identity; it cannot change the shape."""
    if channels_in != channels_out or stride != 1:
        raise ValueError("a skip connection keeps the shape")
    return Identity()
