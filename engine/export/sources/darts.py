"""DARTS as Python: the skeleton of `engine.networks.darts` with both cells written out."""

from __future__ import annotations

import re
from collections.abc import Callable
from string import Template

import numpy as np

from engine.core.architecture import Architecture
from engine.core.space import Cost
from engine.export.sources import darts_text as text
from engine.export.sources.registry import SOURCES
from engine.spaces.darts import DARTS_SPACE
from engine.spaces.darts_cells import (
    EDGES,
    INNER,
    INPUTS,
    OPERATIONS,
    CellEdges,
    form,
    inputs_used,
    live,
    needed_layers,
    reductions,
)
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

Arrays = dict[str, np.ndarray]

_EDGE = re.compile(r"\.dag\.edges\.(\d+)\.\d+\.")
_PREPROCESS = re.compile(r"\.preprocess\.(\d)\.")
_PLACE = re.compile(r"trunk\.cells\.(\d+)\.(?:dag\.edges\.(\d+)|preprocess\.(\d))\.")
_CONVS = {
    "sep_conv_3x3": ("SepConv", 3),
    "sep_conv_5x5": ("SepConv", 5),
    "dil_conv_3x3": ("DilConv", 3),
    "dil_conv_5x5": ("DilConv", 5),
}
_POOLS = {"max_pool_3x3": "max_pool", "avg_pool_3x3": "average_pool"}
_ARGUMENTS = "self, before: int, last: int, channels: int, after_reduction: bool"
_NAMES = ("NormalCell", "ReductionCell")
# What the body defines only where it uses it: a word of the text, its definition.
_PARTS = (
    ("ReluConvNorm(", text.RELU_CONV),
    ("FactorizedReduce", text.REDUCE),
    ("SepConv(", text.SEP_CONV),
    ("DilConv(", text.DIL_CONV),
    ("max_pool(", text.MAX_POOL),
    ("average_pool(", text.AVERAGE_POOL),
    ("Unused(", text.UNUSED),
)


class DartsSource:
    """See `Source`; it also moves weights between orders of nodes, see `Translates`."""

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Write stem, operations, both cells and network."""
        cells = DARTS_SPACE.edges(architecture)
        needed = needed_layers(network.cells, (inputs_used(cells[0]), inputs_used(cells[1])))
        reducing = reductions(network.cells)
        kinds = sorted({layer in reducing for layer in range(network.cells) if needed[layer]})
        written = [_Cell(cells[kind], kind).text() for kind in kinds]
        main = text.NETWORK.replace("$append", _append(kinds, needed))
        used = "\n".join([*written, main])
        parts = [text.NORM, text.STEM]
        parts += [definition for word, definition in _PARTS if word in used]
        joined = "\n\n\n".join(part.strip("\n") for part in [*parts, *written, main])
        return Template(joined).substitute(
            affine=network.norm.affine,
            momentum=repr(network.norm.momentum),
            channels=network.channels,
            cells=network.cells,
            reducing=tuple(sorted(reducing)),
            classes=network.classes,
            input_channels=network.input_channels,
        )

    def uses_functional(self, architecture: Architecture) -> bool:
        """What is needed of `F` is written out, as `nn.functional`."""
        return False

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the space does, which counts what is alive."""
        return DARTS_SPACE.cost(architecture, network)

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Map `trunk.cells.3.dag.edges.1.4.norm.weight` to `cells.3.edge_1_2.norm.weight`.

        A state of `trained_as` is to be brought into the order of `architecture` first, by
        `translated`.
        """
        _require_same(architecture, trained_as or architecture)

        def rename(name: str) -> str:
            name = name.removeprefix("trunk.").removeprefix("head.")
            name = _PREPROCESS.sub(r".preprocess_\1.", name)
            return _EDGE.sub(lambda m: ".edge_{}_{}.".format(*EDGES[int(m.group(1))]), name)

        return rename

    def translated(
        self,
        state: Arrays,
        architecture: Architecture,
        trained_as: Architecture,
        network: NetworkSpec,
    ) -> Arrays:
        """Bring the state of an identical network into the order of `architecture`.

        Weights of an edge go to the edge that plays its part. Where inner nodes are numbered
        otherwise, the weights that read a concatenation are permuted along.

        Raises:
            ExportError: the two are not identical networks.
        """
        _require_same(architecture, trained_as)
        moves = [
            _Move(given, wanted, bool(kind))
            for kind, (given, wanted) in enumerate(
                zip(DARTS_SPACE.edges(trained_as), DARTS_SPACE.edges(architecture), strict=True)
            )
        ]
        reducing, layers = reductions(network.cells), network.cells
        result: Arrays = {}
        for name, array in state.items():
            match = _PLACE.match(name)
            reads = layers - 1 if name == "head.classifier.weight" else -1
            if match is not None:
                layer, edge, node = (None if g is None else int(g) for g in match.groups())
                assert layer is not None
                if edge is not None:
                    name = moves[layer in reducing].edge_name(name, edge)
                elif node is not None and array.ndim == 4:
                    reads = layer - INPUTS + node
            if reads >= 0:
                array = moves[reads in reducing].permuted(array)
            result[name] = array
        return result


class _Move:
    """From one numbering of a cell's nodes to another."""

    def __init__(self, given: CellEdges, wanted: CellEdges, reducing: bool) -> None:
        first, second = form(given, reducing), form(wanted, reducing)
        self.edges = dict(zip(first.atoms, second.atoms, strict=True))
        places = dict(zip(second.outputs, first.outputs, strict=True))
        self.blocks = [places[block] for block in range(len(INNER))]

    def edge_name(self, name: str, edge: int) -> str:
        """Return the name that the weights of an edge have in the other numbering."""
        if edge not in self.edges:
            raise ExportError(f"The weights `{name}` are of an edge that the network lacks.")
        return name.replace(f".edges.{edge}.", f".edges.{self.edges[edge]}.", 1)

    def permuted(self, array: np.ndarray) -> np.ndarray:
        """Reorder the input channels (axis 1) of weights that read the concatenation."""
        blocks = np.split(array, len(INNER), axis=1)
        return np.ascontiguousarray(np.concatenate([blocks[b] for b in self.blocks], axis=1))


