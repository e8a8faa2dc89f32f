"""Architecture parameters by gradient of loss times cost (FBNet; Wu et al., CVPR 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.device import precision
from engine.learners.expected_cost import ExpectedCost
from engine.learners.gradient import GradientLearner
from engine.learners.registry import LEARNERS, LearnerContext
from engine.tasks import classification


class FbnetLearner(GradientLearner):
    """Held-out loss times a * log(cost)^b, the cost that of the drawn weights (eq. 2 and 7).

    The paper's cost is latency from a table of its device; here it is parameters or FLOPs, as
    counts, see `ExpectedCost`. Without a cost it is the loss alone, as in 000 §5.3.6.

    Args:
        context: its settings are an `AlphaSettings` with `cost`, `cost_weight` (a) and
            `cost_exponent` (b).
    """

    def __init__(self, context: LearnerContext) -> None:
        super().__init__(context)
        unit = context.settings.cost
        self.cost = None
        if unit != "none":
            self.cost = ExpectedCost(context.space, context.cost, unit, context.device)

    def loss(self, images: Tensor, labels: Tensor, share: float) -> Tensor:
        """Return the loss of one soft route, times its cost factor."""
        context, settings = self.context, self.context.settings
        (route,) = context.paths.routes(context.rng, share)
        with precision(context.arithmetic, context.device):
            logits = context.net(images, route)
        loss = classification.loss(logits, labels)
        if self.cost is None:
            return loss
        factor = torch.log(self.cost(route.weights)) ** settings.cost_exponent
        return loss * (settings.cost_weight * factor)


LEARNERS.register("fbnet", FbnetLearner)
