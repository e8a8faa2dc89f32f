"""The skeleton of DARTS: stem, a chain of cells that read the two before, linear classifier.

Cells at one and two thirds of the depth are reduction cells and double the channels; the stem
has three times the channels of the first cells. As in DARTS, poolings are normalised (without
scale and shift) in the super-net and not in stand-alone networks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.networks.builder import register_builder
from engine.networks.darts_cell import TwoInputCell
from engine.networks.darts_heads import AuxiliaryHead, Classifier
from engine.networks.drop_path import DropPath
from engine.networks.norm import NormPolicy
from engine.networks.plan import CellLayout, Planner
from engine.networks.route import Route
from engine.networks.sharing import sharing_of
from engine.networks.stack import Stack
from engine.networks.stem import Stem
from engine.networks.supernet import SuperNet
from engine.spaces.darts import DARTS_SPACE
from engine.spaces.darts_cells import (
    EDGES,
    INNER,
    INPUTS,
    NODES,
    OPERATIONS,
    CellEdges,
    inputs_used,
    live,
    needed_layers,
    reductions,
)
from engine.spaces.darts_cost import STEM_MULTIPLIER
from engine.spec.network import NetworkSpec, SharingSpec

_SEARCHED = {
    "skip_connect": "skip_or_reduce",
    "max_pool_3x3": "max_pool_3x3_norm",
    "avg_pool_3x3": "avg_pool_3x3_norm",
}
_ALONE = {"skip_connect": "skip_or_reduce"}


def edge_route(route: Route) -> Route:
    """Return a route with one entry per edge, from one with an entry per choice.

    Routes with an entry per edge are returned as they are; see `engine.spaces.darts`.

    Raises:
        ValueError: another number of entries, or a mixture over choices instead of edges.
    """
    if len(route.active) == len(DARTS_SPACE.mixture):
        return route
    if len(route.active) != len(DARTS_SPACE.choices):
        raise ValueError(
            f"a route of `darts` has {len(DARTS_SPACE.choices)} entries, one per choice, or "
            f"{len(DARTS_SPACE.mixture)}, one per edge; given were {len(route.active)}"
        )
    if route.weighted or any(len(options) != 1 for options in route.active):
        raise ValueError("mixtures of `darts` have one entry per edge, see `Space.mixture`")
    return Route(_edges_of(tuple(options[0] for options in route.active)))


@lru_cache(maxsize=20_000)
def _edges_of(indices: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    cells = DARTS_SPACE.edges(Architecture(DARTS_SPACE.name, indices))
    return tuple(() if option is None else (option,) for cell in cells for option in cell)


def _planners(names: dict[str, str]) -> tuple[Planner, Planner]:
    """Return the planners of the normal and the reduction cell."""
    options = (tuple(names.get(name, name) for name in OPERATIONS),) * len(EDGES)
    layouts = [
        CellLayout(
            edges=EDGES,
            nodes=NODES,
            inputs=INPUTS,
            outputs=INNER,
            options=options,
            choices=tuple(range(first, first + len(EDGES))),
        )
        for first in (0, len(EDGES))
    ]
    return Planner(layouts[0]), Planner(layouts[1])


class CellSequence(nn.Module):
    """All cells, each reading the two before; cells that no one reads are not computed."""

    def __init__(
        self, cells: dict[int, TwoInputCell], planners: tuple[Planner, Planner], layers: int
    ) -> None:
        super().__init__()
        self.cells = nn.ModuleDict({str(layer): cell for layer, cell in cells.items()})
        self.planners = planners
        self.layers = layers
        self.reducing = reductions(layers)

    def forward(self, x: Tensor, route: Route) -> Tensor:
        """Compute one route."""
        last: Tensor | None = None
        for out in self.outputs(x, route):
            last = out
        assert last is not None, "the last cell is always needed"
        return last

    def outputs(
        self, x: Tensor, route: Route, roots: Collection[int] = ()
    ) -> Iterator[Tensor | None]:
        """Yield the output of every cell, None for those that are not needed.

        Args:
            x: the stem's result.
            route: per choice or per edge.
            roots: layers to compute besides the last and what it reads.
        """
        route = edge_route(route)
        needed = self._needed(route, roots)
        before: list[Tensor | None] = [x, x]
        for layer, zero in self._zeros(x):
            out = self._cell(layer)(before, route, zero) if needed[layer] else None
            before = [before[1], out]
            yield out

    def forward_many(self, stack: Stack, routes: Sequence[Route]) -> Stack:
        """Compute many hard routes, every cell for those that need it only."""
        routes = [edge_route(route) for route in routes]
        needed = [self._needed(route) for route in routes]
        before: list[Stack | None] = [stack, stack]
        block = stack.values[: stack.values.shape[0] // stack.blocks]
        for layer, zero in self._zeros(block):
            users = [place for place, layers in enumerate(needed) if layers[layer]]
            out: Stack | None = None
            if users:
                given = [None if one is None else _only(one, users) for one in before]
                found = self._cell(layer).forward_many(given, [routes[u] for u in users], zero)
                out = _spread(found, users, len(routes))
            before = [before[1], out]
        last = before[1]
        assert last is not None, "the last cell is always needed"
        return last

    def keep_needed(self, route: Route) -> None:
        """Remove the cells that the last one does not depend on."""
        for layer, needed in enumerate(self._needed(edge_route(route))):
            if not needed and str(layer) in self.cells:
                del self.cells[str(layer)]

    def _needed(self, route: Route, roots: Collection[int] = ()) -> tuple[bool, ...]:
        normal, reduction = (planner.inputs_read(route.active) for planner in self.planners)
        return needed_layers(self.layers, (normal, reduction), roots)

    def _cell(self, layer: int) -> TwoInputCell:
        return self.cells[str(layer)]  # type: ignore[return-value]

    def _zeros(self, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield every layer with the value of an inner node that nothing leads to."""
        height, width = x.shape[2:]
        channels = x.shape[1] // STEM_MULTIPLIER
        for layer in range(self.layers):
            if layer in self.reducing:
                height, width, channels = -(-height // 2), -(-width // 2), 2 * channels
            yield layer, x.new_zeros(()).expand(x.shape[0], channels, height, width)


def _only(stack: Stack, routes: Sequence[int]) -> Stack:
    """Return the stack of some of its routes."""
    return Stack(stack.values, tuple(stack.slots[route] for route in routes), stack.blocks)


def _spread(stack: Stack, routes: Sequence[int], count: int) -> Stack:
    """Return the inverse of `_only`; the other routes, which read nothing here, get block 0."""
    slots = dict(zip(routes, stack.slots, strict=True))
    return Stack(stack.values, tuple(slots.get(r, 0) for r in range(count)), stack.blocks)


class DartsNetwork(SuperNet):
    """A super-net or stand-alone network of DARTS cells.

    Drop-path acts in training passes while its probability is positive; the auxiliary head hangs
    behind the second reduction cell.
    """

    trunk: CellSequence

    def __init__(
        self,
        stem: nn.Module,
        trunk: CellSequence,
        head: nn.Module,
        policy: NormPolicy,
        drop_path: DropPath,
        auxiliary: AuxiliaryHead | None = None,
    ) -> None:
        super().__init__(stem, trunk, head, policy)
        self.drop_path = drop_path
        self.auxiliary = auxiliary

    def forward_with_auxiliary(self, x: Tensor, route: Route) -> tuple[Tensor, Tensor]:
        """Return (logits, logits of the auxiliary head); see `SuperNet`."""
        if self.auxiliary is None:
            return super().forward_with_auxiliary(x, route)
        place = max(self.trunk.reducing)
        outputs = list(self.trunk.outputs(self.stem(x), route, roots=(place,)))
        return self.head(outputs[-1], 1), self.auxiliary(outputs[place])

    def discard_auxiliary(self, route: Route) -> None:
        """Remove the head and the cells that were computed for it alone; see `SuperNet`."""
        super().discard_auxiliary(route)
        self.trunk.keep_needed(route)


@register_builder("darts")
def build_darts(
    space: Space,
    network: NetworkSpec,
    policy: NormPolicy,
    architecture: Architecture | None,
    auxiliary: bool = False,
) -> DartsNetwork:
    """Build the super-net, or what one architecture needs only.

    Args:
        network: skeleton.
        policy: normalisation policy.
        architecture: None for the super-net.
        auxiliary: with the auxiliary head, and the cells that it needs.
    """
    sharing = sharing_of(network, architecture)
    # DARTS's own drop-path, of stand-alone training, spares identities.
    drop_path = DropPath(sharing.path_dropout, identities=architecture is None)
    planners = _planners(_SEARCHED if architecture is None else _ALONE)
    edges = None if architecture is None else DARTS_SPACE.edges(architecture)
    place = max(reductions(network.cells))
    roots = (place,) if auxiliary else ()
    cells = _cells(network, policy, planners, edges, drop_path, roots, sharing)
    stem = Stem(network.input_channels, STEM_MULTIPLIER * network.channels, policy)
    trunk = CellSequence(cells, planners, network.cells)
    widths = _widths(network)
    head = Classifier(len(INNER) * widths[-1], network.classes, policy, sharing.global_dropout)
    extra = None
    if auxiliary:
        extra = AuxiliaryHead(len(INNER) * widths[place], network.classes, policy)
    return DartsNetwork(stem, trunk, head, policy, drop_path, extra)


def _widths(network: NetworkSpec) -> list[int]:
    """Return the channels of a node, per layer."""
    reducing = reductions(network.cells)
    seen = [sum(one <= layer for one in reducing) for layer in range(network.cells)]
    return [network.channels * 2**count for count in seen]


def _cells(
    network: NetworkSpec,
    policy: NormPolicy,
    planners: tuple[Planner, Planner],
    edges: tuple[CellEdges, CellEdges] | None,
    drop_path: DropPath,
    roots: Collection[int],
    sharing: SharingSpec,
) -> dict[int, TwoInputCell]:
    """Build the cells of the super-net (edges None), or those that an architecture needs."""
    used = [frozenset(range(INPUTS)) if edges is None else inputs_used(edges[k]) for k in (0, 1)]
    needed = needed_layers(network.cells, (used[0], used[1]), roots)
    reducing, cells = reductions(network.cells), {}
    outs = [STEM_MULTIPLIER * network.channels] * INPUTS
    for layer, width in enumerate(_widths(network)):
        kind = int(layer in reducing)
        if needed[layer]:
            cells[layer] = TwoInputCell(
                planners[kind],
                (outs[-2], outs[-1]),
                width,
                policy,
                reduces=bool(kind),
                after_reduction=layer - 1 in reducing,
                built=None if edges is None else _built(edges[kind]),
                used=sorted(used[kind]),
                drop_path=drop_path,
                sharing=sharing,
            )
        outs.append(len(INNER) * width)
    return cells


def _built(cell: CellEdges) -> list[list[int]]:
    """Return, per edge, the options to instantiate: those of live edges."""
    pairs = zip(cell, live(cell), strict=True)
    return [[option] if alive and option is not None else [] for option, alive in pairs]
