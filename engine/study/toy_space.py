"""The toy space of the amount-of-sharing study (000 §5.3.4, figure 5.6). No torch here.

All choices are fixed but those that enter the last node of the cell. The weights that the fixed
nodes use are shared by every architecture that takes its input from them, so the number of shared
weight matrices tells how much sharing an architecture is subject to:

- the *last node* is the last one of the cell that choices of operations enter, and is found by
  looking what a choice changes in the drawn cell;
- *shared matrices* of an architecture are the operations with weights, of fixed nodes, that its
  last node's value depends on; counted in one cell, as every copy of it shares as many;
- as in the thesis, the last node takes its input over as few edges as the space allows: one in
  NAS-Bench-101 and -201, where "the same connection but different operations" then is the same
  source.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.spec.errors import SpecError
from engine.spec.network import NetworkSpec
from engine.study.cell_weights import CellWeights

CONTEXTS = 40  # random architectures in which it is looked at what a choice changes
COSTED = 8  # as many for costs, which take longer
BASES = 300  # random fixed parts among which the one with the most amounts of sharing is taken
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
    cell = _Cell.of(space, contexts)
    weighted = operations_with_weights(space, network, contexts[:COSTED], cell.choices)
    if base is None:
        bases = [space.sample(rng) for _ in range(BASES)]
        base = max(bases, key=lambda one: _worth(cell.drawn(one), cell.node, weighted))
    found: dict[tuple[str, int], tuple[Architecture, int]] = {}
    for member in _members(space, base, cell.free):
        drawn = cell.drawn(member)
        inputs, shared = len(drawn.sources(cell.node)), drawn.shared_by(cell.node, weighted)
        if inputs and drawn.reaches_output(cell.node):
            found.setdefault((space.canonical(member), shared), (member, inputs))
    if not found:
        raise SpecError("--base", f"node {cell.node} has no valid input with this fixed part.")
    fewest = min(inputs for _, inputs in found.values())
    kept = [
        (member, shared)
        for (_, shared), (member, inputs) in found.items()
        if every_input or inputs == fewest
    ]
    names = tuple(space.choices[position].name for position in cell.free)
    members, counts = zip(*kept, strict=True)
    return ToySpace(cell.node, names, base, members, counts)


@dataclass(frozen=True)
class _Cell:
    """The cell that is looked at: the first one that the space draws.

    Attributes:
        space, name: of the cell.
        inputs: its nodes that nothing ever enters.
        choices: positions of the choices that it shows.
        node: its last node.
        free: positions of the choices that enter that node and no other.
    """

    space: Space
    name: str
    inputs: frozenset[str]
    choices: tuple[int, ...]
    node: str
    free: tuple[int, ...]

    @classmethod
    def of(cls, space: Space, contexts: Sequence[Architecture]) -> _Cell:
        """Find the last node by what choices change in some architectures.

        Raises:
            SpecError: no choice of an operation enters one node alone.
        """
        name = next(iter(space.graphs(contexts[0])))
        graphs = [CellWeights.of(space.graphs(one)[name]) for one in contexts]
        entered = {target for graph in graphs for _, target in graph.edges}
        inputs = frozenset(node for graph in graphs for node in graph.nodes) - entered
        changed = _changed_nodes(space, contexts, name)
        for node in reversed(max((graph.nodes for graph in graphs), key=len)):
            free = tuple(position for position, nodes in changed.items() if nodes == {node})
            if any(space.choices[position].kind == "op" for position in free):
                return cls(space, name, inputs, tuple(changed), node, free)
        raise SpecError("space", f"no choice of `{space.name}` enters one node alone.")

    def drawn(self, architecture: Architecture) -> CellWeights:
        """Return what an architecture has in this cell, without what nothing feeds."""
        return CellWeights.of(self.space.graphs(architecture)[self.name]).fed_by(self.inputs)


def operations_with_weights(
    space: Space, network: NetworkSpec, contexts: Sequence[Architecture], positions: Sequence[int]
) -> frozenset[str]:
    """Return the operations that bring weight matrices along, and their short names.

    An option of an `op` choice does where a network with it has more parameters than with the
    cheapest option of the same choice. Scales and shifts of normalisations are no matrices.
    Drawings may shorten a name to what stands before its dash (`conv3x3-bn-relu`).

    Args:
        space: the space.
        network: its skeleton.
        contexts: architectures in which the options are compared; a dead place costs nothing.
        positions: of the choices of one cell; in others (of another stride, say) the same
            operation may be built in another way.
    """
    plain = network.model_copy(update={"norm": network.norm.model_copy(update={"affine": False})})
    found = set[str]()
    for position in positions:
        choice = space.choices[position]
        if choice.kind != "op":
            continue
        for context in contexts:
            costs = {
                choice.options[near.indices[position]]: space.cost(near, plain).params
                for near in _options(space, context, position)
            }
            cheapest = min(costs.values())
            found |= {option for option, params in costs.items() if params > cheapest}
    return frozenset(found | {option.partition("-")[0] for option in found})


def _worth(drawn: CellWeights, node: str, weighted: frozenset[str]) -> tuple[bool, int, int]:
    """Return whether the node counts, how many amounts of sharing there are, minus their sum."""
    if not drawn.reaches_output(node):
        return False, 0, 0
    earlier = drawn.nodes[: drawn.nodes.index(node)]
    counts = [len(drawn.behind(one, weighted)) for one in earlier]
    return True, len(set(counts)), -sum(counts)


def _changed_nodes(
    space: Space, contexts: Sequence[Architecture], cell: str
) -> dict[int, set[str]]:
    """Return for each choice that a cell shows the nodes whose inputs or operation it changes.

    Drawings may leave out nodes that nothing enters or leaves; these count where they are drawn.
    """
    found: dict[int, set[str]] = {}
    for position in range(len(space.choices)):
        for context in contexts:
            near = _options(space, context, position)
            drawn = [CellWeights.of(space.graphs(one)[cell]) for one in near]
            shown = set.intersection(*(set(one.nodes) for one in drawn))
            entries = [one.entries for one in drawn]
            changed = frozenset.union(*entries) - frozenset.intersection(*entries)
            targets = {target for _, target, _ in changed} & shown
            if targets:
                found.setdefault(position, set()).update(targets)
    return found


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
