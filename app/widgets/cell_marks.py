"""Where two drawn cells differ, and which choices differ, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.space import CellGraph


@dataclass(frozen=True)
class Marks:
    """Positions in `CellGraph.edges` and `CellGraph.nodes` that the other cell does not have."""

    edges: frozenset[int]
    nodes: frozenset[int]


@dataclass(frozen=True)
class Difference:
    """A choice in which two architectures differ."""

    choice: str
    first: str
    second: str


def marks(first: CellGraph, second: CellGraph) -> tuple[Marks, Marks] | None:
    """Return what differs in each of two cells; None where their nodes do not correspond.

    Nodes correspond by position, so that a node whose name tells its operation can be compared,
    too. Parallel edges count: of two equal ones only one is matched by one.
    """
    if len(first.nodes) != len(second.nodes):
        return None
    pairs = list(zip(first.nodes, second.nodes, strict=True))
    nodes = frozenset(place for place, (one, other) in enumerate(pairs) if one != other)
    return (
        Marks(_only(first, second), nodes),
        Marks(_only(second, first), nodes),
    )


def _only(graph: CellGraph, other: CellGraph) -> frozenset[int]:
    """Return the positions of the edges that the other cell lacks."""
    left = Counter(_edges(other))
    found = set()
    for place, edge in enumerate(_edges(graph)):
        if left[edge]:
            left[edge] -= 1
        else:
            found.add(place)
    return frozenset(found)


def _edges(graph: CellGraph) -> list[tuple[int, int, str]]:
    number = {name: position for position, name in enumerate(graph.nodes)}
    return [(number[source], number[target], op) for source, target, op, _ in graph.edges]


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[Difference]:
    """Return the choices whose options differ, in their order.

    Args:
        first, second: options by choice name, see `Space.decode`; of one space.
    """
    return [
        Difference(choice, option, second[choice])
        for choice, option in first.items()
        if second[choice] != option
    ]
