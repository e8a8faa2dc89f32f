"""Networks of NAS-Bench-101: against one computed by hand, one by one and many at once."""

from __future__ import annotations

import pytest
import torch
from nb101_cases import (
    SMALL,
    TEXTS,
    arch,
    by_hand,
    drawn,
    first,
    images,
    shaken,
    subspace,
    supernet,
    with_sharing,
)
from torch import nn

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_stand_alone, build_supernet
from engine.networks.norm import Norm
from engine.spaces.nb101 import NB101_SPACE
from engine.spec.network import NetworkSpec, NormSpec

CELLS = [*map(arch, TEXTS), *drawn(6)]
TWO = SMALL.model_copy(update={"cells": 2, "norm": NormSpec(affine=False)})


def gradients(net: SuperNet) -> dict[str, torch.Tensor | None]:
    """Return copies of all gradients and forget them."""
    found = {n: None if p.grad is None else p.grad.clone() for n, p in net.named_parameters()}
    net.zero_grad(set_to_none=True)
    return found


def compare(net: SuperNet, one: Architecture, renumbered: bool = False) -> None:
    """Hold logits and gradients of a path against those of the network by hand."""
    x = images()
    given = net(x, Route.of(one))
    wanted = by_hand(net, one, x, renumbered=renumbered)
    torch.testing.assert_close(given, wanted)
    results = []
    for logits in (given, wanted):
        (logits * torch.linspace(-1, 1, logits.numel()).view_as(logits)).sum().backward()
        results.append(gradients(net))
    for name, gradient in results[0].items():
        # By hand, too, a parameter that is not used has no gradient.
        assert (gradient is None) == (results[1][name] is None), name
        if gradient is not None:
            torch.testing.assert_close(gradient, results[1][name], msg=name)


@pytest.mark.parametrize("network", [SMALL, TWO])
def test_a_path_is_the_network_by_hand(network: NetworkSpec) -> None:
    net = supernet(network)
    for one in CELLS:
        compare(net, one)


def test_a_stand_alone_network_is_the_network_by_hand() -> None:
    for one in CELLS:
        net = shaken(build_stand_alone(one, SMALL, 0))
        compare(net, one, renumbered=True)
        assert all(parameter.numel() for parameter in net.parameters())
        count = sum(parameter.numel() for parameter in net.parameters())
        assert count == NB101_SPACE.cost(one, SMALL).params


