"""Routes against the same network written out by hand, hard and soft, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_nets import arch, by_hand, gradients, images, one_hot, stand_alone, supernet
from torch import Tensor

from engine.core.architecture import Architecture
from engine.networks import Route
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.network import NormSpec

SOME = [NB201_SPACE.sample(np.random.default_rng(seed)) for seed in range(10)]
ALL = tuple(range(5))


def weights(seed: int = 0) -> Tensor:
    """Return softmax weights (6, 5), as DARTS has them."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(6, 5, generator=source, dtype=torch.float64).softmax(1)


def soft(values: Tensor) -> Route:
    return Route((ALL,) * 6, tuple(values))


@pytest.mark.parametrize("one", [*SOME, arch("000000"), arch("330000"), arch("111111")])
def test_hard_routes(one: Architecture) -> None:
    net, x = supernet(cells=2), images()
    torch.testing.assert_close(net(x, Route.of(one)), by_hand(net, x, one_hot(one)))


@pytest.mark.parametrize("affine", [True, False])
def test_the_mixture_of_all_options(affine: bool) -> None:
    net, x = supernet(NormSpec(affine=affine), cells=2), images()
    torch.testing.assert_close(net(x, soft(weights())), by_hand(net, x, weights()))


def test_all_gradients_of_the_mixture() -> None:
    net, labels, results = supernet(), torch.tensor([0, 3, 1, 2, 0]), []
    for run in (lambda x, w: net(x, soft(w)), lambda x, w: by_hand(net, x, w)):
        x, w = images().requires_grad_(), weights().requires_grad_()
        torch.nn.functional.cross_entropy(run(x, w), labels).backward()
        results.append(gradients(net) | {"images": x.grad, "weights": w.grad})
    assert results[0].keys() == results[1].keys()
    for name, value in results[1].items():
        torch.testing.assert_close(results[0][name], value, rtol=1e-8, atol=1e-12, msg=name)
    assert torch.equal(results[0]["weights"][:, 0], torch.zeros(6, dtype=torch.float64))
    assert (results[0]["weights"][:, 1:] != 0).all()


def test_gradients_of_the_weights_by_finite_differences() -> None:
    net, x, labels = supernet(), images(), torch.tensor([0, 3, 1, 2, 0])

    def loss(values: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(net(x, soft(values)), labels)

    given = weights().requires_grad_()
    loss(given).backward()
    step = 1e-6
    with torch.no_grad():
        for edge in range(6):
            for option in ALL:
                moved = torch.zeros(6, 5, dtype=torch.float64)
                moved[edge, option] = step
                slope = (loss(weights() + moved) - loss(weights() - moved)) / (2 * step)
                assert given.grad[edge, option].item() == pytest.approx(slope.item(), abs=1e-7)


def test_two_options_and_edges_without_weights() -> None:
    """ProxylessNAS keeps two of a choice; other choices can be plain sums at the same time."""
    net, x = supernet(), images()
    pair = torch.tensor([0.25, 0.6], dtype=torch.float64)
    route = Route(
        ((1, 3), (2,), (2, 4), (0,), (3,), (0, 2)), (pair, None, -pair, None, None, pair.flip(0))
    )
    dense = torch.zeros(6, 5, dtype=torch.float64)
    dense[0, [1, 3]] = pair
    dense[1, 2] = dense[4, 3] = 1.0
    dense[2, [2, 4]] = -pair
    dense[5, [0, 2]] = pair.flip(0)
    torch.testing.assert_close(net(x, route), by_hand(net, x, dense))


def test_a_straight_through_weight_reaches_its_choice() -> None:
    """GDAS: one active option, whose weight is 1 in value and carries the gradient."""
    net, x = supernet(), images()
    one = arch("324213")
    hard = [torch.ones(1, dtype=torch.float64, requires_grad=True) for _ in range(6)]
    route = Route(tuple((index,) for index in one.indices), tuple(hard))
    out = net(x, route)
    torch.testing.assert_close(out, net(x, Route.of(one)))
    out.square().sum().backward()
    dense = one_hot(one).requires_grad_()
    by_hand(net, x, dense).square().sum().backward()
    for edge, index in enumerate(one.indices):
        torch.testing.assert_close(hard[edge].grad[0], dense.grad[edge, index])


@pytest.mark.parametrize("one", [*SOME, arch("000000"), arch("330000")])
def test_a_stand_alone_network_is_the_super_net_restricted(one: Architecture) -> None:
    """Same weights, same statistics of the batch: same values and gradients."""
    net, alone, x = supernet(seed=3), stand_alone(one, seed=4), images()
    state = dict(net.named_parameters())
    own = dict(alone.named_parameters())
    assert own.keys() <= state.keys()
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(state[name])
    results = []
    for network in (net, alone):
        out = network(x, Route.of(one))
        if out.requires_grad:
            out.square().sum().backward()
        results.append((out.detach(), gradients(network)))
    (wanted, all_gradients), (found, some) = results
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)
    for name, value in all_gradients.items():
        other = some.get(name)
        assert (value is None) == (other is None), name
        if value is not None:
            torch.testing.assert_close(other, value, rtol=1e-10, atol=1e-12, msg=name)
