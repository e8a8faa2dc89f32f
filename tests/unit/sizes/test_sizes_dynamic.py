"""Other ways of cutting narrow layers in the size space: shuffled and interpolated channels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from sizes_cases import SMALL, drawn, images, routes, size, supernet
from torch import Tensor
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_stand_alone
from engine.spec.network import NetworkSpec, SharingSpec

ONES = ["8:8:8:8:8", "64:64:64:64:64", "8:16:16:40:40", "24:8:64:8:8"]


def with_channels(name: str) -> NetworkSpec:
    sharing = SharingSpec.model_validate({"dynamic_channels": name})
    return SMALL.model_copy(update={"sharing": sharing})


def cut_out(
    net: SuperNet, one: Architecture, narrower: Callable[[Tensor, int, int], Tensor]
) -> SuperNet:
    """Build a stand-alone network with the super-net's values.

    Args:
        net: the super-net.
        one: the architecture.
        narrower: makes one dimension of a tensor narrower.
    """
    alone = build_stand_alone(one, SMALL, 0)
    values = net.state_dict()
    with torch.no_grad():
        for name, value in alone.state_dict().items():
            if name in values:  # there are no moving averages in this super-net
                found = values[name]
                for dimension in range(min(value.ndim, 2)):
                    found = narrower(found, dimension, value.shape[dimension])
                value.copy_(found)
    return alone


def averaged(values: Tensor, dimension: int, width: int) -> Tensor:
    last = values.movedim(dimension, -1)
    flat = F.adaptive_avg_pool1d(last.reshape(-1, 1, last.shape[-1]), width)
    return flat.view(*last.shape[:-1], width).movedim(-1, dimension)


def test_interpolated_routes_are_networks_of_averaged_layers() -> None:
    net = supernet(with_channels("interpolate"))
    for one in [*map(size, ONES), *drawn(4)]:
        alone, route = cut_out(net, one, averaged), Route.of(one)
        wanted = alone(images(), route)
        torch.testing.assert_close(net(images(), route), wanted, rtol=1e-4, atol=1e-4)


def test_shuffled_routes_are_networks_of_chosen_channels() -> None:
    """One order for all layers, since all have the same largest width."""
    net = supernet(with_channels("shuffle"))
    for number, one in enumerate([*map(size, ONES), *drawn(4)]):
        torch.manual_seed(number)
        with net.policy.tracking():
            given = net(images(), Route.of(one))
        torch.manual_seed(number)
        order = torch.randperm(16)

        def chosen(values: Tensor, dimension: int, width: int) -> Tensor:
            if width == values.shape[dimension]:
                return values
            return values.index_select(dimension, order[:width])  # noqa: B023

        wanted = cut_out(net, one, chosen)(images(), Route.of(one))
        torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["shuffle", "interpolate"])
def test_many_routes_are_as_many_single_ones(name: str) -> None:
    net, some = supernet(with_channels(name)), routes([*drawn(8), *map(size, ONES)])
    given = net.forward_many(images(), some)
    torch.testing.assert_close(given, torch.stack([net(images(), one) for one in some]))
    with net.policy.tracking():
        torch.manual_seed(1)
        many = net.forward_many(images(), some)
        torch.manual_seed(1)
        single = torch.stack([net(images(), one) for one in some])
    torch.testing.assert_close(many, single)


def test_evaluation_takes_the_first_channels_of_shuffled_layers() -> None:
    shuffled, fixed = supernet(with_channels("shuffle")), supernet()
    state = torch.get_rng_state()
    for one in routes(drawn(4)):
        assert torch.equal(shuffled(images(), one), fixed(images(), one))
    assert torch.equal(torch.get_rng_state(), state)
