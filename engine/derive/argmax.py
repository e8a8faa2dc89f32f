"""The architecture of the largest weights, and the next ones by the product of their weights."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.derive.registry import DERIVERS

# Mixtures looked at per architecture wanted; many can lead to one network.
PATIENCE = 500


def argmax(space: Space, weights: Sequence[Sequence[float]], count: int) -> list[Architecture]:
    """Return the architectures of the largest products of weights, best first.

    The first is the usual one: the strongest option of every choice, or what
    `Space.from_mixture` makes of the weights (two edges per node in `darts`). The others come
    from leaving out the strongest options of some choices, the least loss first.

    Args:
        space: the search space.
        weights: per choice of `Space.mixture`, one number of at least 0 per option.
        count: how many different networks.
    """
    orders = [sorted(range(len(one)), key=lambda o, w=one: (-w[o], o)) for one in weights]
    logs = [[math.log(max(w, 1e-300)) for w in one] for one in weights]
    start = (0,) * len(weights)
    heap = [(0.0, start)]
    found: dict[str, Architecture] = {}
    pushed = {start}
    for _ in range(PATIENCE * count):
        if not heap or len(found) == count:
            break
        loss, places = heapq.heappop(heap)
        kept = _without_the_first(weights, orders, places)
        architecture = space.from_mixture(kept)
        if space.is_valid(architecture):
            found.setdefault(space.canonical(architecture), architecture)
        for choice, place in enumerate(places):
            order = orders[choice]
            if place + 1 < len(order):
                after = (*places[:choice], place + 1, *places[choice + 1 :])
                if after not in pushed:
                    pushed.add(after)
                    more = logs[choice][order[place]] - logs[choice][order[place + 1]]
                    heapq.heappush(heap, (loss + more, after))
    return list(found.values())


def _without_the_first(
    weights: Sequence[Sequence[float]],
    orders: Sequence[Sequence[int]],
    places: Sequence[int],
) -> list[list[float]]:
    """Return the weights with, per choice, its `places` strongest options set to 0."""
    result = [list(one) for one in weights]
    for choice, place in enumerate(places):
        for option in orders[choice][:place]:
            result[choice][option] = 0.0
    return result


DERIVERS.register("argmax", argmax)
