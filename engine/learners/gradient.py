"""Architecture parameters by gradient on held-out batches (DARTS; 000 §5.2.2, 001 §3.2.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.device import precision
from engine.learners.registry import LEARNERS, Learner, LearnerContext, Step
from engine.tasks import classification


class GradientLearner(Learner):
    """One Adam step on the loss of a held-out batch before every update of the weights.

    First order: the shared weights count as constant (xi = 0 in DARTS, eq. 6).

    Args:
        context: its settings are an `AlphaSettings`.
    """

    optimiser: torch.optim.Adam

    def __init__(self, context: LearnerContext) -> None:
        super().__init__(context)
        settings = context.settings
        self.optimiser = torch.optim.Adam(
            self.learned.parameters(),
            lr=settings.alpha_learning_rate,
            betas=(0.5, 0.999),
            weight_decay=settings.alpha_weight_decay,
        )

    def step(self, step: Step) -> None:
        """Move the architecture parameters, unless they are warming up."""
        if step.share < self.context.settings.alpha_warm_up:
            return
        self.move(self.gradients(step))

    def gradients(self, step: Step) -> list[Tensor | None]:
        """Return the gradient of the held-out loss per architecture parameter."""
        images, labels = self.context.held_out.next()
        loss = self.loss(images, labels, step.share)
        parameters = list(self.learned.parameters())
        return list(torch.autograd.grad(loss, parameters, allow_unused=True))

    def loss(self, images: Tensor, labels: Tensor, share: float) -> Tensor:
        """Return the mean loss over the routes that the path policy draws, with its graph."""
        context = self.context
        routes = context.paths.routes(context.rng, share)
        total = torch.zeros((), device=images.device)
        for route in routes:
            with precision(context.arithmetic, context.device):
                logits = context.net(images, route)
            total = total + classification.loss(logits, labels)
        return total / len(routes) + self.extra(share)

    def extra(self, share: float) -> Tensor | float:
        """Return what is added to the loss, such as a cost; nothing here."""
        return 0.0

    def move(self, gradients: list[Tensor | None]) -> None:
        """Step the optimiser with these gradients."""
        for parameter, gradient in zip(self.learned.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


LEARNERS.register("gradient", GradientLearner)
