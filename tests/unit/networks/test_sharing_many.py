"""Under every sharing factor, many routes in one pass are one route after another."""

from __future__ import annotations

import pytest
import torch
from sharing_cases import FACTORS, SPACES, drawn, images, supernet
from torch import Tensor

from engine.networks import Route, SuperNet
from engine.networks.touched import take_untouched


def results(net: SuperNet, routes: list[Route], many: bool) -> dict[str, Tensor | None]:
    """Return logits and every gradient of a loss that treats the routes differently."""
    net.zero_grad(set_to_none=True)
    x = images().requires_grad_()
    out = net.forward_many(x, routes) if many else torch.stack([net(x, r) for r in routes])
    factors = torch.arange(1.0, len(routes) + 1, dtype=torch.float64)[:, None, None]
    (factors * out.square()).sum().backward()
    found = {name: value.grad for name, value in net.named_parameters()}
    return {**found, "logits": out.detach(), "images": x.grad}


@pytest.mark.parametrize("case", FACTORS)
@pytest.mark.parametrize("space", SPACES)
def test_values_and_all_gradients_are_equal(space: str, case: str) -> None:
    net = supernet(space, FACTORS[case])
    some = drawn(space, 4)
    routes = Route.many([*some, some[1]])
    wanted, found = results(net, routes, many=False), results(net, routes, many=True)
    for name, value in wanted.items():
        other = found[name]
        assert (value is None) == (other is None), f"{name}: none and zero are not the same"
        if value is not None:
            torch.testing.assert_close(other, value, rtol=1e-7, atol=1e-9, msg=name)


def test_recomputed_operations_have_the_same_gradients_and_notes() -> None:
    """All factors and dropout at once; kernels are then made a second time in the way back."""
    found: list[dict[str, Tensor | None]] = []
    for recompute in (False, True):
        net = supernet("darts", {**FACTORS["all"], "path_dropout": 0.3, "global_dropout": 0.3})
        net.recompute(recompute)
        torch.manual_seed(0)
        with net.policy.tracking():
            out = net(images(), Route.of(drawn("darts", 1)[0]))
        out.square().sum().backward()
        masks = {f"{n} untouched": take_untouched(p) for n, p in net.named_parameters()}
        found.append({n: p.grad for n, p in net.named_parameters()} | masks)
    assert any(value is not None for name, value in found[0].items() if "untouched" in name)
    for name, value in found[0].items():
        other = found[1][name]
        assert (value is None) == (other is None), name
        if value is not None:
            torch.testing.assert_close(other, value, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("space", SPACES)
def test_routes_with_factors_of_what_passes_by_are_no_plain_sums(space: str) -> None:
    net, route = supernet(space, FACTORS["partial"]), Route.of(drawn(space, 1)[0])
    weighted = Route(route.active, None, (torch.ones(()),) * len(route.active))
    with pytest.raises(ValueError, match="without weights"):
        net.forward_many(images(), [weighted, weighted])
