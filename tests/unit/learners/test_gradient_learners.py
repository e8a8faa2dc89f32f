"""First and second order, early stopping, gates: each against an independent computation."""

from __future__ import annotations

import pytest
import torch
from learner_cases import NETWORK, alphas, learner, step

from engine.learners import unrolled
from engine.learners.unrolled import unrolled_gradients
from engine.learners.zero_one import zero_one_loss
from engine.networks import Route, build_supernet
from engine.spaces import get_space
from engine.tasks import classification

pytestmark = pytest.mark.usefixtures("one_thread")


def mixture(parameters: list[torch.Tensor]) -> Route:
    weights = tuple(torch.softmax(alpha, 0) for alpha in parameters)
    return Route(tuple(tuple(range(len(one))) for one in weights), weights)


def test_the_first_step_is_adam_on_the_held_out_gradient() -> None:
    made = learner("darts")
    parameters = [p.detach().clone().requires_grad_() for p in made.learned.parameters()]
    x, y = learner("darts").context.held_out.next()
    net = build_supernet("nb201", NETWORK, 0)
    loss = classification.loss(net(x, mixture(parameters)), y)
    gradients = torch.autograd.grad(loss, parameters)
    reference = torch.optim.Adam(parameters, lr=3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    reference.step()
    made.step(step(made.context.net))
    torch.testing.assert_close(alphas(made), torch.cat([p.detach() for p in parameters]))


def test_alphas_rest_while_they_warm_up() -> None:
    made = learner("darts", settings={"alpha_warm_up": 0.5})
    start = alphas(made)
    made.step(step(made.context.net, share=0.49))
    assert torch.equal(alphas(made), start)
    made.step(step(made.context.net, share=0.5))
    assert not torch.equal(alphas(made), start)


def test_second_order_is_the_exact_hypergradient_of_a_toy_problem() -> None:
    """Two losses that are neither quadratic nor separable, in float64."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(6, generator=generator, dtype=torch.float64, requires_grad=True)
    alpha = torch.randn(4, generator=generator, dtype=torch.float64, requires_grad=True)
    link = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    rate = 0.3

    def train() -> torch.Tensor:
        return (torch.sin(weights) * (link @ alpha)).sum() + (weights**4).sum() / 4

    def held_out_at(w: torch.Tensor) -> torch.Tensor:
        return torch.tanh(w * (link @ alpha.cos())).sum() + (w**2).sum()

    kept = weights.detach().clone()
    found = unrolled_gradients(
        [weights],
        [alpha],
        train,
        lambda: held_out_at(weights),
        lambda gradients: [weights - rate * gradients[0]],
        rate,
    )
    (inner,) = torch.autograd.grad(train(), weights, create_graph=True)
    (exact,) = torch.autograd.grad(held_out_at(weights - rate * inner), alpha)
    (first,) = torch.autograd.grad(held_out_at(kept - rate * inner.detach()), alpha)
    torch.testing.assert_close(found[0], exact, rtol=1e-3, atol=1e-6)
    assert (first - exact).abs().max() > 0.05, "the second-order part matters here"
    assert torch.equal(weights, kept)


def test_second_order_is_the_exact_hypergradient_of_a_super_net(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a shorter difference than DARTS's: a network of two channels bends within that one."""
    monkeypatch.setattr(unrolled, "DIFFERENCE", 1e-4)
    net = build_supernet("nb201", NETWORK, 0).double()
    made = learner("darts_2nd", net=net)
    made.learned.double()
    about = step(net, rate=0.05)
    images = about.images.double()
    about = type(about)(images, about.labels, about.optimiser, about.share)
    for parameter in net.parameters():
        about.optimiser.state[parameter]["momentum_buffer"] = 0.01 * torch.ones_like(parameter)
    x, y = learner("darts_2nd").context.held_out.next()
    made.context.held_out.next = lambda: (x.double(), y)  # type: ignore[method-assign]
    found = torch.cat([g.flatten() for g in made.gradients(about)])
    parameters = list(made.learned.parameters())
    weights = dict(net.named_parameters())
    loss = classification.loss(net(images, mixture(parameters)), about.labels)
    inner = torch.autograd.grad(loss, list(weights.values()), create_graph=True, allow_unused=True)
    moved = {
        name: w - 0.05 * ((0 if g is None else g) + 1e-3 * w + 0.9 * 0.01)
        for (name, w), g in zip(weights.items(), inner, strict=True)
    }
    logits = torch.func.functional_call(net, moved, (x.double(), mixture(parameters)))
    exact = torch.autograd.grad(classification.loss(logits, y), parameters)
    reference = torch.cat([g.flatten() for g in exact])
    error = (found - reference).norm() / reference.norm()
    assert error < 1e-3, error.item()


def set_alphas(made: object, options: list[int]) -> None:
    with torch.no_grad():
        for alpha, option in zip(made.learned.alphas, options, strict=True):  # type: ignore
            alpha.zero_()
            alpha[option] = 3.0


def test_darts_plus_stops_at_two_skip_connections_that_reach_the_output() -> None:
    made = learner("darts_plus")  # 1 is skip_connect, 3 a convolution, 0 none
    set_alphas(made, [1, 3, 3, 3, 3, 3])
    made.end_epoch(4)
    assert made.stop_reason() is None
    set_alphas(made, [1, 1, 3, 3, 3, 0])  # the edges into node 2 reach nothing
    made.end_epoch(4)
    assert made.stop_reason() is None
    set_alphas(made, [1, 3, 3, 1, 3, 3])
    made.end_epoch(0)
    assert made.stop_reason() is None, "before the earliest epoch"
    made.end_epoch(4)
    assert made.stop_reason() is not None and "2 skip" in str(made.stop_reason())
    other = learner("darts_plus")
    other.load_state(made.state())
    assert other.stop_reason() == made.stop_reason()


def test_darts_plus_counts_the_normal_cell_only() -> None:
    made, space = learner("darts_plus", "darts"), get_space("darts")
    skip = space.mixture[0].options.index("skip_connect")
    convolution = space.mixture[0].options.index("sep_conv_3x3")
    set_alphas(made, [convolution] * 14 + [skip] * 14)
    assert made.skip_connections() == 0
    set_alphas(made, [skip] * 14 + [convolution] * 14)
    assert made.skip_connections() == 8


def test_zero_one_loss_by_hand() -> None:
    gates = [torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.9])]
    # mean of .25, .25, 0 and .16
    torch.testing.assert_close(zero_one_loss(gates), torch.tensor(-0.165))


def test_fair_darts_pushes_gates_apart_where_the_loss_says_nothing() -> None:
    made = learner("fair_darts", settings={"zero_one_weight": 1e4, "alpha_learning_rate": 0.5})
    with torch.no_grad():
        for alpha in made.learned.alphas:
            alpha.copy_(torch.linspace(-0.5, 0.5, len(alpha)) + 0.1)
    for _ in range(30):
        made.step(step(made.context.net))
    gates = torch.cat(made.learned.probabilities())
    assert ((gates < 0.1) | (gates > 0.9)).all()
