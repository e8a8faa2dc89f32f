"""Parameters and multiply-adds of networks of DARTS cells, counted without building them.

As DARTS counts: convolutions, scales and shifts of normalisations, the classifier; without the
auxiliary head, which evaluation does not need. Multiply-adds are those of convolutions plus the
classifier with its bias; normalisation and pooling are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.space import Cost
from engine.spaces.darts_cells import INPUTS, needed_layers, reductions
from engine.spec.network import NetworkSpec

STEM_MULTIPLIER = 3
# Operation: (weights of depth-wise kernels per channel, dense CxC convolutions times kernel
# elements, normalisations). `skip_connect` stands for the factorised reduction of stride 2.
_WEIGHTS = {
    "skip_connect": (0, 1, 1),
    "sep_conv_3x3": (2 * 9, 2, 2),
    "sep_conv_5x5": (2 * 25, 2, 2),
    "sep_conv_7x7": (2 * 49, 2, 2),
    "dil_conv_3x3": (9, 1, 1),
    "dil_conv_5x5": (25, 1, 1),
    "conv_7x1_1x7": (0, 2 * 7, 1),
}
_FREE = ("none", "max_pool_3x3", "avg_pool_3x3")


@dataclass(frozen=True)
class CountedCell:
    """A cell as far as its cost goes.

    Attributes:
        edges: (operation, source node) of the edges to count.
        outputs: number of nodes that are concatenated.
        used: input nodes that are read, so that they are preprocessed.
    """

    edges: tuple[tuple[str, int], ...]
    outputs: int
    used: frozenset[int]


def network_cost(normal: CountedCell, reduction: CountedCell, network: NetworkSpec) -> Cost:
    """Count the network that `engine.networks.darts` builds for these cells."""
    affine = 2 if network.norm.affine else 0
    cells, width, side = (normal, reduction), network.channels, network.resolution
    stem = STEM_MULTIPLIER * width
    params = 9 * network.input_channels * stem + affine * stem
    flops = 9 * network.input_channels * stem * side**2
    reducing = reductions(network.cells)
    needed = needed_layers(network.cells, (normal.used, reduction.used))
    before = [stem, stem]
    for layer in range(network.cells):
        cell, reduces = cells[layer in reducing], layer in reducing
        if reduces:
            width *= 2
        if needed[layer]:
            cost = _cell(cell, before, width, side, affine, reduces)
            params, flops = params + cost.params, flops + cost.flops
        if reduces:
            side = -(-side // 2)
        before = [before[1], cell.outputs * width]
    head = (before[1] + 1) * network.classes
    return Cost(params + head, flops + head)


def _cell(
    cell: CountedCell, before: Sequence[int], width: int, side: int, affine: int, reduces: bool
) -> Cost:
    """Count one cell; `side` is the size of its preprocessed inputs."""
    params = flops = 0
    inner = -(-side // 2) if reduces else side
    for node in cell.used:
        params += before[node] * width + affine * width
        flops += before[node] * width * side**2
    for name, source in cell.edges:
        strided = reduces and source < INPUTS
        if name in _FREE or (name == "skip_connect" and not strided):
            continue
        depthwise, dense, norms = _WEIGHTS[name]
        weights = depthwise * width + dense * width**2
        params += weights + affine * width * norms
        flops += _strided(name, width, side) if strided else weights * inner**2
    return Cost(params, flops)


def _strided(name: str, width: int, side: int) -> int:
    """Multiply-adds of an operation of stride 2 on an image of `side` pixels squared."""
    depthwise, dense, _ = _WEIGHTS[name]
    half = -(-side // 2)
    if name == "conv_7x1_1x7":
        # The first of the two convolutions halves the width only.
        return 7 * width**2 * (side * half + half**2)
    return (depthwise * width + dense * width**2) * half**2
