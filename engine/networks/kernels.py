"""Convolutions whose kernels belong to others: lent as they are, or projected to a smaller size.

Owners are held outside of the module tree, so that state and parameters list a kernel once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.networks.touched import Region, watched


class SharedConv(nn.Module):
    """A convolution without bias that takes its kernel from somewhere.

    Args:
        conv: the convolution it replaces and whose geometry it has.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.side = conv.kernel_size[0]
        self.geometry = conv.stride, conv.padding, conv.dilation, conv.groups

    def kernel(self) -> Tensor:
        """Return the weights, (O, I/groups, side, side)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, H, W)."""
        return F.conv2d(x, self.kernel(), None, *self.geometry)


class LargestKernel(SharedConv):
    """The owner of a kernel of which others use the middle."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv)
        self.weight = conv.weight

    def kernel(self) -> Tensor:
        """See `SharedConv`; noted as used, or an update would freeze all but the middle."""
        return watched(self.weight, ())

    def middle(self, side: int) -> Tensor:
        """Return the middle (O, I/groups, side, side)."""
        edge = (self.side - side) // 2
        inner = slice(edge, edge + side)
        region: Region = (slice(None), slice(None), inner, inner)
        return watched(self.weight, region)


class ProjectedKernel(SharedConv):
    """A kernel made from the middle of the largest one (Cai et al. 2020, §3.3).

    The middle's k*k values are multiplied by one matrix for all channels. It starts as the
    identity and is the layer's own.
    """

    def __init__(self, conv: nn.Conv2d, largest: LargestKernel) -> None:
        super().__init__(conv)
        self.projection = nn.Parameter(torch.eye(self.side**2))
        self._largest = (largest,)

    def kernel(self) -> Tensor:
        """See `SharedConv`."""
        middle = self._largest[0].middle(self.side)
        return F.linear(middle.flatten(2), self.projection).view(middle.shape)


class BorrowedKernel(SharedConv):
    """The kernel of another convolution as it is, with a stride of its own."""

    def __init__(self, conv: nn.Conv2d, owner: nn.Module) -> None:
        super().__init__(conv)
        self._owner = (owner,)

    def kernel(self) -> Tensor:
        """See `SharedConv`."""
        owner = self._owner[0]
        if isinstance(owner, SharedConv):
            return owner.kernel()
        assert isinstance(owner, nn.Conv2d)
        return owner.weight