def _require_same(architecture: Architecture, trained_as: Architecture) -> None:
    if DARTS_SPACE.canonical(architecture) != DARTS_SPACE.canonical(trained_as):
        raise ExportError(
            f"The weights are of {DARTS_SPACE.to_text(trained_as)}, which is another network "
            f"than {DARTS_SPACE.to_text(architecture)}."
        )


class _Cell:
    """Writes the class of one cell, live edges only."""

    def __init__(self, cell: CellEdges, reduces: bool) -> None:
        self.reduces = reduces
        self.used = sorted(inputs_used(cell))
        kept = zip(EDGES, cell, live(cell), strict=True)
        self.live = {edge: OPERATIONS[o] for edge, o, alive in kept if alive and o is not None}

    def text(self) -> str:
        """Return the class definition."""
        name = _NAMES[self.reduces]
        lines = [
            f"class {name}(nn.Module):",
            '    """Reads the two cells before; joins the channels of nodes x2 to x5."""',
            "",
            f"    def __init__({_ARGUMENTS}) -> None:",
            "        super().__init__()",
            *self._init(),
            "",
            "    def forward(self, s0: Tensor, s1: Tensor) -> Tensor:",
            *self._forward(),
        ]
        return "\n".join(lines)

    def _init(self) -> list[str]:
        lines = []
        if 0 in self.used:
            lines += [
                "        first = FactorizedReduce if after_reduction else ReluConvNorm",
                "        self.preprocess_0 = first(before, channels)",
            ]
        if 1 in self.used:
            lines.append("        self.preprocess_1 = ReluConvNorm(last, channels)")
        for (source, target), name in self.live.items():
            stride = ", stride=2" if self._strided(source) else ""
            if name in _CONVS:
                kind, kernel = _CONVS[name]
                made = f"{kind}(channels, {kernel}{stride})"
            elif name == "skip_connect" and stride:
                made = "FactorizedReduce(channels, channels)"
            else:
                continue
            lines.append(f"        self.edge_{source}_{target} = {made}")
        return lines or [f"        self.channels = {len(INNER)} * channels"]

    def _forward(self) -> list[str]:
        if not self.live:
            strided = "[:, :, ::2, ::2]" if self.reduces else ""
            return [
                f"        height, width = s1{strided}.shape[2:]",
                "        return s1.new_zeros(len(s1), self.channels, height, width)",
            ]
        lines = [f"        x{node} = self.preprocess_{node}(s{node})" for node in self.used]
        fed = sorted({target for _, target in self.live})
        for node in fed:
            terms = [self._term(*edge) for edge in self.live if edge[1] == node]
            lines.append(f"        x{node} = {' + '.join(terms)}")
        if len(fed) < len(INNER):
            lines.append(f"        zero = torch.zeros_like(x{fed[0]})")
        joined = ", ".join(f"x{node}" if node in fed else "zero" for node in INNER)
        return [*lines, f"        return torch.cat([{joined}], dim=1)"]

    def _term(self, source: int, target: int) -> str:
        name = self.live[source, target]
        strided = self._strided(source)
        if name in _POOLS:
            return f"{_POOLS[name]}(x{source}{', stride=2' if strided else ''})"
        if name == "skip_connect" and not strided:
            return f"x{source}"
        return f"self.edge_{source}_{target}(x{source})"

    def _strided(self, source: int) -> bool:
        return self.reduces and source < INPUTS


def _append(kinds: list[bool], needed: tuple[bool, ...]) -> str:
    """Write how a layer is appended to the list of cells."""
    if len(kinds) == 2:
        lines = [
            "cell = ReductionCell if reduces else NormalCell",
            "cells.append(cell(before, last, channels, reduced))",
        ]
    else:
        lines = [f"cells.append({_NAMES[kinds[0]]}(before, last, channels, reduced))"]
    unused = tuple(layer for layer, flag in enumerate(needed) if not flag)
    if unused:
        unneeded = [f"if layer in {unused}:", "    cells.append(Unused(2 if reduces else 1))"]
        lines = [*unneeded, "else:", *(f"    {line}" for line in lines)]
    return "\n".join(" " * 12 + line for line in lines)


SOURCES.register("darts", lambda space: DartsSource())
