"""The toy space of the amount-of-sharing study (000 §5.3.4, figure 5.6). No torch here.

All choices are fixed but those that enter the last node of the cell. The weights that the fixed
nodes use are shared by every architecture that takes its input from them, so the number of shared
weight matrices tells how much sharing an architecture is subject to:

- the *last node* is the last one of the cell that choices enter (its output, or the node before a
  concatenation), and is found by looking which edges of the drawn cell a choice changes;
- *shared matrices* of an architecture are the operations with weights, on edges of fixed nodes,
  that its last node's value depends on; counted in one cell, as every copy of it shares as many;
- as in the thesis, the last node takes its input over as few edges as the space allows (one in
  NAS-Bench-201: "the same connection but different operations" is then the same source).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.space import CellGraph, Space
from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec

CONTEXTS = 40  # random architectures in which a choice's edges are looked at
BASES = 300  # random fixed parts among which the one with the most levels is taken
MOST_COMBINATIONS = 100_000


@dataclass(frozen=True)
class ToySpace:
    """A part of a space in which only the last node varies.

    Attributes:
        node: name of that node in the drawn cell.
        free: names of the choices that vary.
        base: an architecture with the fixed choices; what it has at the free ones is of no use.
        members: the architectures; equal networks only where they share differently, since a
            super-net then has other weights for them.
        shared: number of shared weight matrices of each member, same order.
    """

    node: str
    free: tuple[str, ...]
    base: Architecture
    members: tuple[Architecture, ...]
    shared: tuple[int, ...]


def toy_space(
    space: Space, network: NetworkSpec, base: Architecture | None = None, every_input: bool = False
) -> ToySpace:
    """Build the toy space of a space.

    Args:
        space: one whose cells can be drawn.
        network: skeleton, by whose parameter counts operations with weights are known.
        base: the fixed part; None: of some random ones that with the most amounts of sharing,
            and the fewest shared matrices among these.
        every_input: also take members whose last node has more inputs than need be.

    Raises:
        SpecError: the space has no cell of which one node could vary, or this fixed part has
            no setting of it.
    """
    if capabilities.CELL_GRAPH not in space.provides:
        raise SpecError("space", f"`{space.name}` has no cell whose last node could vary alone.")
    rng = np.random.default_rng(0)
    contexts = [space.sample(rng) for _ in range(CONTEXTS)]
    cell, drawn_cell = next(iter(space.graphs(contexts[0]).items()))
    targets = _targets(space, contexts, cell)
    node, free = _last_node(space, drawn_cell.nodes, targets)
    weighted = operations_with_weights(space, network, list(targets))
    if base is None:
        drawn = (space.sample(rng) for _ in range(BASES))
        base = max(drawn, key=lambda one: _worth(space.graphs(one)[cell], node, weighted))
    found: dict[tuple[str, int], tuple[Architecture, int]] = {}
    for member in _members(space, base, free):
        graph = space.graphs(member)[cell]
        inputs, shared = _inputs(graph, node), shared_matrices(graph, node, weighted)
        if inputs:
            found.setdefault((space.canonical(member), shared), (member, inputs))
    if not found:
        raise SpecError("--base", f"node {node} has no valid input with these fixed choices.")
    fewest = min(inputs for _, inputs in found.values())
    kept = [
        (member, shared)
        for (_, shared), (member, inputs) in found.items()
        if every_input or inputs == fewest
    ]
    names = tuple(space.choices[position].name for position in free)
    members, counts = zip(*kept, strict=True)
    return ToySpace(node, names, base, members, counts)


def operations_with_weights(
    space: Space, network: NetworkSpec, positions: Sequence[int]
) -> frozenset[str]:
    """Return the operations that bring weight matrices along.

    An option of an `op` choice does where a network with it has more parameters than with the
    cheapest option of the same choice. Scales and shifts of normalisations are no matrices.

    Args:
        space: the space.
        network: its skeleton.
        positions: of the choices of one cell; in others (of another stride, say) the same
            operation may be built in another way.
    """
    plain = network.model_copy(update={"norm": network.norm.model_copy(update={"affine": False})})
    rng, found = np.random.default_rng(1), set[str]()
    for position in positions:
        choice = space.choices[position]
        if choice.kind != "op":
            continue
        costs = {
            choice.options[near.indices[position]]: space.cost(near, plain).params
            for near in _options(space, space.sample(rng), position)
        }
        cheapest = min(costs.values())
        found |= {option for option, params in costs.items() if params > cheapest}
    return frozenset(found)


def operations_behind(
    graph: CellGraph, node: str, weighted: frozenset[str]
) -> frozenset[tuple[str, str, str]]:
    """Return the edges with weights that a node's value depends on, its own ones too."""
    needed, queue = {node}, [node]
    while queue:
        target = queue.pop()
        for source, into, _, _ in graph.edges:
            if into == target and source not in needed:
                needed.add(source)
                queue.append(source)
    return frozenset(
        (source, into, operation)
        for source, into, operation, _ in graph.edges
        if into in needed and operation in weighted
    )


