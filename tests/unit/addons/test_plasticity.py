"""Weight plasticity: the term, its step, the Fisher information, the decay (000 §4.3)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.addons.plasticity import WeightPlasticity, alpha_at, plasticity_penalty
from engine.spec.addons import PlasticitySpec


def spec(**given: object) -> PlasticitySpec:
    return PlasticitySpec.model_validate({"weight": 100.0, "warm_up": 0, **given})


def test_the_gradient_of_the_term_matches_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 2), (4,)]
    draw = [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]
    anchors = [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]
    fisher = [torch.rand(s, generator=generator, dtype=torch.float64) for s in shapes]
    weights = [w.requires_grad_() for w in draw]
    assert torch.autograd.gradcheck(
        lambda *w: plasticity_penalty(w, anchors, fisher, 7.0), weights
    )
    by_hand = sum(
        (3.5 * f * (w - a) ** 2).sum() for w, a, f in zip(weights, anchors, fisher, strict=True)
    )
    torch.testing.assert_close(plasticity_penalty(weights, anchors, fisher, 7.0), by_hand)


def one_layer() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2).double()


def update(net: torch.nn.Module, kept: WeightPlasticity, loss: torch.Tensor, rate: float) -> None:
    optimiser = torch.optim.SGD(net.parameters(), lr=rate)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    kept.observe()
    kept.before_update()
    optimiser.step()
    kept.after_update(1, rate)


def test_the_step_minimises_linearised_loss_plus_term_plus_distance() -> None:
    net, rate, alpha = one_layer(), 0.1, 100.0
    kept = WeightPlasticity(spec(decay="constant"), net, 10)
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    update(net, kept, net(x).square().sum(), rate)
    start = [p.detach().clone() for p in net.parameters()]
    fisher = [value.clone() for value in kept.fisher.values()]
    loss = (net(x) - 1).square().sum()
    gradients = torch.autograd.grad(loss, list(net.parameters()))
    update(net, kept, (net(x) - 1).square().sum(), rate)
    # Stationary point of g.(w - s) + alpha/2 F (w - s)^2 + |w - s|^2 / (2 rate).
    for p, s, f, g in zip(net.parameters(), start, fisher, gradients, strict=True):
        residue = g + alpha * f * (p.detach() - s) + (p.detach() - s) / rate
        torch.testing.assert_close(residue, torch.zeros_like(residue), rtol=0, atol=1e-9)
        assert (f > 0).all()


def test_fisher_information_by_hand_and_its_flush() -> None:
    net = torch.nn.Linear(1, 1, bias=False)
    kept = WeightPlasticity(spec(momentum=0.9, flush_every=3), net, 10)
    values = []
    for gradient in (2.0, 3.0):
        net.weight.grad = torch.tensor([[gradient]])
        kept.observe()
        kept.before_update()
        kept.after_update(1, 0.0)
        values.append(kept.fisher["weight"].item())
    np.testing.assert_allclose(values, [3.6, 0.36 + 8.1], rtol=1e-6)
    for epoch, left in ((2, True), (3, True), (4, False)):
        kept.begin_epoch(epoch)
        assert bool(kept.fisher["weight"].item() > 0) is left


def test_weights_that_an_architecture_does_not_use_keep_their_information() -> None:
    used, unused = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    net = torch.nn.ModuleList([used, unused])
    kept = WeightPlasticity(spec(), net, 10)
    update(net, kept, (used(torch.ones(1, 2)) + unused(torch.ones(1, 2))).sum(), 0.1)
    before = kept.fisher["1.weight"].clone(), kept.fisher["0.weight"].clone()
    weights = unused.weight.detach().clone()
    update(net, kept, used(torch.tensor([[1.0, 0.0]])).square().sum(), 0.1)
    assert torch.equal(kept.fisher["1.weight"], before[0])
    assert torch.equal(unused.weight, weights)
    changed = kept.fisher["0.weight"] != before[1]
    assert changed[:, 0].all() and not changed[:, 1].any(), "no gradient came for the second"


def test_alpha_waits_and_then_falls() -> None:
    found = [alpha_at(spec(warm_up=2, decay="linear"), epoch, 6) for epoch in range(1, 7)]
    np.testing.assert_allclose(found, [0, 0, 100, 75, 50, 25])
    cosine = [alpha_at(spec(warm_up=2, decay="cosine"), epoch, 6) for epoch in range(3, 7)]
    np.testing.assert_allclose(cosine, 50 * (1 + np.cos(np.pi * np.array([0, 0.25, 0.5, 0.75]))))
    assert alpha_at(spec(decay="constant"), 6, 6) == 100


def test_important_weights_move_less() -> None:
    net = torch.nn.Linear(2, 1, bias=False)
    kept = WeightPlasticity(spec(decay="constant"), net, 10)
    kept.load_tensors({"weight": torch.tensor([[1.0, 0.0]])})
    start = net.weight.detach().clone()
    update(net, kept, net(torch.ones(1, 2)).sum(), 0.1)
    moved = (net.weight - start).abs().detach()
    torch.testing.assert_close(moved, torch.tensor([[0.1 / (1 + 0.1 * 100), 0.1]]))


@pytest.mark.parametrize("field", ["warm_up", "flush_every", "momentum", "weight"])
def test_impossible_settings_are_named(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        spec(**{field: -1})
