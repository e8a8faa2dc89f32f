"""NAS-Bench-101 as Python: the skeleton of `engine.networks.nb101` with one cell written out."""

from __future__ import annotations

import re
from collections.abc import Callable
from string import Template
from typing import cast

from engine.core.architecture import Architecture
from engine.core.space import Cost
from engine.export.sources import nb101_text as text
from engine.export.sources.nb101_moves import Arrays, find_move
from engine.export.sources.registry import SOURCES
from engine.spaces.nb101 import NB101
from engine.spaces.nb101_cells import KERNELS, Cell, vertex_channels
from engine.spaces.nb101_cost import STACKS
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

_VERTEX = re.compile(r"\.vertices\.(\d+)\.(projection|operations\.\d+)\.")


class NB101Source:
    """See `Source`; it also moves weights between orders of vertices, see `Translates`.

    Args:
        space: the space or sub-space.
    """

    def __init__(self, space: NB101) -> None:
        self.space = space

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Write operations, cell and network."""
        cell = self.space.live(architecture).cell
        channels = [network.channels * 2**stack for stack in range(STACKS)]
        widths = [vertex_channels(cell, width) for width in channels]
        parts = [text.NORM]
        if _pools(cell):
            parts.append(text.POOL)
        parts += [text.STACKS, _Cell(cell, widths).text(), text.NETWORK]
        joined = "\n\n\n".join(part.strip("\n") for part in parts)
        pairs = zip(channels, widths, strict=True)
        return Template(joined).substitute(
            stacks="\n".join(f"    ({width}, {vertices})," for width, vertices in pairs),
            affine=network.norm.affine,
            momentum=repr(network.norm.momentum),
            channels=network.channels,
            cells=network.cells,
            classes=network.classes,
            input_channels=network.input_channels,
        )

    def uses_functional(self, architecture: Architecture) -> bool:
        """Vertices that pool need it."""
        return _pools(self.space.live(architecture).cell)

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the space does, which counts what is alive."""
        return self.space.cost(architecture, network)

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Map `trunk.layers.3.vertices.1.projection.norm.bias` to `layers.3.project_1.norm.bias`.

        A state of `trained_as` is to be brought into the order of `architecture` first, by
        `translated`.
        """
        self._require_same(architecture, trained_as or architecture)

        def part(match: re.Match[str]) -> str:
            kind = "project" if match.group(2) == "projection" else "vertex"
            return f".{kind}_{match.group(1)}."

        def rename(name: str) -> str:
            name = name.removeprefix("trunk.").removeprefix("head.")
            return _VERTEX.sub(part, name).replace(".projection.", ".project_output.")

        return rename

    def fits(
        self, architecture: Architecture, trained_as: Architecture, network: NetworkSpec
    ) -> bool:
        """Tell whether `translated` can move weights; see `Selects`."""
        self._require_same(architecture, trained_as)
        given, wanted = self.space.live(trained_as).cell, self.space.live(architecture).cell
        return find_move(given, wanted, network) is not None

    def translated(
        self,
        state: Arrays,
        architecture: Architecture,
        trained_as: Architecture,
        network: NetworkSpec,
    ) -> Arrays:
        """Bring the state of an isomorphic cell into the order of `architecture`.

        Raises:
            ExportError: the cells are not isomorphic, or differ in which vertex has the channel
                that is left when output edges do not divide channels.
        """
        self._require_same(architecture, trained_as)
        given, wanted = self.space.live(trained_as).cell, self.space.live(architecture).cell
        move = find_move(given, wanted, network)
        if move is None:
            raise ExportError(
                f"The weights are of {self.space.to_text(trained_as)}. In this skeleton some of "
                f"its vertices have a channel more or less than in "
                f"{self.space.to_text(architecture)}; export that architecture instead."
            )
        return move.moved(state)

    def _require_same(self, architecture: Architecture, trained_as: Architecture) -> None:
        if self.space.canonical(architecture) != self.space.canonical(trained_as):
            raise ExportError(
                f"The weights are of {self.space.to_text(trained_as)}, which is another network "
                f"than {self.space.to_text(architecture)}."
            )


def _pools(cell: Cell) -> bool:
    return any(cell.operation(vertex) not in KERNELS for vertex in cell.inner)


class _Cell:
    """Writes the class of a cell.

    Args:
        cell: without dead vertices.
        widths: channels of its vertices, per stack.
    """

    def __init__(self, cell: Cell, widths: list[tuple[int, ...]]) -> None:
        self.cell = cell
        self.widths = widths
        self.cut = any(self._cuts(s, t) for s, t in cell.edges if s > 0 and t in cell.inner)

    def text(self) -> str:
        """Return the class definition."""
        arguments = "self, before: int, channels: int, widths: tuple[int, ...]"
        lines = [
            "class Cell(nn.Module):",
            '    """x0 is the input; a vertex adds up what it reads and applies its operation."""',
            "",
            f"    def __init__({arguments}) -> None:",
            "        super().__init__()",
            *(f"        {line}" for line in self._init()),
            "",
            "    def forward(self, x0: Tensor) -> Tensor:",
            *(f"        {line}" for line in self._forward()),
        ]
        return "\n".join(lines)

    def _init(self) -> list[str]:
        cell, lines = self.cell, []
        if self.cut:
            lines.append("self.widths = widths")
        for vertex in cell.inner:
            width = f"widths[{vertex - 1}]"
            if 0 in cell.sources[vertex]:
                lines.append(f"self.project_{vertex} = ConvNormRelu(before, {width}, 1)")
            kernel = KERNELS.get(cell.operation(vertex))
            if kernel is not None:
                made = f"ConvNormRelu({width}, {width}, {kernel})"
                lines.append(f"self.vertex_{vertex} = {made}")
        if cell.passes:
            lines.append("self.project_output = ConvNormRelu(before, channels, 1)")
        return lines

    def _forward(self) -> list[str]:
        cell, lines = self.cell, []
        for vertex in cell.inner:
            terms = " + ".join(self._term(source, vertex) for source in cell.sources[vertex])
            pools = cell.operation(vertex) not in KERNELS
            made = "max_pool" if pools else f"self.vertex_{vertex}"
            lines.append(f"x{vertex} = {made}({terms})")
        fed = [f"x{vertex}" for vertex in cell.feeders]
        out = fed[0] if len(fed) == 1 else f"torch.cat([{', '.join(fed)}], dim=1)"
        if cell.passes:
            passed = "self.project_output(x0)"
            out = f"{out} + {passed}" if fed else passed
        return [*lines, f"return {out}"]

    def _term(self, source: int, target: int) -> str:
        if source == 0:
            return f"self.project_{target}(x0)"
        cut = f"[:, : self.widths[{target - 1}]]" if self._cuts(source, target) else ""
        return f"x{source}{cut}"

    def _cuts(self, source: int, target: int) -> bool:
        """Whether, in some stack, the source has a channel more than its reader."""
        return any(widths[source - 1] != widths[target - 1] for widths in self.widths)


SOURCES.register("nb101", lambda space: NB101Source(cast(NB101, space)))