def shared_matrices(graph: CellGraph, node: str, weighted: frozenset[str]) -> int:
    """Count the edges with weights, of other nodes, that a node's value depends on."""
    return sum(into != node for _, into, _ in operations_behind(graph, node, weighted))


def _worth(graph: CellGraph, node: str, weighted: frozenset[str]) -> tuple[int, int]:
    """Return how many amounts of sharing the earlier nodes offer, and minus all of them."""
    earlier = graph.nodes[: graph.nodes.index(node)]
    counts = [len(operations_behind(graph, one, weighted)) for one in earlier]
    return len(set(counts)), -sum(counts)


def _inputs(graph: CellGraph, node: str) -> int:
    return sum(target == node for _, target, _, _ in graph.edges)


def _last_node(
    space: Space, nodes: Sequence[str], targets: Mapping[int, set[str]]
) -> tuple[str, tuple[int, ...]]:
    """Return the last node of a cell that choices enter, and the positions of these choices."""
    for node in reversed(nodes):
        free = tuple(position for position, entered in targets.items() if entered == {node})
        if free:
            return node, free
    raise SpecError("space", f"no choice of `{space.name}` enters one node alone.")


def _targets(space: Space, contexts: Sequence[Architecture], cell: str) -> dict[int, set[str]]:
    """Return for each choice that a cell shows the nodes whose incoming edges it changes."""
    found: dict[int, set[str]] = {}
    for position in range(len(space.choices)):
        for context in contexts:
            near = _options(space, context, position)
            drawn = [_edges(space.graphs(one)[cell]) for one in near]
            changed = set.union(*drawn) - set.intersection(*drawn)
            if changed:
                found.setdefault(position, set()).update(target for _, target, _ in changed)
    return found


def _edges(graph: CellGraph) -> set[tuple[str, str, str]]:
    return {(source, target, operation) for source, target, operation, _ in graph.edges}


def _options(space: Space, base: Architecture, position: int) -> Iterator[Architecture]:
    """Yield the valid architectures that differ from a base in one choice at most."""
    for option in range(len(space.choices[position].options)):
        near = _with(base, {position: option})
        if space.is_valid(near):
            yield near


def _members(space: Space, base: Architecture, free: tuple[int, ...]) -> list[Architecture]:
    """Return every valid setting of the free choices."""
    counts = [len(space.choices[position].options) for position in free]
    if math.prod(counts) > MOST_COMBINATIONS:
        raise SpecError(
            "space",
            f"the last node of `{space.name}` has {math.prod(counts)} settings; at most "
            f"{MOST_COMBINATIONS} can be listed.",
        )
    settings = product(*map(range, counts))
    members = [_with(base, dict(zip(free, options, strict=True))) for options in settings]
    return [member for member in members if space.is_valid(member)]


def _with(base: Architecture, changes: Mapping[int, int]) -> Architecture:
    indices = list(base.indices)
    for position, option in changes.items():
        indices[position] = option
    return Architecture.of(base.space, indices)
