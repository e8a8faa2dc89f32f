"""A tiny space with a constraint, small policies, and learners with made-up rewards."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost, Space
from engine.learners import LEARNED, LEARNERS, LearnerContext
from engine.learners.policy_gradient import PolicyGradient
from engine.learners.sequence_policy import SequencePolicy
from engine.recipes import RECIPES
from engine.spec.network import NetworkSpec


class Tiny(Space):
    """Three choices of 2, 3 and 3 options; the first and last tuple are left out."""

    name = "tiny"
    title = "Tiny"
    source = "none"
    help = "For tests."
    provides = frozenset()
    choices = (
        Choice("a", "op", ("x", "y")),
        Choice("b", "op", ("x", "y", "z")),
        Choice("c", "width", ("4", "8", "16")),
    )

    def constraint(self, architecture: Architecture) -> str | None:
        return "Left out." if architecture.indices in ((0, 0, 0), (1, 2, 2)) else None

    def to_text(self, architecture: Architecture) -> str:
        return str(architecture)

    def parse(self, text: str) -> Architecture:
        raise NotImplementedError

    def canonical(self, architecture: Architecture) -> str:
        return str(architecture)

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        return Cost(10 * (1 + architecture.indices[2]), 1 + sum(architecture.indices))

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        return {}


TINY = Tiny()
ALL = [Architecture.of("tiny", i) for i in itertools.product(range(2), range(3), range(3))]
torch.set_num_threads(1)

Reward = Callable[[Architecture], float]


def policy(name: str, space: Space = TINY, seed: int = 0, scale: float = 3.0) -> SequencePolicy:
    """Return a `factored` or `controller` policy in float64, far from uniform."""
    settings = RECIPES["enas"].settings(controller_width=4)
    made = LEARNED[name](space, settings, torch.Generator().manual_seed(seed)).double()
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    assert isinstance(made, SequencePolicy)
    return made


def chances(made: SequencePolicy) -> Tensor:
    """Return p of all index tuples of the tiny space."""
    with torch.no_grad():
        return made.log_probs(ALL)[0].exp()


def learner(
    name: str, made: SequencePolicy, reward: Reward, monkeypatch: Any, **settings: Any
) -> PolicyGradient:
    """Return a policy gradient learner whose accuracies are `reward`."""
    recipe = "tunas" if name == "absolute_reward" else "enas"
    context = LearnerContext(
        space=made.space,
        net=None,  # type: ignore[arg-type]
        settings=RECIPES[recipe].settings(**settings),
        learned=made,
        paths=None,  # type: ignore[arg-type]
        held_out=None,  # type: ignore[arg-type]
        rng=np.random.default_rng(3),
        score=lambda drawn: [100 * reward(one) for one in drawn],
        cost=lambda one: made.space.cost(one, NetworkSpec()),
        derive=lambda space, weights, count: [],
        arithmetic="float32",
        epochs=1,
        steps=1,
    )

    def rewards(self: PolicyGradient, drawn: list[Architecture]) -> Tensor:
        return torch.tensor([reward(one) for one in drawn], dtype=torch.float64)

    monkeypatch.setattr(PolicyGradient, "rewards", rewards)
    found = LEARNERS[name](context)
    assert isinstance(found, PolicyGradient)
    return found
