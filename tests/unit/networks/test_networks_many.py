"""Many routes in one pass are the same as one route after another: values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_nets import arch, gradients, images, supernet
from torch import Tensor

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.network import NormSpec

RNG = np.random.default_rng(0)
CASES: dict[str, list[Architecture]] = {
    "random": [NB201_SPACE.sample(RNG) for _ in range(6)],
    "more random": [NB201_SPACE.sample(RNG) for _ in range(6)],
    "a single one": [arch("321432")],
    "twice the same": [arch("323412"), arch("123400"), arch("323412"), arch("323412")],
    "the same network in two ways": [arch("100030"), arch("000300"), arch("400000")],
    "nothing at all": [arch("000000")],
    "nothing, and other ways to nothing": [arch("000000"), arch("333000"), arch("000022")],
    "nothing beside something": [arch("000000"), arch("332432"), arch("304000")],
    "shared beginnings": [arch("330000"), arch("332000"), arch("332300"), arch("332330")],
    "one source for all": [arch("333333"), arch("333332"), arch("333322"), arch("313333")],
    "only skips and pools": [arch("111111"), arch("444444"), arch("141414"), arch("100011")],
}


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    """A loss that treats the routes differently, so that a mixed-up order is seen."""
    factors = torch.arange(1, len(logits) + 1, dtype=logits.dtype)
    each = -torch.log_softmax(logits, -1)[:, torch.arange(len(labels)), labels].mean(1)
    return (factors * each).sum()


def one_by_one(net: SuperNet, x: Tensor, routes: list[Route]) -> Tensor:
    return torch.stack([net(x, route) for route in routes])


def compare(net: SuperNet, architectures: list[Architecture]) -> None:
    x, labels = images(), torch.tensor([0, 3, 1, 2, 0])
    routes = Route.many(architectures)
    results = []
    for forward in (one_by_one, lambda net, x, routes: net.forward_many(x, routes)):
        given = x.clone().requires_grad_()
        logits = forward(net, given, routes)
        if logits.requires_grad:
            losses(logits, labels).backward()
        results.append((logits.detach(), gradients(net) | {"images": given.grad}))
    (wanted, wanted_gradients), (found, found_gradients) = results
    assert found.shape == (len(routes), 5, 4)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)
    for name, value in wanted_gradients.items():
        other = found_gradients[name]
        assert (value is None) == (other is None), f"{name}: none and zero are not the same"
        if value is not None:
            torch.testing.assert_close(other, value, rtol=1e-8, atol=1e-11, msg=name)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("affine", [True, False])
def test_equal_to_one_by_one(case: str, affine: bool) -> None:
    compare(supernet(NormSpec(affine=affine), cells=2 if affine else 1), CASES[case])


@pytest.mark.parametrize("case", ["random", "nothing beside something", "shared beginnings"])
def test_equal_with_moving_statistics(case: str) -> None:
    net = supernet(NormSpec(statistics="moving"))
    with net.policy.moving():
        compare(net, CASES[case])


@pytest.mark.parametrize("case", ["random", "one source for all"])
def test_equal_in_channels_last(case: str) -> None:
    compare(supernet().to(memory_format=torch.channels_last), CASES[case])


def test_equal_when_several_options_are_active() -> None:
    """Path dropout keeps a random subset, summed without weights."""
    net, x = supernet(), images()
    routes = [
        Route(((2, 3), (0,), (1, 4), (0, 2), (3,), (1, 2, 3, 4))),
        Route(((2, 3), (0, 1), (1, 4), (0,), (3,), (1, 2))),
    ]
    wanted = torch.stack([net(x, route) for route in routes])
    torch.testing.assert_close(net.forward_many(x, routes), wanted, rtol=1e-10, atol=1e-12)
    assert (wanted[0] - wanted[1]).abs().max() > 1e-3


def test_a_route_does_not_feel_the_others() -> None:
    """Batch statistics are taken per route."""
    net, x, (first, *others) = supernet(), images(), CASES["random"]
    alone = net(x, Route.of(first))
    for company in ([], others, others[:2], [first, first], [arch("000000")]):
        together = net.forward_many(x, Route.many([first, *company]))
        torch.testing.assert_close(together[0], alone, rtol=1e-10, atol=1e-12)
        last = net.forward_many(x, Route.many([*company, first]))[-1]
        torch.testing.assert_close(last, alone, rtol=1e-10, atol=1e-12)


def test_routes_with_weights_are_refused_instead_of_losing_them() -> None:
    soft = Route(((2, 3),) * 6, tuple(torch.tensor([0.3, 0.7]) for _ in range(6)))
    with pytest.raises(ValueError, match="weights"):
        supernet().forward_many(images(), [Route.of(arch("321432")), soft])


def test_in_training_precision() -> None:
    """float32 in the layout of training; the tolerance is that of a different order of sums."""
    net = supernet().float().to(memory_format=torch.channels_last)
    x = images(dtype=torch.float32).to(memory_format=torch.channels_last)
    routes = Route.many(CASES["random"])
    torch.testing.assert_close(
        net.forward_many(x, routes), one_by_one(net, x, routes), rtol=1e-4, atol=1e-5
    )
