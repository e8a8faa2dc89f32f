"""Parameters and FLOPs of networks of NAS-Bench-101 cells, counted without building them.

Parameters are the benchmark's `trainable_params`: convolutions without bias, a scale and a shift
per normalised channel, the classifier. The benchmark has no FLOPs; they are counted as in the
published zero-cost scores of its cells (NASLib): multiply-adds of convolutions and classifier
(without its bias), two per value that is normalised with scale and shift, one per value after a
ReLU, and the size of the window per value after pooling.
"""

from __future__ import annotations

from engine.core.space import Cost
from engine.spaces.nb101_cells import KERNELS, Cell, vertex_channels
from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec

STACKS = 3
POOL_WINDOW, HALVING_WINDOW = 9, 4


def require_channels(wanted: int, network: NetworkSpec) -> None:
    """Refuse skeletons in which a vertex would have no channels.

    Args:
        wanted: vertices that the cell's channels are divided among.
        network: skeleton.

    Raises:
        SpecError: there are fewer channels than vertices.
    """
    if network.channels < wanted:
        raise SpecError(
            "network.channels",
            f"in `nb101` up to {wanted} vertices share a cell's channels, so that there must be "
            f"at least {wanted} (128 in NAS-Bench-101); given was {network.channels}.",
        )


def network_cost(cell: Cell, network: NetworkSpec) -> Cost:
    """Count the network that `engine.networks.nb101` builds for a pruned cell by itself."""
    affine = 2 if network.norm.affine else 0
    count = _Count(affine, 1 + (affine or 1))
    channels, side = network.channels, network.resolution
    count.conv(9 * network.input_channels, channels, side)
    before = channels
    for stack in range(STACKS):
        if stack:
            side = -(-side // 2)
            count.pool(before, side, HALVING_WINDOW)
            channels *= 2
        for _ in range(network.cells):
            _count_cell(count, cell, before, channels, side)
            before = channels
    weights = channels * network.classes
    return Cost(count.params + weights + network.classes, count.flops + weights)


class _Count:
    """Sums up layers.

    Args:
        affine: learned numbers per normalised channel.
        passes: FLOPs per value of normalisation and ReLU together.
    """

    def __init__(self, affine: int, passes: int) -> None:
        self.affine, self.passes = affine, passes
        self.params = self.flops = 0

    def conv(self, inputs: int, outputs: int, side: int) -> None:
        """Add convolution, normalisation and ReLU; `inputs` are weights per output channel."""
        self.params += (inputs + self.affine) * outputs
        self.flops += (inputs + self.passes) * outputs * side**2

    def pool(self, channels: int, side: int, window: int) -> None:
        """Add a pooling with results of `side` pixels squared."""
        self.flops += window * channels * side**2


def _count_cell(count: _Count, cell: Cell, before: int, channels: int, side: int) -> None:
    for vertex, width in zip(cell.inner, vertex_channels(cell, channels), strict=True):
        if 0 in cell.sources[vertex]:
            count.conv(before, width, side)
        kernel = KERNELS.get(cell.operation(vertex))
        if kernel is None:
            count.pool(width, side, POOL_WINDOW)
        else:
            count.conv(kernel**2 * width, width, side)
    if cell.passes:
        count.conv(before, channels, side)
