"""Controller updates after every epoch of weight updates (ENAS; 000 §5.2.2)."""

from __future__ import annotations

from engine.learners.policy_gradient import PolicyGradient
from engine.learners.registry import LEARNERS


class AlternatingReinforce(PolicyGradient):
    """`policy_steps` updates after an epoch; each draws architectures and one held-out batch."""

    def end_epoch(self, epoch: int) -> None:
        """Improve the policy with the weights as they are."""
        for _ in range(self.context.settings.policy_steps):
            self.improve()


LEARNERS.register("reinforce", AlternatingReinforce)
