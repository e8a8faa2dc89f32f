"""User-defined spaces as Python: cells, and the layers of chains one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Cost, Space
from engine.export.sources import custom_text as text
from engine.export.sources.custom_cell import CellSource
from engine.export.sources.custom_ops import body, made
from engine.export.sources.registry import SOURCES, Source
from engine.spaces.custom import CellSpace, ChainSpace, SizesSpace
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

_BLOCK = re.compile(r"trunk\.layers\.(\d+)\.edges\.0\.\d+\.")
_SIZED = re.compile(r"trunk\.layers\.(\d+)\.(first|second)\.\d+\.")
_SHORTCUT = re.compile(r"trunk\.layers\.(\d+)\.shortcut\.")
Arrays = dict[str, np.ndarray]


class ChainSource:
    """See `Source`; it also moves weights between blocks of one shape, see `Translates`."""

    def __init__(self, space: ChainSpace) -> None:
        self.space = space

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Write the operations that are used, and the network without skipped blocks."""
        layers = []
        for place, name in self.space.kept(architecture):
            block = self.space.blocks[place]
            layers.append(str(made(name, block.before, block.width, block.stride)))
        last = self.space.blocks[-1].width
        return _chain(layers, network, channels=self.space.stem, width=last)

    def uses_functional(self, architecture: Architecture) -> bool:
        """What is needed of `F` is written out, as `nn.functional`."""
        return False

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the space does."""
        return self.space.cost(architecture, network)

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Map `trunk.layers.3.edges.0.1.conv.weight` to `layers.2.conv.weight`, if one is skipped.

        A state of `trained_as` is to be brought into the order of `architecture` first, by
        `translated`.
        """
        _require_same(self.space, architecture, trained_as)
        kept = [place for place, _ in self.space.kept(architecture)]

        def block_name(match: re.Match[str]) -> str:
            return f"layers.{kept.index(int(match[1]))}."

        return lambda name: _BLOCK.sub(block_name, name)

    def translated(
        self,
        state: Arrays,
        architecture: Architecture,
        trained_as: Architecture,
        network: NetworkSpec,
    ) -> Arrays:
        """Give the weights of every block to the one that plays its part in `architecture`.

        Raises:
            ExportError: the two are not identical networks.
        """
        _require_same(self.space, architecture, trained_as)
        given, wanted = self.space.kept(trained_as), self.space.kept(architecture)
        places = {old: new for (old, _), (new, _) in zip(given, wanted, strict=True)}

        def moved(match: re.Match[str]) -> str:
            return f"trunk.layers.{places[int(match[1])]}.edges.0.0."

        return {_BLOCK.sub(moved, name): array for name, array in state.items()}


class SizesSource:
    """See `Source`."""

    def __init__(self, space: SizesSpace) -> None:
        self.space = space

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Write the layers with their sizes, and the network."""
        layers, before = [], self.space.stem
        sizes = self.space.sizes(architecture)
        for layer, (width, kernel) in zip(self.space.layers, sizes, strict=True):
            kind = "Residual" if layer.block == "residual" else "ReluConvNorm"
            strided = "" if layer.stride == 1 else ", stride=2"
            layers.append(f"{kind}({before}, {width}, {kernel}{strided})")
            before = width
        return _chain(layers, network, channels=self.space.stem, width=before)

    def uses_functional(self, architecture: Architecture) -> bool:
        """Poolings are modules."""
        return False

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the space does: nothing is dead."""
        return self.space.cost(architecture, network)

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Map `trunk.layers.2.first.3.conv.weight` to `layers.2.conv.weight`.

        A residual block keeps `first` and `second`; in its shortcut, pooling comes first.
        """
        _require_same(self.space, architecture, trained_as)

        def part(match: re.Match[str]) -> str:
            residual = self.space.layers[int(match[1])].block == "residual"
            return f"layers.{match[1]}.{match[2]}." if residual else f"layers.{match[1]}."

        def shortcut(match: re.Match[str]) -> str:
            pooled = self.space.layers[int(match[1])].stride == 2
            return f"layers.{match[1]}.shortcut.{int(pooled)}."

        return lambda name: _SHORTCUT.sub(shortcut, _SIZED.sub(part, name))


def _require_same(
    space: ChainSpace | SizesSpace, architecture: Architecture, trained_as: Architecture | None
) -> None:
    if trained_as and space.canonical(trained_as) != space.canonical(architecture):
        raise ExportError(
            f"The weights are of {space.to_text(trained_as)}, which is another network than "
            f"{space.to_text(architecture)}."
        )


def _chain(layers: Sequence[str], network: NetworkSpec, **values: object) -> str:
    """Write a network of layers one after another."""
    lines = ["        self.layers = nn.Sequential()"]
    if layers:
        listed = [f"            {layer}," for layer in layers]
        lines = ["        self.layers = nn.Sequential(", *listed, "        )"]
    main = text.CHAIN.replace("$layers", "\n".join(lines))
    return body([main], network, **values)


def source_of(space: Space) -> Source:
    """Return the writer for the kind of a definition."""
    if isinstance(space, CellSpace):
        return CellSource(space)
    if isinstance(space, ChainSpace):
        return ChainSource(space)
    assert isinstance(space, SizesSpace), "these are all kinds"
    return SizesSource(space)


SOURCE: Callable[[Space], Source] = SOURCES.register("custom", source_of)
