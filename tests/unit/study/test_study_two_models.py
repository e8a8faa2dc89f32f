"""Two models with shared layers: what the loss keeps, and its Fisher information."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.datasets.batches import DeviceImages
from engine.study.two_models import SharedLayers, fisher_diagonal, run_two_models
from engine.tasks import classification


def images(count: int, seed: int) -> DeviceImages:
    """Return three classes of noisy patterns that a network can tell apart."""
    rng = np.random.default_rng(seed)
    patterns = np.random.default_rng(99).integers(0, 255, (3, 8, 8, 1))
    labels = rng.integers(0, 3, count)
    noisy = np.clip(patterns[labels] + rng.normal(0, 150, (count, 8, 8, 1)), 0, 255)
    return DeviceImages(noisy.astype(np.uint8), labels, "cpu", (0.5,), (0.3,))


PARTS = {"train": images(192, 0), "held_out": images(64, 1), "test": images(300, 2)}


def test_fisher_information_is_the_mean_of_squared_gradients_of_single_images() -> None:
    torch.manual_seed(0)
    net = SharedLayers(64, 3)
    found = fisher_diagonal(net, PARTS["held_out"])
    x, y = next(iter(PARTS["held_out"].batches(64)))
    wanted = [torch.zeros_like(p) for p in net.shared.parameters()]
    for one in range(64):
        loss = classification.loss(net(x[one : one + 1], "a"), y[one : one + 1])
        for total, g in zip(
            wanted, torch.autograd.grad(loss, list(net.shared.parameters())), strict=True
        ):
            total += g.square() / 64
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-9)


def test_b_shares_all_layers_of_a() -> None:
    net = SharedLayers(64, 3)
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    net(x, "b").sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=True)
    net(x, "a").sum().backward()
    assert all(p.grad is not None for p in net.shared.parameters())
    assert all(p.grad is None for p in net.private.parameters())
    assert len(net.shared) == 4 and len(net.shared) + len(net.private) == 6


def test_a_strong_term_holds_a_where_it_was() -> None:
    settings = {"epochs_a": 25, "epochs_b": 8, "seed": 1}
    strong = run_two_models(PARTS, 3, alpha=1e7, **settings)
    none = run_two_models(PARTS, 3, alpha=0.0, **settings)
    assert strong.before == none.before > 60
    assert none.a_plain == none.a_plastic == strong.a_plain
    assert none.b_plain == none.b_plastic == strong.b_plain
    lost = [abs(strong.before - curve[-1]) for curve in (strong.a_plastic, strong.a_plain)]
    assert lost[0] < lost[1]


@pytest.mark.parametrize("seed", [0, 3])
def test_it_repeats_itself(seed: int) -> None:
    settings = {"epochs_a": 2, "epochs_b": 2, "alpha": 100.0, "seed": seed}
    torch.manual_seed(seed + 100)
    first = run_two_models(PARTS, 3, **settings)
    torch.manual_seed(seed)
    assert run_two_models(PARTS, 3, **settings) == first