def test_operations_are_those_counted() -> None:
    """FLOPs against what modules of the built network compute, hooked one by one."""
    for one in CELLS:
        net, total = build_stand_alone(one, SMALL, 0), [0]

        def count(module: nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
            window = 9 if type(module).__name__ == "MaxPool" else 4
            if isinstance(module, nn.Conv2d):
                # Multiply-adds, normalisation with scale and shift, ReLU.
                total[0] += out.numel() * (module.weight[0].numel() + 3)  # noqa: B023
            elif isinstance(module, nn.Linear):
                total[0] += module.weight.numel()  # noqa: B023
            else:
                total[0] += out.numel() * window  # noqa: B023

        for module in net.modules():
            pools = type(module).__name__ in ("MaxPool", "MaxPool2d")
            if pools or isinstance(module, nn.Conv2d | nn.Linear):
                module.register_forward_hook(count)
        net(images(1).float(), Route.of(one))
        assert total[0] == NB101_SPACE.cost(one, SMALL).flops


def test_a_stand_alone_network_has_slices_of_the_super_net() -> None:
    """Where no vertex is dead, names and places agree, so that a path is the network itself."""
    net = supernet()
    for text in ("conv1x1(0);conv3x3(1);maxpool3x3(0,2);output(0,1,2,3)", "output(0)"):
        one = arch(text)
        alone = build_stand_alone(one, SMALL, 0).double()
        state = net.state_dict()
        with torch.no_grad():
            for name, value in alone.state_dict().items():
                if name in state:
                    value.copy_(first(state[name], *value.shape))
        route = Route.of(one)
        torch.testing.assert_close(net(images(), route), alone(images(), route))


@pytest.mark.parametrize(
    "network",
    [
        SMALL,
        TWO,
        with_sharing(dynamic_channels="interpolate"),
        with_sharing(dynamic_channels="shuffle"),
        with_sharing(edge_norms=True),
        with_sharing(ofa_kernel=True),
    ],
    ids=["plain", "two cells", "interpolate", "shuffle", "edge norms", "ofa kernel"],
)
def test_many_at_once_are_each_by_itself(network: NetworkSpec) -> None:
    net = supernet(network)
    cells = [*CELLS, *drawn(8, seed=1), CELLS[3]]
    routes = Route.many(cells)
    many, single = net.forward_many(images(), routes), [net(images(), one) for one in routes]
    torch.testing.assert_close(many, torch.stack(single))
    weight = torch.linspace(-1, 1, many.numel()).view_as(many)
    (many * weight).sum().backward()
    together = gradients(net)
    (torch.stack(single) * weight).sum().backward()
    for name, gradient in gradients(net).items():
        assert (gradient is None) == (together[name] is None)
        if gradient is not None:
            torch.testing.assert_close(together[name], gradient, msg=name)


def test_equal_histories_are_computed_once() -> None:
    """Seven paths share the first vertex; it runs once, and the projection of each width, too."""
    net = supernet()
    shared = [
        arch(f"conv3x3(0);{operation}({read});output(2)")
        for operation in ("conv1x1", "conv3x3", "maxpool3x3")
        for read in ("1", "0,1")
    ]
    cell = net.trunk.layers[0]
    calls: dict[str, list[int]] = {}
    for name, module in cell.named_modules():
        if isinstance(module, nn.Conv2d):

            def note(module: nn.Module, given: tuple[torch.Tensor, int], out: torch.Tensor,
                     name: str = name) -> None:  # fmt: skip
                calls.setdefault(name, []).append(len(given[0]) // 4)

            module.register_forward_hook(note)
    net.forward_many(images(), Route.many(shared))
    assert calls == {
        "vertices.1.projection.conv": [1],
        "vertices.1.operations.0.conv": [1],
        "vertices.2.projection.conv": [1],
        "vertices.2.operations.0.conv": [2],
        "vertices.2.operations.1.conv": [2],
    }


def test_dead_vertices_are_never_computed() -> None:
    net = supernet()
    one = arch("conv3x3();conv1x1(0);conv3x3(2);maxpool3x3(1);conv1x1(0);output(3)")
    net(images(), Route.of(one)).sum().backward()
    used = {name for name, gradient in gradients(net).items() if gradient is not None}
    inside = {name.split(".", 3)[3] for name in used if name.startswith("trunk.layers.0.")}
    assert {name.removesuffix(".conv.weight") for name in inside if "conv" in name} == {
        "vertices.2.projection", "vertices.2.operations.1", "vertices.3.operations.0"
    }  # fmt: skip
    alone = build_stand_alone(one, SMALL, 0)
    names = {name for name, _ in alone.trunk.layers[0].named_modules() if name.count(".") == 1}
    assert names == {"vertices.1", "vertices.2"}


def test_statistics_of_paths_move_their_channels_only() -> None:
    norm = NormSpec(statistics="moving", momentum=0.5)
    net = supernet(with_sharing(norm))
    before = {name: value.clone() for name, value in net.named_buffers()}
    one = arch("conv3x3(0);conv3x3(0);output(1,2)")  # 7 channels are 4 and 3
    with net.policy.tracking():
        net(images(), Route.of(one))
    moved = {
        name: (value != before[name]).nonzero().flatten().tolist()
        for name, value in net.named_buffers()
        if name.startswith("trunk.layers.0") and not torch.equal(value, before[name])
    }
    for kind in ("projection.norm", "operations.0.norm"):
        for average in ("running_mean", "running_var"):
            prefix = "trunk.layers.0.vertices"
            assert moved.pop(f"{prefix}.1.{kind}.{average}") == [0, 1, 2, 3]
            assert moved.pop(f"{prefix}.2.{kind}.{average}") == [0, 1, 2]
    assert not moved
    after = {name: value.clone() for name, value in net.named_buffers()}
    with net.probing():
        net.forward_many(images(), Route.many(CELLS))
    assert all(torch.equal(value, after[name]) for name, value in net.named_buffers())


@pytest.mark.parametrize("output_edges", [1, 2, 3, 4])
def test_a_subspace_with_fixed_output_edges_cuts_nothing(output_edges: int) -> None:
    """000 §6.4.5: all paths use whole parameters, whatever the policy for cutting is."""
    space = subspace(7, output_edges)
    network = NetworkSpec(channels=12, cells=1, classes=3, input_channels=2, resolution=5)
    results = []
    for name in ("fixed", "shuffle", "interpolate"):
        spec = network.model_copy(update={"sharing": with_sharing(dynamic_channels=name).sharing})
        net = build_supernet(space, spec, 0)
        x = images().float()
        with net.policy.tracking():
            results.append([net(x, Route.of(one)) for one in drawn(4, space=space)])
        norms = [m for m in net.trunk.layers[0].vertices.modules() if isinstance(m, Norm)]
        assert {len(norm.weight) for norm in norms} == {12 // output_edges}
        for one in drawn(4, space=space):
            net.zero_grad(set_to_none=True)
            net(x, Route.of(one)).square().sum().backward()
            used = [p.grad for p in net.parameters() if p.grad is not None]
            assert all((gradient.flatten(1) if gradient.ndim > 1 else gradient[:, None])
                       .abs().sum(1).count_nonzero() > 0 for gradient in used)  # fmt: skip
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))


def test_other_routes_are_refused() -> None:
    net = build_supernet("nb101", SMALL, 0)
    one = Route.of(CELLS[3])
    soft = Route(one.active, tuple(torch.ones(1) for _ in one.active))
    for wrong, words in (
        (soft, "without weights"),
        (Route(((0, 1), *one.active[1:])), "one option per choice"),
        (Route(((0,),) * 26), "no path"),
    ):
        with pytest.raises(ValueError, match=words):
            net(images().float(), wrong)
    alone = build_stand_alone(CELLS[3], SMALL, 0)
    with pytest.raises(ValueError, match="its route only"):
        alone(images().float(), Route.of(CELLS[4]))
    small = subspace(4)
    cell = drawn(1, space=small)[0]
    assert build_stand_alone(cell, SMALL, 0, small)(images().float(), Route.of(cell)).shape == (
        4,
        3,
    )
