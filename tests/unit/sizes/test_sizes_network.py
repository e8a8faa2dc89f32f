"""Networks of the size space: counts, shared slices, one channel policy, many routes at once."""

from __future__ import annotations

import copy

import pytest
import torch
from sizes_cases import MOVING, SMALL, drawn, gradients, images, routes, size, supernet
from torch import nn

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_stand_alone
from engine.networks.channels import FixedChunk
from engine.networks.norm import Norm, NormPolicy
from engine.networks.widths import NormSlice, WidthConv
from engine.spaces.nats_size import NATS_SIZE_SPACE, widths_of
from engine.spec.network import NetworkSpec, NormSpec

EQUAL = ["8:8:8:8:8", "64:64:64:64:64", "8:16:16:40:40", "24:8:64:8:8", "32:32:24:24:16"]


def corner(largest: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return the first entries of every dimension."""
    return largest[tuple(slice(0, count) for count in like.shape)]


def cut_out(net: SuperNet, architecture: Architecture, network: NetworkSpec) -> SuperNet:
    """Build a stand-alone network with the super-net's values, cut independently of its code."""
    alone = build_stand_alone(architecture, network, 0)
    values, ours = net.state_dict(), alone.state_dict()
    with torch.no_grad():
        for name, value in ours.items():
            if name in values:
                value.copy_(corner(values[name], value))
    return alone


@pytest.mark.parametrize("affine", [True, False])
def test_costs_are_those_of_the_built_network(affine: bool) -> None:
    network = NetworkSpec(channels=5, classes=7, resolution=11, norm=NormSpec(affine=affine))
    for one in [*map(size, EQUAL), *drawn(12)]:
        net = build_stand_alone(one, network, 0)
        counted = [0]

        def count(module: nn.Module, given: tuple[torch.Tensor, int], out: torch.Tensor) -> None:
            kernel = module.kernel_size[0] ** 2
            counted[0] += kernel * given[0].shape[1] * out[0].numel()  # noqa: B023

        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(count)
        logits = net(images(network, 2), Route.of(one))
        assert logits.shape == (2, 7)
        cost = NATS_SIZE_SPACE.cost(one, network)
        assert sum(p.numel() for p in net.parameters()) == cost.params
        assert counted[0] + net.head.classifier.weight.numel() + 7 == cost.flops


def test_a_route_is_the_stand_alone_network_of_its_widths() -> None:
    net = supernet()
    for one in [*map(size, EQUAL), *drawn(10)]:
        alone = cut_out(net, one, SMALL)
        route = Route.of(one)
        given, wanted = net(images(), route), alone(images(), route)
        torch.testing.assert_close(given, wanted)
        given.square().sum().backward()
        wanted.square().sum().backward()
        found = gradients(net)
        for name, gradient in gradients(alone).items():
            torch.testing.assert_close(corner(found[name], gradient), gradient, msg=name)


def test_what_lies_beyond_the_widths_changes_nothing_and_gets_no_gradient() -> None:
    net, one = supernet(MOVING), size("16:24:8:64:40")
    alone = build_stand_alone(one, MOVING, 0).state_dict()
    beyond = {name: torch.ones_like(value) for name, value in net.state_dict().items()}
    for name, mask in beyond.items():
        if name in alone:
            corner(mask, alone[name]).zero_()
    assert sum(int(mask.sum()) for mask in beyond.values()) > 10_000
    route = Route.of(one)

    def outputs() -> list[torch.Tensor]:
        with net.policy.moving():
            moving = net(images(), route)
        return [net(images(), route), moving]

    before = outputs()
    assert not torch.allclose(before[0], before[1])
    before[0].square().sum().backward()
    for name, gradient in gradients(net).items():
        if gradient is not None:
            assert not gradient[beyond[name].bool()].any(), name
            assert gradient[~beyond[name].bool()].any(), name
    with torch.no_grad():
        for name, value in net.state_dict().items():
            value += 100 * beyond[name]
    assert all(torch.equal(a, b) for a, b in zip(outputs(), before, strict=True))
    # The opposite: what lies within does matter.
    with torch.no_grad():
        net.trunk.layers[3].first.conv.weight[63 // 4, 1] += 1
    assert not torch.allclose(outputs()[0], before[0])


def test_moving_averages_of_the_used_channels_move_and_no_others() -> None:
    net, one = supernet(MOVING), size("16:24:8:8:40")
    alone, route = cut_out(net, one, MOVING), Route.of(one)
    start = copy.deepcopy(net.state_dict())
    for step in range(3):
        for each in (net, alone):
            with each.policy.tracking(), torch.no_grad():
                each(images(seed=step), route)
    wanted, seen = alone.state_dict(), 0
    for name, value in net.state_dict().items():
        if "running" not in name:
            assert torch.equal(value, start[name])
        elif name not in wanted:
            # The projection of the fourth layer's width to an equal one is not there.
            assert torch.equal(value, start[name])
        else:
            width = len(wanted[name])
            torch.testing.assert_close(value[:width], wanted[name])
            assert torch.equal(value[width:], start[name][width:])
            assert not torch.equal(value[:width], start[name][:width])
            seen += 1
    assert seen == 2 * (1 + 5 + 2 + 6 + 2 + 6 + 1)
    assert "trunk.layers.0.edge_0_3.norm.running_mean" not in start


@pytest.mark.parametrize("network", [SMALL, MOVING])
def test_many_routes_are_as_many_single_ones(network: NetworkSpec) -> None:
    net = supernet(network)
    some = [*drawn(12), *map(size, EQUAL), size("8:64:24:16:32"), size("8:64:24:16:40")]
    some += [some[0], some[3]]
    weight = torch.randn(len(some), 6, 5, generator=torch.Generator().manual_seed(4))
    with net.policy.moving(network is MOVING):
        (net.forward_many(images(network), routes(some)) * weight).sum().backward()
        together = gradients(net)
        given = net.forward_many(images(network), routes(some))
        for route, one in enumerate(routes(some)):
            wanted = net(images(network), one)
            torch.testing.assert_close(given[route], wanted)
            (wanted * weight[route]).sum().backward()
    for name, gradient in gradients(net).items():
        torch.testing.assert_close(together[name], gradient, rtol=1e-4, atol=1e-4, msg=name)


def test_many_routes_share_what_they_have_in_common() -> None:
    net = supernet()
    rows: dict[int, list[int]] = {}
    for number, layer in enumerate(net.trunk.layers):
        rows[number] = []
        layer.register_forward_hook(
            lambda module, given, out, number=number: rows[number].append(len(out) // 6)
        )
    texts = ["8:8:8:8:8", "8:8:8:8:16", "8:8:8:16:16", "8:16:8:8:8", "16:16:8:8:8"]
    net.forward_many(images(), [Route.of(size(text)) for text in texts])
    # Per layer: how many histories each call computed.
    assert {number: sorted(found) for number, found in rows.items()} == {
        0: [1, 1],  # 8->8, 16->16
        1: [1, 1, 1],  # 8->8, 8->16, 16->16
        2: [1, 2],  # 8->8, 16->8
        3: [1, 3],  # 8->16, 8->8
        4: [1, 1, 3],  # 16->16, 8->16, 8->8
    }


def test_mixtures_without_all_weights_are_refused() -> None:
    net, one = supernet(), drawn(1)[0]
    hard = Route.of(one)
    weighted = Route(hard.active, (torch.ones(1),) + (None,) * 4)
    double = Route(((0, 1), *hard.active[1:]))
    for route, said in ((weighted, "weights in every layer"), (double, "one width per layer")):
        with pytest.raises(ValueError, match=said):
            net(images(), route)
        with pytest.raises(ValueError, match="one width per layer"):
            net.forward_many(images(), [hard, route])
    alone = build_stand_alone(size("8:8:8:8:8"), SMALL, 0)
    with pytest.raises(ValueError, match="its route only"):
        alone(images(), Route.of(size("8:8:8:8:16")))


def test_the_policy_refuses_widths_that_are_not_there() -> None:
    conv = WidthConv(4, 6, 3, 1, FixedChunk())
    assert conv(torch.zeros(1, 2, 5, 5), 3).shape == (1, 3, 5, 5)
    for channels_in, width in ((5, 3), (2, 7), (2, 0)):
        with pytest.raises(ValueError, match="whose largest are"):
            conv(torch.zeros(1, channels_in, 5, 5), width)
    norm = Norm(4, NormPolicy(keeps_buffers=True))
    with pytest.raises(ValueError, match="whose largest are"):
        NormSlice(norm, 5, FixedChunk())


def test_the_super_net_has_the_largest_widths_of_the_skeleton() -> None:
    net = supernet()
    assert widths_of((7,) * 5, SMALL) == (16,) * 5
    assert net.stem.conv.weight.shape == (16, 1, 3, 3)
    assert net.stem(images()).shape == (6, 16, 9, 9)
    assert net.trunk.layers[4].edge_2_3.conv.weight.shape == (16, 16, 3, 3)
