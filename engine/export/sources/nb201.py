"""NAS-Bench-201 as Python: the skeleton of `engine.networks.nb201` with one cell written out."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from string import Template

from engine.core.architecture import Architecture
from engine.core.space import Cost
from engine.export.sources.registry import SOURCES
from engine.spaces.nb201 import EDGES, NB201_SPACE, NODES, OPERATIONS, SKIP, ZERO
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

_EDGE = re.compile(r"\.edges\.(\d+)\.\d+\.")
_INPUT, _OUTPUT = -1, len(EDGES)
_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}

_NORM = '''
def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as it was in training."""
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=$momentum, affine=$affine)
'''

_STEM = '''
class Stem(nn.Module):
    """3x3 convolution and normalisation."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))
'''

_CONV = '''
class ReluConvNorm(nn.Module):
    """ReLU, convolution, normalisation; the size of the image stays."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
        self.norm = batch_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(torch.relu(x)))
'''

_POOL = '''
def average_pool(x: Tensor) -> Tensor:
    """3x3 average that leaves out the padding."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
'''

_CELL = '''
class Cell(nn.Module):
    """Node x0 is the input, x3 the output; a node is the sum of its incoming edges.

    Only the edges that reach the output are here.
    """

$init    def forward(self, x0: Tensor) -> Tensor:
$forward
'''

_REST = '''
class Reduction(nn.Module):
    """Residual block that halves the image and doubles the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.first = nn.Conv2d(channels, wide, 3, stride=2, padding=1, bias=False)
        self.first_norm = batch_norm(wide)
        self.second = nn.Conv2d(wide, wide, 3, padding=1, bias=False)
        self.second_norm = batch_norm(wide)
        self.shortcut = nn.Conv2d(channels, wide, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first_norm(self.first(torch.relu(x)))
        inner = self.second_norm(self.second(torch.relu(inner)))
        return inner + self.shortcut(F.avg_pool2d(x, 2, ceil_mode=True))


class Head(nn.Module):
    """Normalisation, ReLU, average over the image, linear classifier."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = batch_norm(channels)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.relu(self.norm(x)).mean((2, 3)))


class Network(nn.Module):
    """Stem, three stages of cells with reductions between them, head."""

    def __init__(self) -> None:
        super().__init__()
        channels = $channels
        self.stem = Stem($input_channels, channels)
        layers: list[nn.Module] = []
        for stage in range(3):
            if stage > 0:
                layers.append(Reduction(channels))
                channels = 2 * channels
            layers += [$cell for _ in range($cells)]
        self.layers = nn.Sequential(*layers)
        self.head = Head(channels, $classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, $classes) of normalised images (B, $input_channels, H, W)."""
        return self.head(self.layers(self.stem(images)))
'''


class NB201Source:
    """See `Source`."""

    def body(self, architecture: Architecture, network: NetworkSpec) -> str:
        """Write stem, cell, reduction, head and network."""
        live = _live(architecture)
        convs = {edge: _KERNELS[op] for edge, op in live.items() if op in _KERNELS}
        parts = [_NORM, _STEM]
        if convs:
            parts.append(_CONV)
        if "avg_pool_3x3" in live.values():
            parts.append(_POOL)
        parts += [_CELL, _REST]
        text = "\n\n\n".join(part.strip("\n") for part in parts)
        return Template(text).substitute(
            init=_init(convs),
            forward=_forward(live),
            cell="Cell(channels)" if convs else "Cell()",
            affine=network.norm.affine,
            momentum=repr(network.norm.momentum),
            channels=network.channels,
            cells=network.cells,
            classes=network.classes,
            input_channels=network.input_channels,
        )

    def uses_functional(self, architecture: Architecture) -> bool:
        """The reductions always pool."""
        return True

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        """Count as the space does, dead edges left out."""
        flags = NB201_SPACE.live(architecture)
        pairs = zip(architecture.indices, flags, strict=True)
        kept = Architecture.of("nb201", (index if flag else ZERO for index, flag in pairs))
        return NB201_SPACE.cost(kept, network)

    def renaming(
        self, architecture: Architecture, trained_as: Architecture | None = None
    ) -> Callable[[str], str]:
        """Map `trunk.layers.3.edges.1.2.conv.weight` to `layers.3.edge_0_2.conv.weight`."""
        given = trained_as or architecture
        places = _align(given, architecture)

        def edge_name(match: re.Match[str]) -> str:
            edge = int(match.group(1))
            if edge not in places:
                raise ExportError(
                    f"There are weights for the edge {edge}, which reaches no output in "
                    f"{NB201_SPACE.to_text(given)}; they are of another "
                    "architecture."
                )
            source, target = EDGES[places[edge]]
            return f".edge_{source}_{target}."

        return lambda name: _EDGE.sub(edge_name, name.removeprefix("trunk."))


def _align(given: Architecture, wanted: Architecture) -> dict[int, int]:
    """Say which live edge of `wanted` does what each live edge of `given` does."""
    first, second = _wiring(given), _wiring(wanted)
    edges = [edge for edge in first if edge != _OUTPUT]
    fixed = {_INPUT: _INPUT, _OUTPUT: _OUTPUT}
    for order in permutations(edge for edge in second if edge != _OUTPUT):
        if len(order) != len(edges):
            break
        places = dict(zip(edges, order, strict=True)) | fixed
        moved = {
            places[edge]: (operation, sorted(places[source] for source in sources))
            for edge, (operation, sources) in first.items()
        }
        if moved == second:
            return places
    raise ExportError(
        f"The weights are of {NB201_SPACE.to_text(given)}, which is another network than "
        f"{NB201_SPACE.to_text(wanted)}."
    )


def _wiring(architecture: Architecture) -> dict[int, tuple[int, list[int]]]:
    """Return (operation, edges whose results it adds up) per live edge, skips followed through.

    The cell's output stands under `_OUTPUT`, its input is named `_INPUT`.
    """
    flags = NB201_SPACE.live(architecture)
    sums: dict[int, list[int]] = {0: [_INPUT]} | {node: [] for node in range(1, NODES)}
    wiring: dict[int, tuple[int, list[int]]] = {}
    for edge in sorted(range(len(EDGES)), key=lambda edge: EDGES[edge][1]):
        (source, target), operation = EDGES[edge], architecture.indices[edge]
        if not flags[edge]:
            continue
        if operation == SKIP:
            sums[target] += sums[source]
        else:
            wiring[edge] = (operation, sorted(sums[source]))
            sums[target].append(edge)
    return wiring | {_OUTPUT: (SKIP, sorted(sums[NODES - 1]))}


def _live(architecture: Architecture) -> dict[tuple[int, int], str]:
    flags = NB201_SPACE.live(architecture)
    return {
        edge: OPERATIONS[index]
        for edge, index, flag in zip(EDGES, architecture.indices, flags, strict=True)
        if flag
    }


def _init(convs: dict[tuple[int, int], int]) -> str:
    if not convs:
        return ""
    lines = ["    def __init__(self, channels: int) -> None:", "        super().__init__()"]
    for (source, target), kernel in convs.items():
        lines.append(f"        self.edge_{source}_{target} = ReluConvNorm(channels, {kernel})")
    return "\n".join(lines) + "\n\n"


def _forward(live: dict[tuple[int, int], str]) -> str:
    lines = []
    for node in range(1, NODES):
        terms = [_term(edge, op) for edge, op in live.items() if edge[1] == node]
        if node == NODES - 1:
            lines.append(f"        return {' + '.join(terms) or 'torch.zeros_like(x0)'}")
        elif terms:
            lines.append(f"        x{node} = {' + '.join(terms)}")
    return "\n".join(lines)


def _term(edge: tuple[int, int], operation: str) -> str:
    source, target = edge
    if operation == "skip_connect":
        return f"x{source}"
    if operation == "avg_pool_3x3":
        return f"average_pool(x{source})"
    return f"self.edge_{source}_{target}(x{source})"


SOURCES.register("nb201", lambda space: NB201Source())
