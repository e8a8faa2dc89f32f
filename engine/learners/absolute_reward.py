"""REINFORCE beside every weight update, with a price on missing a cost target (TuNAS)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.learners.policy_gradient import PolicyGradient
from engine.learners.registry import LEARNERS, Step


class AbsoluteReward(PolicyGradient):
    """R = quality + beta |cost / target - 1| with beta < 0 (Bender et al., CVPR 2020, §4).

    Networks above and below the target pay alike, so that the policy settles at the target.
    """

    def step(self, step: Step) -> None:
        """Improve the policy, unless the weights are still warming up."""
        if step.share >= self.context.settings.policy_warm_up:
            self.improve()

    def rewards(self, drawn: Sequence[Architecture]) -> Tensor:
        """Return the absolute reward of each architecture, float64 (N,)."""
        quality = super().rewards(drawn)
        settings = self.context.settings
        if settings.cost == "none":
            return quality
        costs = [getattr(self.context.cost(one), settings.cost) for one in drawn]
        relative = torch.tensor(costs, dtype=torch.float64) / settings.cost_target
        return quality + settings.cost_weight * (relative - 1).abs()


LEARNERS.register("absolute_reward", AbsoluteReward)
