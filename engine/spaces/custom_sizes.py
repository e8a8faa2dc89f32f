"""A user's chain of layers whose widths, and kernels if several are given, are chosen."""

from __future__ import annotations

import re

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost
from engine.spaces.custom_base import KIND_SPACES, CustomSpace, Tally, chain_graph
from engine.spaces.custom_definition import LayerDefinition, SizesDefinition
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec

# (channels, side of the kernel) of one layer.
Size = tuple[int, int]
_TERM = re.compile(r"(\d{1,5})(?:k(\d{1,2}))?")


class SizesSpace(CustomSpace):
    """All sizes of a definition.

    Attributes:
        layers: as the definition has them.
        stem: channels of the stem.
        places: per layer, the places of its width and kernel among `choices`; None where fixed.
    """

    def __init__(self, sizes: SizesDefinition) -> None:
        self.stem, self.layers = sizes.stem, tuple(sizes.layers)
        self.fixed = {"channels": sizes.stem, "cells": 1}
        choices: list[Choice] = []
        places: list[tuple[int | None, int | None]] = []
        for number, layer in enumerate(self.layers, start=1):
            own: list[int | None] = []
            for kind, values in (("width", layer.widths), ("kernel", layer.kernels)):
                own.append(len(choices) if len(values) > 1 else None)
                if len(values) > 1:
                    options = tuple(map(str, values))
                    choices.append(Choice(f"layer {number} {kind}", kind, options))  # type: ignore
            places.append((own[0], own[1]))
        self.places = tuple(places)
        sliced = any(len(layer.widths) > 1 for layer in self.layers)
        self.factors = frozenset({"global_dropout"})
        if sliced and self._channels_agree():
            self.factors |= {"dynamic_channels"}
        super().__init__(
            tuple(choices),
            frozenset({capabilities.WIDTH_SLICES} if sliced else ()),
            sizes.model_dump(mode="json"),
        )

    def _channels_agree(self) -> bool:
        """Tell whether every shortcut without a convolution joins layers of one largest width.

        Only then can a narrow layer be made from other than the first channels: the two layers
        have to choose alike.
        """
        before = [self.stem]
        for layer in self.layers:
            direct = layer.block == "residual" and layer.stride == 1
            if direct and set(before) & set(layer.widths) and max(before) != max(layer.widths):
                return False
            before = layer.widths
        return True

    def sizes(self, architecture: Architecture) -> tuple[Size, ...]:
        """Return (channels, kernel) of every layer."""
        return self.sizes_of(self.check(architecture).indices)

    def sizes_of(self, indices: tuple[int, ...]) -> tuple[Size, ...]:
        """Return what `sizes` does, for indices that are known to be valid."""
        return tuple(
            (
                layer.widths[0 if width is None else indices[width]],
                layer.kernels[0 if kernel is None else indices[kernel]],
            )
            for layer, (width, kernel) in zip(self.layers, self.places, strict=True)
        )

    def to_text(self, architecture: Architecture) -> str:
        """Write the widths, `16, 32k5`; kernels where there is a choice of them."""
        return ", ".join(
            f"{width}k{kernel}" if len(layer.kernels) > 1 else f"{width}"
            for layer, (width, kernel) in zip(self.layers, self.sizes(architecture), strict=True)
        )

    def parse(self, text: str) -> Architecture:
        """Read what `to_text` writes."""
        terms = text.split(",")
        if len(terms) != len(self.layers):
            raise ArchitectureError(
                f"An architecture of this space is {len(self.layers)} widths with commas between, "
                f"such as `{self.to_text(Architecture(self.name, (0,) * len(self.choices)))}`; "
                f"given was `{text:.200}`."
            )
        options: list[str] = []
        for number, (term, layer) in enumerate(zip(terms, self.layers, strict=True), start=1):
            options += _read_term(term.strip(), layer, number)
        return self.encode(options)

    def canonical(self, architecture: Architecture) -> str:
        """Return the definition's digest and the text: other sizes are other networks."""
        return f"{self.digest} {self.to_text(architecture)}"

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count what the stand-alone network builds."""
        tally, side = Tally.stem(network, self.stem), network.resolution
        before = self.stem
        for layer, (width, kernel) in zip(self.layers, self.sizes(architecture), strict=True):
            side = -(-side // layer.stride)
            tally.conv(kernel**2 * before * width, side, width)
            if layer.block == "residual":
                tally.conv(kernel**2 * width * width, side, width)
                if projects(layer, before, width):
                    tally.conv(before * width, side)
            before = width
        return tally.with_head(network, before)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return the chain with the width and kernel of every layer."""
        found = self.sizes(architecture)
        return self._drawn([(str(width), (kernel,)) for width, kernel in found])

    def overview(self) -> dict[str, CellGraph]:
        """Return the chain with all widths of a layer, and an edge for each of its kernels."""
        widths = [" | ".join(map(str, layer.widths)) for layer in self.layers]
        kernels = [tuple(layer.kernels) for layer in self.layers]
        return self._drawn(list(zip(widths, kernels, strict=True)))

    def _drawn(self, layers: list[tuple[str, tuple[int, ...]]]) -> dict[str, CellGraph]:
        names, steps = [f"stem: {self.stem}"], [("stem convolution",)]
        for number, (layer, (width, kernels)) in enumerate(
            zip(self.layers, layers, strict=True), start=1
        ):
            names.append(f"{number}: {width}{'' if layer.stride == 1 else ', half size'}")
            kind = "residual block" if layer.block == "residual" else "conv"
            steps.append(tuple(f"{kind} {k}x{k}" for k in kernels))  # type: ignore[arg-type]
        return chain_graph(tuple(names), tuple(steps))


def projects(layer: LayerDefinition, before: int, width: int) -> bool:
    """Tell whether the shortcut of a residual block needs a convolution."""
    return layer.block == "residual" and (before != width or layer.stride == 2)


def _read_term(term: str, layer: LayerDefinition, number: int) -> list[str]:
    """Return the chosen options of one layer."""
    match = _TERM.fullmatch(term)
    wanted = "a width and a kernel, such as `16k3`" if len(layer.kernels) > 1 else "a width"
    if match is None or (match[2] is None) != (len(layer.kernels) == 1):
        raise ArchitectureError(f"Layer {number} has {wanted}; given was `{term:.40}`.")
    chosen = []
    for given, values, noun in (
        (match[1], layer.widths, "channels"),
        (match[2], layer.kernels, "as its kernel's side"),
    ):
        if given is not None and int(given) not in values:
            raise ArchitectureError(
                f"Layer {number} cannot have {given} {noun}; possible are "
                f"{', '.join(map(str, values))}."
            )
        if len(values) > 1:
            chosen.append(str(int(given)))
    return chosen


KIND_SPACES[SizesDefinition] = SizesSpace
