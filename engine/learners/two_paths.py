"""ProxylessNAS: gates between two drawn options (Cai et al., ICLR 2019, §3.2.1 and §3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.device import precision
from engine.learners.expected_cost import ExpectedCost
from engine.learners.gradient import GradientLearner
from engine.learners.registry import LEARNERS, LearnerContext, Step
from engine.networks.route import Route
from engine.tasks import classification


class TwoPathLearner(GradientLearner):
    """Moves the logits of the two options that a step ran; all other probabilities stay.

    Args:
        context: its settings are an `AlphaSettings` with `cost` and `cost_weight`; its paths
            give two active options per choice.
    """

    def __init__(self, context: LearnerContext) -> None:
        super().__init__(context)
        settings = context.settings
        # No average of gradients: it would move logits that this step did not draw.
        self.optimiser = torch.optim.Adam(
            self.learned.parameters(),
            lr=settings.alpha_learning_rate,
            betas=(0.0, 0.999),
            weight_decay=settings.alpha_weight_decay,
        )
        self.cost = None
        if settings.cost != "none":
            self.cost = ExpectedCost(context.space, context.cost, settings.cost, context.device)
            counts = [len(choice.options) for choice in context.space.mixture]
            uniform = [torch.full((n,), 1 / n, device=context.device) for n in counts]
            self.usual = float(self.cost(uniform))

    def step(self, step: Step) -> None:
        """Move the two logits of every choice, unless they are warming up."""
        context = self.context
        if step.share < context.settings.alpha_warm_up:
            return
        (route,) = context.paths.routes(context.rng, step.share)
        images, labels = context.held_out.next()
        with precision(context.arithmetic, context.device):
            logits = context.net(images, route)
        loss = classification.loss(logits, labels) + self.price(route)
        parameters = list(context.learned.alphas)
        before = [alpha.detach().clone() for alpha in parameters]
        self.move(list(torch.autograd.grad(loss, parameters, allow_unused=True)))
        keep_mass(parameters, before, route.active)

    def price(self, route: Route) -> Tensor | float:
        """Return the weighted expected cost, relative to that of uniform probabilities (eq. 6).

        The probabilities of absent options count as constants, and so does what the two share.
        """
        if self.cost is None:
            return 0.0
        weights = []
        for alpha, active in zip(self.context.learned.alphas, route.active, strict=True):
            two = list(active)
            chances = torch.softmax(alpha.detach(), 0)
            own = chances[two].sum() * torch.softmax(alpha[two], 0)
            place = torch.tensor(two, device=alpha.device)
            weights.append(chances.index_copy(0, place, own))
        return self.context.settings.cost_weight * self.cost(weights) / self.usual


@torch.no_grad()
def keep_mass(
    alphas: Sequence[Tensor], before: Sequence[Tensor], active: Sequence[Sequence[int]]
) -> None:
    """Put back the logits of absent options, and shift the drawn ones, in place.

    Afterwards the drawn options of a choice have the probability together that they had before,
    so that every other option keeps its own (the paper's rescaling, §3.2.1).

    Args:
        alphas: per choice the moved logits, (options,).
        before: the same before the step.
        active: per choice the drawn options.
    """
    for alpha, old, options in zip(alphas, before, active, strict=True):
        two = list(options)
        moved = alpha[two].double()
        shift = torch.logsumexp(moved, 0) - torch.logsumexp(old[two].double(), 0)
        alpha.copy_(old)
        alpha[two] = (moved - shift).to(alpha.dtype)


LEARNERS.register("two_paths", TwoPathLearner)
