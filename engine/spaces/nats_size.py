"""The size space of NATS-Bench: how many channels each of five layers has (001 §5.2.1).

The layers are cell, residual block, cell, residual block, cell; the stem has the width of the
first cell. Every cell is the same: the benchmark's best for CIFAR-100. A convolution in it goes
from the layer's input width where it reads the cell's input, and from the layer's own width
elsewhere; its skip connection is a 1x1 convolution with batch normalisation where the two widths
differ. This reproduces all published counts that we have, see `tests/unit/sizes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost, Space
from engine.spaces.registry import register_space
from engine.spec.errors import ArchitectureError, SpecError
from engine.spec.network import NetworkSpec

WIDTHS = (8, 16, 24, 32, 40, 48, 56, 64)
LAYERS = ("cell", "block", "cell", "block", "cell")
# `NetworkSpec.channels` for which the widths are those published.
PUBLISHED_CHANNELS = 16
# (source, target, kernel) of the cell's convolutions; 0->3 is the skip connection.
CELL_CONVS = ((0, 1, 3), (0, 2, 3), (1, 2, 3), (1, 3, 3), (2, 3, 3))
CELL_SKIP = (0, 3)
_OPTIONS = tuple(str(width) for width in WIDTHS)
_CHOICES = tuple(
    Choice(f"layer {number} ({kind})", "width", _OPTIONS)
    for number, kind in enumerate(LAYERS, start=1)
)


def widths_of(indices: tuple[int, ...], network: NetworkSpec) -> tuple[int, ...]:
    """Return the channels of each layer in a skeleton.

    The space was built "to include the largest number of channels" of the topology space (001
    §5.2.1), which is four times its stem's. With `network.channels` C the widths are therefore
    the eighths of 4C, rounded up; at C = 16 they are the published 8, 16, ..., 64.

    Args:
        indices: option index per layer.
        network: skeleton; only `channels` matters.

    Raises:
        SpecError: `channels` is 1, for which different options would give equal widths.
    """
    if network.channels < 2:
        raise SpecError(
            "network.channels",
            f"the eight widths of `nats_size` are eighths of four times this, so it must be at "
            f"least 2 ({PUBLISHED_CHANNELS} in NATS-Bench); given was {network.channels}.",
        )
    return tuple(-(-WIDTHS[i] * network.channels // PUBLISHED_CHANNELS) for i in indices)


def convolutions(widths: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """Yield (layer, weights, normalised channels) of every convolution between stem and head."""
    before = widths[0]
    for layer, (kind, width) in enumerate(zip(LAYERS, widths, strict=True)):
        if kind == "block":
            yield layer, 9 * before * width, width
            yield layer, 9 * width * width, width
            yield layer, before * width, 0
        else:
            for source, _, kernel in CELL_CONVS:
                yield layer, kernel**2 * width * (width if source else before), width
            if before != width:
                yield layer, before * width, width
        before = width


class NatsSize(Space):
    """The 32,768 width settings of NATS-Bench's size space in the benchmark's own skeleton."""

    name = "nats_size"
    title = "NATS-Bench size"
    source = "001 §5.2.1; Dong et al., NATS-Bench, TPAMI 2021"
    help = (
        "The cell is fixed; chosen are the channels of five layers, from 8 to 64. Narrow layers "
        "use the first channels of wide ones. With stem channels other than 16 all widths scale "
        "along."
    )
    provides = frozenset(
        {
            capabilities.SHARED_WEIGHTS,
            capabilities.WIDTH_SLICES,
            capabilities.WIDTH_MIXTURE,
            capabilities.SEQUENCE_CODE,
            capabilities.ENUMERABLE,
        }
    )
    fixed: ClassVar[Mapping[str, int]] = {"cells": 1}
    factors = frozenset({"dynamic_channels", "global_dropout"})
    choices = _CHOICES

    def to_text(self, architecture: Architecture) -> str:
        """Write the benchmark's string, such as `8:64:24:16:32`, whatever the skeleton is."""
        return ":".join(_OPTIONS[i] for i in self.check(architecture).indices)

    def parse(self, text: str) -> Architecture:
        """Read the benchmark's string."""
        parts = text.strip().split(":")
        if len(parts) != len(LAYERS):
            raise ArchitectureError(
                f"An architecture of `{self.name}` is {len(LAYERS)} widths joined by `:`, such "
                f"as `8:64:24:16:32`; given was `{text:.80}`."
            )
        for number, part in enumerate(parts, start=1):
            if part not in _OPTIONS:
                raise ArchitectureError(
                    f"Layer {number} cannot have `{part:.40}` channels; possible are "
                    f"{', '.join(_OPTIONS)}."
                )
        return self.encode(parts)

    def canonical(self, architecture: Architecture) -> str:
        """Return the text: no two width settings build the same network."""
        return self.to_text(architecture)

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the benchmark does: FLOPs are those of convolutions and the classifier.

        Raises:
            SpecError: the skeleton is too narrow, see `widths_of`.
        """
        widths = widths_of(self.check(architecture).indices, network)
        affine = 2 if network.norm.affine else 0
        side, last = network.resolution, widths[-1]
        sides = [side]
        for kind in LAYERS[1:]:
            sides.append(-(-sides[-1] // 2) if kind == "block" else sides[-1])
        stem, head = 9 * network.input_channels * widths[0], (last + 1) * network.classes
        params = stem + affine * (widths[0] + last) + head
        flops = stem * side**2 + head
        for layer, weights, normalised in convolutions(widths):
            params += weights + affine * normalised
            flops += weights * sides[layer] ** 2
        return Cost(params, flops)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return the chain of layers with their widths, and the fixed cell."""
        names = ["images"]
        widths = [WIDTHS[i] for i in self.check(architecture).indices]
        names.append(f"stem: {widths[0]}")
        names += [f"{n}: {width}" for n, width in enumerate(widths, start=1)]
        steps = ["stem convolution", *("residual block" if k == "block" else k for k in LAYERS)]
        chain = zip(names, names[1:], steps, strict=False)
        edges = [(source, target, step, True) for source, target, step in chain]
        edges.append((names[-1], "classes", "classifier", True))
        cell = [(str(s), str(t), "nor_conv_3x3", True) for s, t, _ in CELL_CONVS]
        cell.insert(3, (str(CELL_SKIP[0]), str(CELL_SKIP[1]), "skip_connect", True))
        return {
            "layers": CellGraph((*names, "classes"), tuple(edges)),
            "cell": CellGraph(("0", "1", "2", "3"), tuple(cell)),
        }


NATS_SIZE_SPACE = register_space(NatsSize())
