"""Weights that a step did not use: no gradient is not a zero gradient (joint 3)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_nets import arch, images, supernet
from torch import Tensor

from engine.networks import Route, SuperNet
from engine.spec.training import OptimiserSpec
from engine.training.optim import apply_update, make_optimiser

LABELS = torch.tensor([0, 3, 1, 2, 0])
USED_ONCE = "trunk.layers.0.edges.3.3.conv.weight"


def step(
    net: SuperNet, optimiser: torch.optim.SGD, text: str, unsampled: str, clip: float | None = None
) -> None:
    optimiser.zero_grad(set_to_none=True)
    logits = net(images(), Route.of(arch(text)))
    torch.nn.functional.cross_entropy(logits, LABELS).backward()
    apply_update(optimiser, clip, unsampled)


def weights(net: SuperNet) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in net.named_parameters()}


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("unsampled", ["frozen", "decayed"])
def test_an_unsampled_weight(unsampled: str, nesterov: bool) -> None:
    """Edge 0->3 takes its 3x3 convolution in the first step and another one in the next two."""
    spec = OptimiserSpec(learning_rate=0.05, momentum=0.8, weight_decay=0.1, nesterov=nesterov)
    net = supernet()
    optimiser = make_optimiser(net.parameters(), spec)
    start = dict(net.named_parameters())[USED_ONCE].detach().numpy().copy()
    step(net, optimiser, "000300", unsampled)
    after = weights(net)[USED_ONCE].numpy().copy()
    assert np.abs(after - start).max() > 1e-4
    # SGD by hand: b <- m b + (g + d w), w <- w - r (g + d w + m b) with Nesterov, else w - r b.
    momentum = (start - after) / (0.05 * (1.8 if nesterov else 1.0))
    expected = after.copy()
    for _ in range(2):
        step(net, optimiser, "000200", unsampled)
        if unsampled == "decayed":
            decay = 0.1 * expected
            momentum = 0.8 * momentum + decay
            expected = expected - 0.05 * (decay + 0.8 * momentum if nesterov else momentum)
    found = weights(net)[USED_ONCE].numpy()
    if unsampled == "frozen":
        np.testing.assert_array_equal(found, after)
    else:
        assert np.abs(found - after).max() > 1e-4
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_the_momentum_of_a_frozen_weight_waits_for_its_next_step() -> None:
    net = supernet()
    optimiser = make_optimiser(net.parameters(), OptimiserSpec(nesterov=False, weight_decay=0))
    step(net, optimiser, "000300", "frozen")
    used = dict(net.named_parameters())[USED_ONCE]
    kept = optimiser.state[used]["momentum_buffer"].clone()
    step(net, optimiser, "000200", "frozen")
    assert torch.equal(optimiser.state[used]["momentum_buffer"], kept)


@pytest.mark.parametrize("unsampled", ["frozen", "decayed"])
def test_a_zero_gradient_moves_a_weight_under_both(unsampled: str) -> None:
    """Behind a cell of zeros the head's scale has a zero gradient, and the stem has none."""
    net = supernet()
    optimiser = make_optimiser(net.parameters(), OptimiserSpec(weight_decay=0.1))
    before = weights(net)
    net(images(), Route.of(arch("000000"))).square().sum().backward()
    scale, stem = net.head.norm.weight, net.stem.conv.weight
    assert stem.grad is None
    assert scale.grad is not None and not scale.grad.any()
    apply_update(optimiser, None, unsampled)
    assert not torch.equal(scale, before["head.norm.weight"])
    assert torch.equal(stem, before["stem.conv.weight"]) == (unsampled == "frozen")


@pytest.mark.parametrize("unsampled", ["frozen", "decayed"])
def test_only_weights_of_the_route_have_a_gradient(unsampled: str) -> None:
    net = supernet()
    optimiser = make_optimiser(net.parameters(), OptimiserSpec())
    step(net, optimiser, "330300", unsampled)
    without = {name for name, value in net.named_parameters() if value.grad is None}
    others = {
        name
        for name, _ in net.named_parameters()
        if ".edges." in name and ".edges.3.3." not in name
    }
    assert len(others) > 50
    assert without == (others if unsampled == "frozen" else set())


@pytest.mark.parametrize("unsampled", ["frozen", "decayed"])
def test_clipping_sees_the_gradients_that_are_there(unsampled: str) -> None:
    """The norm over all parameters, once; unsampled ones add nothing to it."""
    plain, clipped = supernet(), supernet()
    spec = OptimiserSpec(learning_rate=1.0, momentum=0.0, weight_decay=0.0)
    start = weights(plain)
    step(plain, make_optimiser(plain.parameters(), spec), "323432", unsampled)
    moved = {name: start[name] - value for name, value in weights(plain).items()}
    norm = torch.stack([value.square().sum() for value in moved.values()]).sum().sqrt().item()
    assert norm > 0.02
    limit = norm / 2
    step(clipped, make_optimiser(clipped.parameters(), spec), "323432", unsampled, clip=limit)
    for name, value in weights(clipped).items():
        torch.testing.assert_close(start[name] - value, moved[name] / 2, rtol=1e-4, atol=1e-12)
