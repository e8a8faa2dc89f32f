"""Options drawn with Gumbel noise: hard ones with straight-through weights, or soft weights.

Adding Gumbel noise to logits and taking the largest draws from their softmax (001 eq. 3.6);
the softmax of the same sum over a temperature is a differentiable form of it (eq. 3.7). The
normaliser of the probabilities cancels, so that logits stand for their logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.networks.route import Route
from engine.paths.registry import PATHS, PathContext


def gumbel_noise(rng: np.random.Generator, counts: Sequence[int]) -> list[np.ndarray]:
    """Draw Gumbel(0, 1) noise for all choices at once.

    Args:
        rng: source.
        counts: options per choice.

    Returns:
        Per choice float64 (options,).
    """
    return np.split(rng.gumbel(size=sum(counts)), np.cumsum(counts)[:-1])


def logits_of(learned: Any) -> list[np.ndarray]:
    """Return the logits of every choice on the host, float64 (options,), in one transfer."""
    alphas = list(learned.alphas)
    joined = torch.cat([alpha.detach() for alpha in alphas]).double().cpu().numpy()
    return np.split(joined, np.cumsum([len(alpha) for alpha in alphas])[:-1])


def temperature(settings: Any, share: float) -> float:
    """Return tau after a share of the training.

    Args:
        settings: a `TemperatureSettings`.
        share: 0 to 1.
    """
    start, end = settings.tau_start, settings.tau_end
    if settings.tau_schedule == "exponential":
        return start * (end / start) ** share
    return start + (end - start) * share


def soft_weights(
    alphas: Sequence[Tensor], noise: Sequence[np.ndarray], tau: float
) -> list[Tensor]:
    """Return softmax((alpha + noise) / tau) of every choice (001 eq. 3.7), (options,) each."""
    joined = torch.from_numpy(np.concatenate(noise)).to(alphas[0])
    parts = joined.split([len(alpha) for alpha in alphas])
    return [torch.softmax((a + n) / tau, 0) for a, n in zip(alphas, parts, strict=True)]


class GumbelHard:
    """GDAS: one drawn option per choice (001 §3.2.1, Algorithm 1).

    Only the chosen option is computed. Its weight is exactly 1 and has the gradient of its soft
    weight, which reaches all logits of the choice; the gradients that the other options would
    give are left out ("Acceleration" in §3.2.1).

    Args:
        learned: logits, see `engine.learners.logits`.
        settings: a `TemperatureSettings`.
    """

    per_update = 1

    def __init__(self, learned: Any, settings: Any) -> None:
        self.learned = learned
        self.settings = settings

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return one route with one active option per choice."""
        alphas = list(self.learned.alphas)
        noise = gumbel_noise(rng, [len(alpha) for alpha in alphas])
        pairs = zip(logits_of(self.learned), noise, strict=True)
        chosen = [int(np.argmax(logits + one)) for logits, one in pairs]
        active = tuple((option,) for option in chosen)
        if not torch.is_grad_enabled():
            return [Route(active)]  # a weight of 1 without a gradient only costs time
        soft = soft_weights(alphas, noise, temperature(self.settings, share))
        weights = []
        for one, option in zip(soft, chosen, strict=True):
            weight = one[option : option + 1]
            # Added to 1 and not to 1 - weight, which would be rounded: the value is exactly 1.
            weights.append(1.0 + (weight - weight.detach()))
        return [Route(active, tuple(weights))]


class GumbelSoft:
    """FBNet: all options, weighted by a Gumbel-softmax draw (Wu et al., CVPR 2019, eq. 4).

    Args are those of `GumbelHard`.
    """

    per_update = 1

    def __init__(self, learned: Any, settings: Any) -> None:
        self.learned = learned
        self.settings = settings

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        """Return one route that mixes all options of every choice."""
        alphas = list(self.learned.alphas)
        noise = gumbel_noise(rng, [len(alpha) for alpha in alphas])
        weights = soft_weights(alphas, noise, temperature(self.settings, share))
        return [Route(tuple(tuple(range(len(one))) for one in weights), tuple(weights))]


def _hard(context: PathContext) -> GumbelHard:
    return GumbelHard(context.learned, context.settings)


def _soft(context: PathContext) -> GumbelSoft:
    return GumbelSoft(context.learned, context.settings)


PATHS.register("gumbel_hard", _hard)
PATHS.register("gumbel_soft", _soft)
