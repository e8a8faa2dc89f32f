"""Random orders in which every beginning and every end holds the classes in proportion.

With n_c of N images in class c, any first k images of such an order contain floor(k n_c / N) or
ceil(k n_c / N) of it. Any number of images can then be taken from the front and any number from
the back, and both are stratified; a smaller part is contained in a larger one.

The order of classes is a schedule: the j-th image of class c may come at the earliest in place
floor((j-1) N / n_c) + 1 and at the latest in place ceil(j N / n_c), counted from 1. Serving the
earliest deadline first meets all of them, since a schedule exists (G. Steiner and S. Yeomans,
Level schedules for mixed-model, just-in-time processes, Management Science 39, 1993).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def class_sequence(counts: Sequence[int]) -> Indices:
    """Return int64 (sum of `counts`,): the class that is due at each place.

    Args:
        counts: images per class, zero allowed. Between equals the lower class goes first.
    """
    total = sum(counts)
    waiting = [(1, c) for c, count in enumerate(counts) if count]
    heapq.heapify(waiting)
    ready: list[tuple[int, int]] = []
    used = [0] * len(counts)
    sequence = np.empty(total, np.int64)
    for place in range(1, total + 1):
        while waiting and waiting[0][0] <= place:
            _, c = heapq.heappop(waiting)
            heapq.heappush(ready, (-(-(used[c] + 1) * total // counts[c]), c))
        _, c = heapq.heappop(ready)
        sequence[place - 1] = c
        used[c] += 1
        if used[c] < counts[c]:
            heapq.heappush(waiting, (used[c] * total // counts[c] + 1, c))
    return sequence


def stratified_order(labels: Indices, n_classes: int, rng: np.random.Generator) -> Indices:
    """Return a random order int64 (N,) of positions in `labels`, stratified as said above.

    Args:
        labels: int64 (N,), from 0 to `n_classes` - 1.
        n_classes: number of classes.
        rng: decides which images and, between equals, which classes come first.
    """
    rank = rng.permutation(n_classes)
    counts = np.bincount(labels, minlength=n_classes)
    sequence = rank[class_sequence(counts[rank].tolist())]
    order = np.empty(len(labels), np.int64)
    for c in range(n_classes):
        order[sequence == c] = rng.permutation(np.flatnonzero(labels == c))
    return order
