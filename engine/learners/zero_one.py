"""Fair DARTS: independent gates, pushed towards zero or one (Chu et al., ECCV 2020, §4.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.learners.gradient import GradientLearner
from engine.learners.registry import LEARNERS


def zero_one_loss(gates: list[Tensor]) -> Tensor:
    """Return -mean((gate - 1/2)^2), smallest where every gate is 0 or 1 (eq. 5, the L2 form)."""
    return -(torch.cat(gates) - 0.5).square().mean()


class ZeroOneLearner(GradientLearner):
    """Adds the weighted zero-one loss to the held-out loss.

    Args:
        context: its settings are a `FairDartsSettings`, its `learned` has gates.
    """

    def extra(self, share: float) -> Tensor | float:
        """Return the weighted zero-one loss."""
        gates = self.context.learned.probabilities()
        return self.context.settings.zero_one_weight * zero_one_loss(gates)


LEARNERS.register("zero_one", ZeroOneLearner)
