"""REINFORCE on a distribution over architectures, with super-net accuracy as the reward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.device import precision
from engine.learners.registry import Learner, LearnerContext
from engine.learners.sequence_policy import SequencePolicy
from engine.networks.encoding import forward_each
from engine.networks.route import Route
from engine.tasks import classification

# Paths that share a forward pass; more would only take memory.
CHUNK = 16


def accuracies(
    context: LearnerContext, architectures: Sequence[Architecture], images: Tensor, labels: Tensor
) -> Tensor:
    """Return each architecture's super-net accuracy on one batch, 0 to 1, float64 (N,) on CPU.

    Normalisation uses the batch's statistics (000 §6.4.2); buffers stay as they are.
    """
    right = []
    with torch.no_grad(), precision(context.arithmetic, context.device):
        for first in range(0, len(architectures), CHUNK):
            routes = Route.many(architectures[first : first + CHUNK])
            logits = forward_each(context.net, images, routes)
            right.append(classification.correct(logits, labels))
    return torch.cat(right).double().cpu() / len(labels)


class PolicyGradient(Learner):
    """What REINFORCE learners have in common; sub-classes say when, and what a reward is.

    Ascends E[R] + w H, R the reward and H the entropy of the policy, by
    (R + w h - b) grad log p + w grad h with h the entropies met along the drawn sequence, whose
    expectation is H: an unbiased estimate for every b that does not depend on the draw.

    Args:
        context: `learned` is a `SequencePolicy`, the settings are a `PolicySettings`.
    """

    optimiser: torch.optim.Adam

    def __init__(self, context: LearnerContext) -> None:
        super().__init__(context)
        self.policy = cast(SequencePolicy, context.learned)
        rate = context.settings.policy_learning_rate
        self.optimiser = torch.optim.Adam(self.learned.parameters(), lr=rate)
        self.baseline: float | None = None
        self.reward: float | None = None

    def rewards(self, drawn: Sequence[Architecture]) -> Tensor:
        """Return the reward of each architecture, float64 (N,): accuracy on one new batch."""
        images, labels = self.context.held_out.next()
        return accuracies(self.context, drawn, images, labels)

    def improve(self) -> None:
        """Draw architectures, reward them, take one step, then move the baseline."""
        drawn = self.policy.draws(self.context.rng, self.context.settings.policy_samples)
        rewards = self.rewards(drawn)
        loss, gain = self.loss(drawn, rewards)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        momentum = self.context.settings.baseline_momentum
        before = gain if self.baseline is None else self.baseline
        self.baseline = momentum * before + (1 - momentum) * gain
        self.reward = float(rewards.mean())

    def loss(self, drawn: Sequence[Architecture], rewards: Tensor) -> tuple[Tensor, float]:
        """Return what to descend, and the mean of reward and weighted entropy.

        While there is no baseline, this mean is it: that scales the gradient of N independent
        draws by 1 - 1/N in expectation.
        """
        weight = self.context.settings.entropy_weight
        logs, entropies = self.policy.log_probs(drawn)
        gains = rewards.to(logs) + weight * entropies.detach()
        mean = float(gains.mean())
        baseline = mean if self.baseline is None else self.baseline
        return -((gains - baseline) * logs + weight * entropies).mean(), mean

    def proposals(self, count: int) -> list[Architecture]:
        """Return the networks that the policy gives the highest probability."""
        return self.policy.likeliest(count)

    def report(self) -> dict[str, Any]:
        """Return, too, the baseline and the mean reward of the latest draws."""
        return super().report() | {"reward": self.reward, "baseline": self.baseline}

    def state(self) -> dict[str, Any]:
        """Return the baseline, and what is reported."""
        return {"baseline": self.baseline, "reward": self.reward}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        self.baseline, self.reward = state["baseline"], state["reward"]
