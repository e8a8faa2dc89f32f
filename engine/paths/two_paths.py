"""Two options of every choice, one of them open: how ProxylessNAS learns (§3.2.1 of its paper)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.networks.route import Route
from engine.paths.gumbel import gumbel_noise, logits_of
from engine.paths.registry import PATHS, PathContext


class TwoPaths:
    """Two options per choice, drawn without replacement by their probabilities.

    The rest counts as absent: one of the two is opened by the softmax over the two. Its gate is
    1, the other's 0, so that both are computed; the gates have the gradient of that softmax.

    Args:
        learned: logits, see `engine.learners.logits`.
    """

    per_update = 1

    def __init__(self, learned: Any) -> None:
        self.learned = learned

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return one route with two active options where a choice has as many."""
        alphas, logits = list(self.learned.alphas), logits_of(self.learned)
        counts = [len(one) for one in logits]
        noise, gates = gumbel_noise(rng, counts), gumbel_noise(rng, counts)
        active, weights = [], []
        for alpha, values, first, second in zip(alphas, logits, noise, gates, strict=True):
            # The two largest of logits with Gumbel noise are a draw without replacement.
            two = sorted(int(i) for i in np.argsort(-(values + first), kind="stable")[:2])
            opened = int(np.argmax((values + second)[two]))
            soft = torch.softmax(alpha[two], 0)
            gate = torch.zeros_like(soft)
            gate[opened] = 1.0
            active.append(tuple(two))
            weights.append(gate + (soft - soft.detach()))
        return [Route(tuple(active), tuple(weights))]


def _make(context: PathContext) -> TwoPaths:
    return TwoPaths(context.learned)


PATHS.register("two_paths", _make)
