"""Which edges of a cell's graph can influence its output."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def live_edges(
    edges: Sequence[tuple[int, int]],
    present: Sequence[bool],
    inputs: Collection[int],
    outputs: Collection[int],
) -> tuple[bool, ...]:
    """Mark the edges that lie on a path from an input to an output.

    Args:
        edges: (source, target) with source < target.
        present: per edge, False where its operation is zero.
        inputs: nodes that have a value from outside.
        outputs: nodes whose value is used.

    Returns:
        One flag per edge.
    """
    order = sorted(range(len(edges)), key=lambda index: edges[index])
    reached = set(inputs)
    for index in order:
        source, target = edges[index]
        if present[index] and source in reached:
            reached.add(target)
    needed = set(outputs)
    for index in sorted(order, key=lambda index: -edges[index][1]):
        source, target = edges[index]
        if present[index] and target in needed:
            needed.add(source)
    return tuple(
        bool(present[index] and source in reached and target in needed)
        for index, (source, target) in enumerate(edges)
    )
