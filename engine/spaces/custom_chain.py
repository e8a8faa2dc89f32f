"""A user's chain: blocks one after another, each of which chooses its operation (as SPOS's do)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost
from engine.spaces.custom_base import KIND_SPACES, CustomSpace, Tally, chain_graph
from engine.spaces.custom_definition import ChainDefinition
from engine.spaces.operations import OPERATIONS, share_kernels
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec


@dataclass(frozen=True)
class Block:
    """One block of a chain.

    Attributes:
        before: channels of the block before.
        width: its own channels.
        stride: 1 or 2.
        options: operations to choose from.
    """

    before: int
    width: int
    stride: int
    options: tuple[str, ...]


class ChainSpace(CustomSpace):
    """All chains of a definition.

    Attributes:
        blocks: all of them, repeated ones written out.
        stem: channels of the stem.
        places: per block, its place among `choices`; None where one operation is fixed.
    """

    def __init__(self, chain: ChainDefinition) -> None:
        self.stem = chain.stem
        self.blocks = _blocks(chain)
        self.fixed = {"channels": chain.stem, "cells": 1}
        self.factors = frozenset({"global_dropout"})
        if any(share_kernels(block.options) for block in self.blocks):
            self.factors |= {"ofa_kernel"}
        self.recomputes = any(
            OPERATIONS[name].deep
            for names in (block.options for block in self.blocks)
            for name in names
        )
        free = [place for place, block in enumerate(self.blocks) if len(block.options) > 1]
        self.places = tuple(
            free.index(place) if place in free else None for place in range(len(self.blocks))
        )
        super().__init__(
            tuple(Choice(f"block {n + 1}", "op", self.blocks[n].options) for n in free),
            frozenset({capabilities.OP_CHOICE, capabilities.OP_MIXTURE}),
            {
                "kind": chain.kind,
                "stem": chain.stem,
                "blocks": [[b.width, b.stride, b.options] for b in self.blocks],
            },
        )

    @property
    def mixture_sources(self) -> tuple[int, ...]:
        """The block before each choice; -1 for the stem, and where it is fixed."""
        before = zip((None, *self.places), self.places, strict=False)
        return tuple(-1 if b is None else b for b, place in before if place is not None)

    def operations(self, architecture: Architecture) -> tuple[str, ...]:
        """Return the operation of every block, fixed ones included."""
        indices = self.check(architecture).indices
        return tuple(
            block.options[0 if place is None else indices[place]]
            for place, block in zip(self.places, self.blocks, strict=True)
        )

    def to_text(self, architecture: Architecture) -> str:
        """Write the operation of every block, `nor_conv_3x3, skip_connect`."""
        return ", ".join(self.operations(architecture))

    def parse(self, text: str) -> Architecture:
        """Read what `to_text` writes."""
        names = [name.strip() for name in text.split(",")]
        if len(names) != len(self.blocks):
            raise ArchitectureError(
                f"An architecture of this chain is {len(self.blocks)} operations with commas "
                f"between; given was `{text:.200}`."
            )
        for number, (name, block) in enumerate(zip(names, self.blocks, strict=True), start=1):
            if name not in block.options:
                raise ArchitectureError(
                    f"Block {number} cannot have `{name:.40}`; it has {', '.join(block.options)}."
                )
        pairs = zip(names, self.places, strict=True)
        return self.encode([name for name, place in pairs if place is not None])

    def kept(self, architecture: Architecture) -> list[tuple[int, str]]:
        """Return (place, operation) of the blocks that do anything."""
        names = self.operations(architecture)
        return [
            (place, name)
            for place, (name, block) in enumerate(zip(names, self.blocks, strict=True))
            if not OPERATIONS[name].is_identity(block.stride)
        ]

    def canonical(self, architecture: Architecture) -> str:
        """Return the definition's digest and the operations, blocks that are skipped left out.

        Skipping the first or the second of two blocks of one shape leaves the same network.
        """
        steps = []
        for place, name in self.kept(architecture):
            block = self.blocks[place]
            steps.append(f"{name}({block.before},{block.width},{block.stride})")
        return " ".join([self.digest, *steps])

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count what the stand-alone network builds."""
        tally, side = Tally.stem(network, self.stem), network.resolution
        for name, block in zip(self.operations(architecture), self.blocks, strict=True):
            shape = block.before, block.width, block.stride, side
            tally.add(OPERATIONS[name].cost(*shape, network.norm.affine))
            side = -(-side // block.stride)
        return tally.with_head(network, self.blocks[-1].width)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        """Return the chain with the operation of every block."""
        return self._drawn([(name,) for name in self.operations(architecture)])

    def overview(self) -> dict[str, CellGraph]:
        """Return the chain with an edge for every operation that can be chosen."""
        return self._drawn([block.options for block in self.blocks])

    def _drawn(self, steps: list[tuple[str, ...]]) -> dict[str, CellGraph]:
        names = [
            f"{number}: {block.width}{'' if block.stride == 1 else ', half size'}"
            for number, block in enumerate(self.blocks, start=1)
        ]
        return chain_graph((f"stem: {self.stem}", *names), (("stem convolution",), *steps))


def _blocks(chain: ChainDefinition) -> tuple[Block, ...]:
    blocks, width = [], chain.stem
    for given in chain.blocks:
        options = tuple(chain.operations or () if given.operations is None else given.operations)
        for number in range(given.repeat):
            before, width = width, given.width or width
            blocks.append(Block(before, width, 1 if number else given.stride, options))
    return tuple(blocks)


KIND_SPACES[ChainDefinition] = ChainSpace
