"""The DARTS network: sizes, hard and soft routes, many at once, drop-path, auxiliary head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_stand_alone, build_supernet
from engine.networks.darts import DartsNetwork, build_darts, edge_route
from engine.networks.drop_path import DropPath
from engine.networks.norm import NormPolicy
from engine.networks.ops import OPS
from engine.spaces.darts import DARTS_SPACE as SPACE
from engine.spaces.darts_cells import EDGES, OPERATIONS, inputs_used
from engine.spaces.darts_cost import CountedCell, network_cost
from engine.spec.network import NetworkSpec, NormSpec

torch.set_num_threads(1)
SMALL = NetworkSpec(channels=2, cells=5, classes=3, input_channels=2, resolution=9)


def drawn(count: int, seed: int = 0, sparse: float = 0.0) -> list[Architecture]:
    """Sample architectures; `sparse` is the share of operations that become `none`."""
    rng = np.random.default_rng(seed)
    return [
        Architecture.of(
            "darts",
            [
                0 if choice.kind == "op" and rng.random() < sparse else index
                for choice, index in zip(SPACE.choices, SPACE.sample(rng).indices, strict=True)
            ],
        )
        for _ in range(count)
    ]


ONES = [*drawn(4), *drawn(8, 1, sparse=0.6), *drawn(1, 2, sparse=1.0)]


def images(count: int = 4, side: int = 9) -> Tensor:
    source = torch.Generator().manual_seed(0)
    return torch.randn(count, 2, side, side, generator=source, dtype=torch.float64)


@torch.no_grad()
def shaken(net: SuperNet) -> SuperNet:
    """Return the network in float64 with scales and shifts of their own."""
    source = torch.Generator().manual_seed(1)
    net = net.double()
    for value in net.parameters():
        if value.ndim == 1:
            value += 0.3 * torch.randn(value.shape, generator=source, dtype=torch.float64)
    return net


def gradients(net: nn.Module) -> dict[str, Tensor | None]:
    found = {name: value.grad for name, value in net.named_parameters()}
    net.zero_grad(set_to_none=True)
    return found


# -- sizes -------------------------------------------------------------------------------------
def multiply_adds(net: SuperNet, route: Route, x: Tensor) -> int:
    """Count what the convolutions and the classifier do on one image."""
    total = 0

    def count(module: nn.Module, _: object, out: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += module.weight[0].numel() * out[0].numel()
        else:
            total += module.weight.numel() + module.bias.numel()

    kinds = (nn.Conv2d, nn.Linear)
    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, kinds)]
    net(x, route)
    for hook in hooks:
        hook.remove()
    return total


@pytest.mark.parametrize("cells", [1, 2, 3, 5, 8])
def test_costs_are_those_of_the_built_network(cells: int) -> None:
    for affine in (True, False):
        spec = SMALL.model_copy(update={"cells": cells, "norm": NormSpec(affine=affine)})
        for one in ONES:
            net = build_stand_alone(one, spec, 0)
            cost = SPACE.cost(one, spec)
            assert cost.params == sum(value.numel() for value in net.parameters())
            x = images(2).float()
            assert cost.flops == multiply_adds(net, Route.of(one), x)
            net(x, Route.of(one)).sum().backward()
            idle = [name for name, value in gradients(net).items() if value is None]
            assert all(name.startswith("stem.") for name in idle), idle


@pytest.mark.parametrize(
    "name", ["sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "dil_conv_5x5", "conv_7x1_1x7"]
)
@pytest.mark.parametrize("side", [7, 8])
def test_operations_cost_what_is_counted_and_halve_the_image(name: str, side: int) -> None:
    op = OPS[name](4, 4, 2, NormPolicy())
    assert op.body(torch.randn(2, 4, side, side)).shape == (2, 4, 4, 4)
    params = sum(value.numel() for value in op.parameters())
    bare, both = (CountedCell(edges, 4, frozenset()) for edges in ((), ((name, 2),)))
    spec = NetworkSpec(channels=2, cells=1)
    assert params == network_cost(bare, both, spec).params - network_cost(bare, bare, spec).params


# -- routes ------------------------------------------------------------------------------------
def test_many_at_once_are_one_by_one_with_all_gradients() -> None:
    net, x = shaken(build_supernet("darts", SMALL, 0)), images()
    routes = Route.many([*ONES, ONES[0]])
    factors = torch.arange(1.0, len(routes) + 1, dtype=torch.float64)[:, None, None]
    results = []
    for run in (
        lambda x: torch.stack([net(x, route) for route in routes]),
        lambda x: net.forward_many(x, routes),
    ):
        given = x.clone().requires_grad_()
        out = run(given)
        (factors * out.square()).sum().backward()
        results.append((out.detach(), gradients(net) | {"images": given.grad}))
    (wanted, wanted_gradients), (found, found_gradients) = results
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-11)
    for name, value in wanted_gradients.items():
        assert (value is None) == (found_gradients[name] is None), name
        if value is not None:
            other = found_gradients[name]
            torch.testing.assert_close(other, value, rtol=1e-7, atol=1e-9, msg=name)


def norm(x: Tensor, module: nn.Module) -> Tensor:
    return F.batch_norm(x, None, None, module.weight, module.bias, training=True)


def by_hand(net: SuperNet, x: Tensor, weights: Tensor) -> Tensor:
    """Compute a mixture of all operations on all edges from the modules' tensors.

    Args:
        net: a super-net.
        x: images.
        weights: (28, 8).
    """
    s0 = s1 = norm(net.stem.conv(x), net.stem.norm)
    for layer, cell in enumerate(net.trunk.cells.values()):
        kind = int(layer in net.trunk.reducing)
        nodes = []
        for place, s in enumerate((s0, s1)):
            pre = cell.preprocess[str(place)]
            h = torch.relu(s)
            if hasattr(pre, "odd"):
                grid = F.pad(h, (0, 1, 0, 1))[:, :, 1:, 1:]
                h = torch.cat([pre.even(h), pre.odd(grid)[:, :, : -(-h.shape[2] // 2)]], 1)
            else:
                h = pre.conv(h)
            nodes.append(norm(h, pre.norm))
        for target in range(2, 6):
            total = 0
            for edge, (source, end) in enumerate(EDGES):
                if end == target:
                    stride = 2 if kind and source < 2 else 1
                    ops = cell.dag.edges[edge]
                    for option, name in list(enumerate(OPERATIONS))[1:]:
                        out = _operation(ops[str(option)], name, nodes[source], stride)
                        total = total + weights[14 * kind + edge, option] * out
            nodes.append(total)
        s0, s1 = s1, torch.cat(nodes[2:], 1)
    return net.head.classifier(s1.mean((2, 3)))


def _operation(op: nn.Module, name: str, x: Tensor, stride: int) -> Tensor:
    h = torch.relu(x)
    if name == "max_pool_3x3":
        padded = F.pad(x, (1, 1, 1, 1), value=float("-inf"))
        return norm(padded.unfold(2, 3, stride).unfold(3, 3, stride).amax((4, 5)), op.norm)
    if name == "avg_pool_3x3":
        return norm(nn.AvgPool2d(3, stride, 1, count_include_pad=False)(x), op.norm)
    if name == "skip_connect":
        if stride == 1:
            return x
        grid = F.pad(h, (0, 1, 0, 1))[:, :, 1:, 1:]
        size = -(-h.shape[2] // 2)
        return norm(torch.cat([op.even(h), op.odd(grid)[:, :, :size, :size]], 1), op.norm)
    size = int(name[-1])
    width = x.shape[1]
    if name.startswith("dil"):
        h = F.conv2d(h, op.depthwise.weight, None, stride, size - 1, 2, width)
        return norm(op.pointwise(h), op.norm)
    h = F.conv2d(h, op.depthwise_1.weight, None, stride, size // 2, 1, width)
    h = torch.relu(norm(op.pointwise_1(h), op.norm_1))
    h = F.conv2d(h, op.depthwise_2.weight, None, 1, size // 2, 1, width)
    return norm(op.pointwise_2(h), op.norm)


def test_dense_mixtures_and_hard_routes_against_the_network_by_hand() -> None:
    spec = SMALL.model_copy(update={"cells": 3, "resolution": 8})
    net, x = shaken(build_supernet("darts", spec, 0)), images(3, 8)
    source = torch.Generator().manual_seed(2)
    values = torch.randn(28, 8, generator=source, dtype=torch.float64).softmax(1)
    results = []
    for run in (
        lambda w: net(x, Route((tuple(range(8)),) * 28, tuple(w))),
        lambda w: by_hand(net, x, w),
    ):
        w = values.clone().requires_grad_()
        out = run(w)
        out.square().sum().backward()
        results.append((out, gradients(net) | {"weights": w.grad}))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-9, atol=1e-11)
    for name, value in results[1][1].items():
        found = results[0][1][name]
        torch.testing.assert_close(found, value, rtol=1e-7, atol=1e-9, msg=name)
    assert (results[0][1]["weights"][:, 1:] != 0).all()
    for one in drawn(3, 5):
        dense = torch.zeros(28, 8, dtype=torch.float64)
        for edge, active in enumerate(edge_route(Route.of(one)).active):
            dense[edge, list(active)] = 1.0
        torch.testing.assert_close(net(x, Route.of(one)), by_hand(net, x, dense))


def test_routes_of_another_form_are_refused() -> None:
    route = Route.of(ONES[0])
    assert edge_route(edge_route(route)).active == edge_route(route).active
    for wrong in (
        Route(route.active[:-1]),
        Route(((0, 1), *route.active[1:])),
        Route(route.active, (None,) * 22),
    ):
        with pytest.raises(ValueError, match="darts"):
            edge_route(wrong)


def test_what_no_one_reads_is_neither_built_nor_computed() -> None:
    # Both cells read the cell before the last only: layers 1 and 3 of five are idle.
    cell = [("sep_conv_3x3", 0), ("none", 1)] * 4
    concat = "_concat=range(2, 6)"
    one = SPACE.parse(f"Genotype(normal={cell}, normal{concat}, reduce={cell}, reduce{concat})")
    assert [inputs_used(cell) for cell in SPACE.edges(one)] == [{0}, {0}]
    assert list(build_stand_alone(one, SMALL, 0).trunk.cells) == ["0", "2", "4"]
    x = images().float()
    for many in (False, True):
        net = build_supernet("darts", SMALL, 0)
        out = net.forward_many(x, Route.many([one, one])) if many else net(x, Route.of(one))
        out.sum().backward()
        touched = {n.split(".")[2] for n, g in gradients(net).items() if g is not None}
        assert {"0", "2", "4"} <= touched and not touched & {"1", "3"}


# -- what DARTS adds in stand-alone training ---------------------------------------------------
def alone(auxiliary: bool = False, side: int = 9) -> DartsNetwork:
    spec = SMALL.model_copy(update={"resolution": side})
    torch.manual_seed(0)
    return build_darts(SPACE, spec, NormPolicy.stand_alone(spec.norm), ONES[0], auxiliary)


@pytest.mark.parametrize("side", [4, 9, 28, 32])
def test_auxiliary_head(side: int) -> None:
    net = alone(True, side)
    x, route = images(3, side).float(), Route.of(ONES[0])
    logits, auxiliary = net.forward_with_auxiliary(x, route)
    torch.testing.assert_close(logits, net(x, route))
    assert auxiliary.shape == logits.shape == (3, 3)
    auxiliary.sum().backward()
    reached = {
        n.split(".")[2] for n, g in gradients(net).items() if g is not None and "cells" in n
    }
    assert reached == {"0", "1", "2", "3"}, "it hangs behind the second reduction"
    with pytest.raises(ValueError, match="without an auxiliary head"):
        alone().forward_with_auxiliary(x, route)


def test_drop_path_acts_in_training_passes_only_and_spares_identities() -> None:
    net, plain = alone(), alone()
    net.drop_path.probability = 0.5
    x, route = images().float(), Route.of(ONES[0])
    torch.testing.assert_close(net.eval()(x, route), plain(x, route))
    torch.testing.assert_close(net.train()(x, route), plain(x, route))
    with net.policy.tracking():
        net.drop_path.generator = torch.Generator().manual_seed(0)
        first = net(x, route)
        assert not torch.allclose(first, plain(x, route))
        net.drop_path.generator = torch.Generator().manual_seed(0)
        assert torch.equal(first, net(x, route))
        net.drop_path.probability = 0.0
        torch.testing.assert_close(net(x, route), plain(x, route))


def test_drop_path_keeps_the_expectation() -> None:
    drop = DropPath(0.25, torch.Generator().manual_seed(0))
    out = drop(torch.ones(20_000, 1, 2, 2))
    assert out.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert (out == out[:, :, :1, :1]).all(), "whole images"
    assert out.mean().item() == pytest.approx(1.0, abs=0.02)
