"""One path a step, drawn from what is learned (ProxylessNAS's binary gates, §3.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.networks.route import Route
from engine.paths.gumbel import gumbel_noise, logits_of
from engine.paths.registry import PATHS, PathContext


class OnePath:
    """Opens one option of every choice of `Space.mixture`, drawn from the softmax of its logits.

    Unlike an architecture, the path has an option wherever a mixture has (28 edges in `darts`).

    Args:
        learned: logits, see `engine.learners.logits`.
    """

    per_update = 1

    def __init__(self, learned: Any) -> None:
        self.learned = learned

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return one hard route."""
        logits = logits_of(self.learned)
        noise = gumbel_noise(rng, [len(one) for one in logits])
        pairs = zip(logits, noise, strict=True)
        return [Route(tuple((int(np.argmax(one + more)),) for one, more in pairs))]


def _make(context: PathContext) -> OnePath:
    return OnePath(context.learned)


PATHS.register("one_path", _make)
