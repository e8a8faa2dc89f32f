"""Multi-model forgetting: how much training others spoils an architecture in a shared super-net.

000 section 4.4.2 and figure 4.4 (per epoch), section 4.4.1 (two models).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics._arrays import best_first, same_length, vector, whole_number


@dataclass(frozen=True)
class Forgetting:
    """Error differences err_2 - err_1 of one epoch, in the unit of the error; 0 is ideal.

    Positive: architectures were made to forget by the ones trained after them. All three are
    None when no architecture was sampled.

    Attributes:
        n: number of architectures.
        mean: over all of them (figure 4.4 a).
        top_mean: over the `top` with the lowest err_1, all if fewer (figure 4.4 b).
        max: over all (figure 4.4 c).
    """

    n: int
    mean: float | None
    top_mean: float | None
    max: float | None


def forgetting(err_1: ArrayLike, err_2: ArrayLike, *, top: int = 5) -> Forgetting:
    """Summarise the error differences of one epoch.

    Args:
        err_1: shape (n,), error of each sampled architecture right after its own step.
        err_2: shape (n,), error of the same architectures, on the same data, at the end of the
            epoch. Both are errors: lower is better.
        top: how many of lowest err_1 enter `top_mean`; ties by order of the input.

    Raises:
        ValueError: NaN (named by its index), unequal lengths, top < 1.
    """
    first, second = vector("err_1", err_1), vector("err_2", err_2)
    n = same_length(err_1=first, err_2=second)
    top = whole_number("top", top, 1)
    if n == 0:
        return Forgetting(0, None, None, None)
    difference = second - first
    best = best_first(first, higher_is_better=False)[:top]
    return Forgetting(
        n,
        float(difference.mean()),
        float(difference[best].mean()),
        float(np.max(difference)),
    )


def forgetting_reduction(without: float, with_remedy: float) -> float | None:
    """Return the relative reduction of forgetting, (d - d_remedy) / d; 1 = none left.

    000 section 4.4.1 with d = acc* - acc, the accuracy that model A lost while B was trained
    (printed there without the brackets). None where nothing was forgotten without the remedy
    (d <= 0), as a share of nothing has no meaning.

    Args:
        without: d, forgetting without the remedy (any unit).
        with_remedy: d with it, same unit.

    Raises:
        ValueError: NaN.
    """
    vector("forgetting", [without, with_remedy])
    return (without - with_remedy) / without if without > 0 else None
