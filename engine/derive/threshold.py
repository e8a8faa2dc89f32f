"""Options whose gate is above a threshold, at most two per node (Fair DARTS, §4.1)."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.derive.argmax import argmax
from engine.derive.registry import DERIVERS

THRESHOLD = 0.85  # sigma_threshold of Fair DARTS
PER_NODE = 2


def threshold(space: Space, weights: Sequence[Sequence[float]], count: int) -> list[Architecture]:
    """Return the thresholded architecture, then those of `argmax`.

    A choice keeps its strongest option (but `none`) if that is above 0.85 and among the two
    strongest choices that enter its node; the other choices become `none`. The rule of `argmax`,
    which does not count `none` here, replaces it where a choice has no `none`, and as a whole
    while no option is above 0.85 or what is kept leads from no input to the output (a cell of
    NAS-Bench-201 would then be constant).

    Args:
        space: the search space.
        weights: per choice of `Space.mixture`, a gate from 0 to 1 per option.
        count: how many different networks.
    """
    zeros = [_zero(choice.options) for choice in space.mixture]
    # A gate of `none` adds nothing, so that only the zero-one loss moves it: it says nothing.
    real = [_without(one, zero) for one, zero in zip(weights, zeros, strict=True)]
    rest = argmax(space, real, count)
    strengths = [_strongest(one, zero) for one, zero in zip(weights, zeros, strict=True)]
    kept = [False] * len(weights)
    for group in set(space.mixture_groups):
        members = [i for i, one in enumerate(space.mixture_groups) if one == group]
        members.sort(key=lambda i: -strengths[i])
        for member in members[:PER_NODE]:
            kept[member] = strengths[member] > THRESHOLD
    if not any(kept):
        return rest
    chosen = [
        _only_zero(one, zero) if zero is not None and not keep else one
        for one, zero, keep in zip(real, zeros, kept, strict=True)
    ]
    first = space.from_mixture(chosen)
    if not space.is_valid(first) or not _connected(space, first):
        return rest
    form = space.canonical(first)
    return [first, *(one for one in rest if space.canonical(one) != form)][:count]


def _connected(space: Space, architecture: Architecture) -> bool:
    """Tell whether every cell that can be drawn has an edge that reaches its output."""
    graphs = space.graphs(architecture).values()
    return all(any(alive for _, _, _, alive in graph.edges) for graph in graphs)


def _zero(options: Sequence[str]) -> int | None:
    return options.index("none") if "none" in options else None


def _strongest(weights: Sequence[float], zero: int | None) -> float:
    return max(w for option, w in enumerate(weights) if option != zero)


def _only_zero(weights: Sequence[float], zero: int) -> list[float]:
    return [float(option == zero) for option in range(len(weights))]


def _without(weights: Sequence[float], zero: int | None) -> list[float]:
    return [0.0 if option == zero else w for option, w in enumerate(weights)]


DERIVERS.register("threshold", threshold)
