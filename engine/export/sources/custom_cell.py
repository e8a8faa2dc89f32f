"""A user's cell as Python: the skeleton with one cell written out, live edges only."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Cost
from engine.export.sources import custom_text as text
from engine.export.sources.custom_ops import body, made
from engine.spaces.custom_cell import CellSpace
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

_EDGE = re.compile(r"(trunk\.layers\.\d+)\.edges\.(\d+)\.\d+\.")
_JOIN = re.compile(r"trunk\.layers\.\d+\.join\.conv\.weight")
_WIDTH = 99
Arrays = dict[str, np.ndarray]


class CellSource:
    """See `Source`; it also moves weights between numberings of nodes, see `Translates`."""

    def __init__(self, space: CellSpace) -> None:
        self.space = space

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Write operations, cell and network."""
        cell = _Cell(self.space, architecture)
        stages = "one stage" if self.space.stages == 1 else f"{self.space.stages} stages"
        return body(
            [cell.text(), text.CELLS],
            network,
            channels=network.channels,
            cells=network.cells,
            count=self.space.stages,
            stages=stages,
            cell="Cell(channels)" if cell.modules else "Cell()",
        )

    def uses_functional(self, architecture: Architecture) -> bool:
        """What is needed of `F` is written out, as `nn.functional`."""
        return False

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the space does, which counts what is alive."""
        return self.space.cost(architecture, network)

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Map `trunk.layers.3.edges.1.2.conv.weight` to `layers.3.edge_0_2.conv.weight`.

        A state of `trained_as` is to be brought into the order of `architecture` first, by
        `translated`.
        """
        _require_same(self.space, architecture, trained_as or architecture)

        def edge_name(match: re.Match[str]) -> str:
            source, target = self.space.edges[int(match[2])]
            return f"{match[1]}.edge_{source}_{target}."

        return lambda name: _EDGE.sub(edge_name, name).removeprefix("trunk.")

    def translated(
        self,
        state: Arrays,
        architecture: Architecture,
        trained_as: Architecture,
        network: NetworkSpec,
    ) -> Arrays:
        """Bring the state of an identical network into the order of `architecture`.

        Every edge takes the weights of the edge that plays its part, and the convolution behind
        a concatenation has its inputs reordered along.

        Raises:
            ExportError: the two are not identical networks.
        """
        _require_same(self.space, architecture, trained_as)
        given, wanted = self.space.wired(trained_as), self.space.wired(architecture)
        origin = dict(zip(wanted.form.atoms, given.form.atoms, strict=True))
        places = dict(zip(wanted.form.outputs, given.form.outputs, strict=True))
        targets: dict[int, list[int]] = {}
        for edge, atom in wanted.atom_of.items():
            targets.setdefault(origin[atom], []).append(edge)
        result: Arrays = {}
        for name, array in state.items():
            match = _EDGE.match(name)
            if match is None:
                result[name] = self._reordered(array, places) if _JOIN.match(name) else array
                continue
            for edge in targets.get(int(match[2]), ()):
                result[f"{match[1]}.edges.{edge}.0.{name[match.end() :]}"] = array
        return result

    def _reordered(self, array: np.ndarray, places: dict[int, int]) -> np.ndarray:
        blocks = np.split(array, len(self.space.outputs), axis=1)
        moved = [blocks[places[place]] for place in range(len(blocks))]
        return np.ascontiguousarray(np.concatenate(moved, axis=1))


def _require_same(space: CellSpace, architecture: Architecture, trained_as: Architecture) -> None:
    if space.canonical(architecture) != space.canonical(trained_as):
        raise ExportError(
            f"The weights are of {space.to_text(trained_as)}, which is another network than "
            f"{space.to_text(architecture)}."
        )


class _Cell:
    """Writes the class of the cell.

    Attributes:
        modules: lines that build its operations.
    """

    def __init__(self, space: CellSpace, architecture: Architecture) -> None:
        self.space = space
        self.terms: dict[int, list[str]] = {}
        self.modules: list[str] = []
        names, flags = space.operations(architecture), space.live(architecture)
        for (source, target), name, alive in zip(space.edges, names, flags, strict=True):
            if not alive:
                continue
            expression, term = made(name, "channels", "channels"), f"x{source}"
            if expression is not None:
                self.modules.append(f"self.edge_{source}_{target} = {expression}")
                term = f"self.edge_{source}_{target}(x{source})"
            self.terms.setdefault(target, []).append(term)
        if len(space.outputs) > 1:
            joined = f"{len(space.outputs)} * channels"
            self.modules.append(f"self.join = ReluConvNorm({joined}, channels, 1)")

    def text(self) -> str:
        """Return the class definition."""
        names = ", ".join(f"x{n} is `{name}`" for n, name in enumerate(self.space.nodes))
        lines = [
            "class Cell(nn.Module):",
            '    """A node is the sum of its incoming edges.',
            "",
            *textwrap.wrap(f"{names}.", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4),
            "    Only the edges that reach the output are here.",
            '    """',
            "",
        ]
        if self.modules:
            lines.append("    def __init__(self, channels: int) -> None:")
            lines.append("        super().__init__()")
            lines += [f"        {line}" for line in self.modules]
            lines.append("")
        return "\n".join(
            [*lines, "    def forward(self, x0: Tensor) -> Tensor:", *self._forward()]
        )

    def _forward(self) -> list[str]:
        lines: list[str] = []
        single = self.space.outputs[0] if len(self.space.outputs) == 1 else None
        for node, terms in sorted(self.terms.items()):
            lines += _sum("return " if node == single else f"x{node} = ", terms)
        if single is not None:
            return lines or ["        return torch.zeros_like(x0)"]
        parts = [f"x{n}" if n in self.terms else "zero" for n in self.space.outputs]
        if "zero" in parts:
            lines.append("        zero = torch.zeros_like(x0)")
        lines.append(f"        outputs = [{', '.join(parts)}]")
        return [*lines, "        return self.join(torch.cat(outputs, dim=1))"]


def _sum(start: str, terms: Sequence[str]) -> list[str]:
    """Write a sum in one line where it fits, else one term a line."""
    line = f"        {start}{' + '.join(terms)}"
    if len(line) <= _WIDTH:
        return [line]
    first, *rest = terms
    return [
        f"        {start}(",
        f"            {first}",
        *(f"            + {term}" for term in rest),
        "        )",
    ]
