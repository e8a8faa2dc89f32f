"""FBNetV2 on the size space: widths learn by gradient, and a cost makes them narrow."""

from __future__ import annotations

import pytest
import torch
from learner_cases import learner, step

from engine.learners import Learner


def narrowness(made: Learner) -> float:
    """Return the mean probability of the narrower half of all widths."""
    with torch.no_grad():
        found = made.context.learned.probabilities()
    return float(torch.stack([one[:4].sum() for one in found]).mean())


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("cost", ["params", "flops"])
def test_a_cost_makes_layers_narrower(cost: str) -> None:
    settings = {"alpha_learning_rate": 0.05, "alpha_warm_up": 0.0, "tau_end": 1.0}
    shares = {}
    for given in ("none", cost):
        priced = {"cost": given, "cost_exponent": 8.0} if given != "none" else {}
        made = learner("fbnet_v2", "nats_size", settings | priced)
        for _ in range(25):
            made.step(step(made.context.net.train()))
        shares[given] = narrowness(made)
    assert shares[cost] > shares["none"] + 0.1 and shares[cost] > 0.6


@pytest.mark.usefixtures("one_thread")
def test_widths_wait_for_the_warm_up_and_then_move() -> None:
    made = learner("fbnet_v2", "nats_size", {"alpha_warm_up": 0.4})
    before = [one.clone() for one in made.context.learned.probabilities()]
    for share, moved in ((0.39, False), (0.4, True)):
        made.step(step(made.context.net.train(), share))
        now = made.context.learned.probabilities()
        same = all(torch.equal(a, b) for a, b in zip(before, now, strict=True))
        assert same != moved
