"""BayesNAS: automatic relevance determination on the weights of a mixture (Zhou et al. 2019).

Every option has a weight w with the prior N(0, gamma). Maximising the marginal likelihood drives
the gammas of what the data does not need to zero; those options are pruned. `none` has no weight:
an edge has it when nothing else is left of it. The priors are hierarchical: an edge out of a node
that nothing relevant enters cannot be relevant itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor, nn

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.learners.gradient import GradientLearner
from engine.learners.registry import LEARNED, LEARNERS, LearnerContext, Step

ZERO = "none"
# Smallest variance, so that nothing is divided by zero.
SMALLEST = 1e-12


class Relevance(nn.Module):
    """Mixture weights w, their prior variances gamma and penalties omega, for every choice.

    Args:
        space: the search space.
    """

    gamma: Tensor
    omega: Tensor
    kept: Tensor

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.space = space
        self.sizes = [len(choice.options) for choice in space.mixture]
        start = torch.cat([torch.full((n,), 1.0 / n) for n in self.sizes])
        names = [option for choice in space.mixture for option in choice.options]
        self.zero = torch.tensor([name == ZERO for name in names])
        self.w = nn.Parameter(start.clone())
        self.register_buffer("gamma", torch.ones_like(start))
        self.register_buffer("omega", torch.ones_like(start))
        self.register_buffer("kept", (~self.zero).to(start.dtype))

    def mixture(self) -> list[Tensor]:
        """Return the weights with which options are added, (options,) per choice; 0 if pruned."""
        return list((self.w * self.kept).split(self.sizes))

    def probabilities(self) -> list[Tensor]:
        """Return each option's share of its choice's relevance, gamma over their sum.

        Where nothing is left, `none` has it all.
        """
        alive = (self.gamma * self.kept).split(self.sizes)
        zeros = self.zero.to(self.gamma).split(self.sizes)
        pairs = zip(alive, zeros, strict=True)
        return [one / one.sum() if one.any() else zero for one, zero in pairs]

    def draw(self, rng: np.random.Generator) -> Architecture:
        """Draw every choice by its shares of the relevance."""
        weights = []
        for share in self.probabilities():
            chances = share.detach().double().cpu().numpy()
            drawn = rng.choice(len(chances), p=chances / chances.sum())
            # The small part breaks ties between edges at random, where a space keeps some only.
            count = 1.0 + 1e-3 * rng.random()
            weights.append([count if o == drawn else 0.0 for o in range(len(chances))])
        return self.space.from_mixture(weights)


def hierarchical(gamma: Tensor, groups: Tensor, sources: Tensor) -> Tensor:
    """Return the prior variances with the dependency of edges on what enters their source.

    1 / prior = 1 / gamma + 1 / (sum of the gammas that enter the source); edges out of an input of
    the cell depend on nothing.

    Args:
        gamma: variance per option, (n,).
        groups: node that each option's edge enters, (n,).
        sources: node that it leaves, (n,), -1 where that is an input.
    """
    entering = torch.stack([gamma[groups == source].sum() for source in sources])
    dependent = 1 / (1 / gamma + 1 / entering.clamp_min(SMALLEST))
    return torch.where(sources < 0, gamma, dependent)


def updated(w: Tensor, gamma: Tensor, curvature: Tensor) -> tuple[Tensor, Tensor]:
    """Return the next (gamma, omega) of the reweighted l1 scheme.

    With the posterior variance C = 1 / (1/gamma + H), the bound on log|1/gamma + H| that is linear
    in gamma has the slope omega^2 = 1/gamma - C / gamma^2, and gamma = |w| / omega minimises it.

    Args:
        w: present weights, (n,).
        gamma: prior variances, (n,), above 0.
        curvature: diagonal H of the loss's Hessian at w, (n,), not negative.
    """
    variance = 1 / (1 / gamma + curvature)
    omega = (1 / gamma - variance / gamma.square()).clamp_min(SMALLEST).sqrt()
    return (w.abs() / omega).clamp_min(SMALLEST), omega


def rescaled(w: Tensor, before: Tensor, groups: Tensor) -> Tensor:
    """Return weights whose absolute sum per node is what it was.

    The normalisations after a node take its scale away, so that the loss would let the penalty
    shrink all weights of a node together; only their proportions mean something.

    Args:
        w: weights after a step, (n,).
        before: weights before it, (n,); kept for a node all of whose weights became 0.
        groups: node that each option's edge enters, (n,).
    """
    result = w.clone()
    for group in groups.unique():
        own = groups == group
        total = w[own].abs().sum()
        scale = before[own].abs().sum()
        result[own] = w[own] * (scale / total) if total > 0 else before[own]
    return result


class RelevanceLearner(GradientLearner):
    """Moves w on the held-out loss plus lambda * sum omega |w|; gammas follow after every epoch.

    The scale of each node is kept, see `rescaled`.

    The curvature is the Gauss-Newton one: batch size times the mean square of the batches'
    gradients in the epoch. (The paper computes the Hessian layer by layer.)

    Args:
        context: its settings are a `BayesNasSettings`, its `learned` a `Relevance`.
    """

    def __init__(self, context: LearnerContext) -> None:
        super().__init__(context)
        space, sizes = context.space, context.learned.sizes
        repeat = torch.tensor(sizes)
        groups = torch.tensor(space.mixture_groups).repeat_interleave(repeat)
        sources = torch.tensor(space.mixture_sources).repeat_interleave(repeat)
        self.groups, self.sources = groups.to(context.device), sources.to(context.device)
        self._squares = torch.zeros_like(self.learned.w)
        self._count = 0

    def step(self, step: Step) -> None:
        """Note the curvature, take the step, and bring w back over zero where it crossed it."""
        learned, settings = self.learned, self.context.settings
        found = self.gradients(step)[0]
        # Where zero operations are all that is left, the loss depends on no weight.
        data = torch.zeros_like(learned.w) if found is None else found
        self._squares += data.square() * len(step.labels)
        self._count += 1
        if step.share >= settings.alpha_warm_up:
            before = learned.w.detach().clone()
            self.move([data + settings.sparsity * learned.omega * before.sign()])
            with torch.no_grad():
                crossed = learned.w * before < 0
                learned.w.masked_fill_(crossed, 0.0)
                alive = learned.kept > 0
                scaled = rescaled(learned.w[alive], before[alive], self.groups[alive])
                learned.w[alive] = scaled

    def end_epoch(self, epoch: int) -> None:
        """Update gamma and omega, then prune what has become irrelevant."""
        settings, learned = self.context.settings, self.learned
        if epoch > settings.alpha_warm_up * self.context.epochs and self._count:
            with torch.no_grad():
                prior = hierarchical(learned.gamma, self.groups, self.sources)
                gamma, omega = updated(learned.w, prior, self._squares / self._count)
                learned.gamma.copy_(gamma)
                learned.omega.copy_(omega)
                self._prune(settings.prune_below)
        self._squares, self._count = torch.zeros_like(learned.w), 0

    def _prune(self, threshold: float) -> None:
        """Drop options far below the most relevant one that enters the same node.

        The last option of a choice without `none` stays.
        """
        learned = self.learned
        for group in self.groups.unique():
            own = (self.groups == group) & (learned.kept > 0)
            if own.any():
                weak = own & (learned.gamma < threshold * learned.gamma[own].max())
                learned.kept.masked_fill_(weak, 0.0)
        zeros = learned.zero.split(learned.sizes)
        parts = learned.kept.split(learned.sizes), learned.gamma.split(learned.sizes)
        for kept, gamma, zero in zip(*parts, zeros, strict=True):
            if not kept.any() and not zero.any():
                kept[gamma.argmax()] = 1.0

    def report(self) -> dict[str, Any]:
        """Add how many options are left."""
        return super().report() | {"options_kept": int(self.learned.kept.sum().item())}

    def state(self) -> dict[str, Any]:
        """Keep what the epoch has seen so far."""
        return {"squares": self._squares.tolist(), "count": self._count}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue with it."""
        self._squares = torch.tensor(state["squares"], device=self.context.device)
        self._count = state["count"]


def _make(space: Space, settings: BaseModel, generator: torch.Generator) -> nn.Module:
    return Relevance(space)


LEARNED.register("relevance", _make)
LEARNERS.register("relevance", RelevanceLearner)
