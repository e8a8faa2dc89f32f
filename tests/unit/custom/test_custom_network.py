"""Networks of user-defined spaces: one set of weights, whatever is defined."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from custom_cases import (
    CELLS,
    EXAMPLES,
    ODD,
    SMALL,
    chains,
    custom,
    definitions,
    drawn,
    images,
    scramble,
    skeleton,
)
from hypothesis import HealthCheck, given, settings

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet, build_stand_alone, build_supernet
from engine.networks.norm import NormPolicy
from engine.networks.ops import OPS
from engine.spaces.custom import CellSpace, CustomSpace
from engine.spec.network import NetworkSpec, SharingSpec

torch.set_num_threads(1)
relaxed = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
SPACES = {**EXAMPLES, **CELLS}


def supernet(space: CustomSpace, network: NetworkSpec) -> SuperNet:
    return scramble(build_supernet(space, network, seed=1))


def cut_out(net: SuperNet, space: CustomSpace, network: NetworkSpec, one: Any) -> SuperNet:
    """Build a stand-alone network with the super-net's values, the first channels of each."""
    alone = build_stand_alone(one, network, 0, space)
    values = net.state_dict()
    with torch.no_grad():
        for name, value in alone.state_dict().items():
            if name in values:
                value.copy_(values[name][tuple(slice(0, count) for count in value.shape)])
    return alone


@given(definitions)
@relaxed
def test_a_route_is_its_stand_alone_network_and_many_run_at_once(
    definition: dict[str, Any],
) -> None:
    space = custom(definition)
    network = skeleton(space, ODD)
    net, x = supernet(space, network), images(network)
    ones = drawn(space, 4)
    logits = net.forward_many(x, Route.many(ones))
    assert logits.shape == (4, 4, network.classes)
    for one, found in zip(ones, logits, strict=True):
        alone = cut_out(net, space, network, one)
        # Batch statistics, so that all blocks of the batch must be kept apart.
        torch.testing.assert_close(alone(x, Route.of(one)), found, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(net(x, Route.of(one)), found, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SPACES)
def test_only_what_a_route_uses_gets_a_gradient(name: str) -> None:
    space = custom(SPACES[name])
    network = skeleton(space)
    for one in drawn(space, 4):
        net = supernet(space, network)
        net(images(network), Route.of(one)).square().sum().backward()
        alone = dict(build_stand_alone(one, network, 0, space).named_parameters())
        reached = {n for n, p in net.named_parameters() if p.grad is not None}
        cut = isinstance(space, CellSpace) and not any(space.live(one))
        # Behind a cell that carries nothing, the images do not matter.
        assert reached == {n for n in alone if not (cut and n.startswith("stem."))}


def soft(net: SuperNet, space: CustomSpace, weights: list[torch.Tensor]) -> Route:
    active = tuple(tuple(range(len(choice.options))) for choice in space.choices)
    return Route(active, tuple(weights))


def fully_used(space: CustomSpace, one: Architecture) -> bool:
    """Tell whether all operations are alive: with weights, a sum of zeros is a value, too."""
    if not isinstance(space, CellSpace):
        return True
    pairs = zip(space.live(one), space.operations(one), strict=True)
    return all(alive or name == "none" for alive, name in pairs)


@pytest.mark.parametrize("name", ["cell", "chain", "joined"])
def test_a_mixture_with_all_weight_on_one_operation_is_that_operation(name: str) -> None:
    space = custom(SPACES[name])
    network = skeleton(space)
    net, x = supernet(space, network), images(network)
    whole = [one for one in drawn(space, 60) if fully_used(space, one)]
    for one in whole[:3]:
        weights = [
            torch.eye(len(choice.options))[index].requires_grad_()
            for choice, index in zip(space.choices, one.indices, strict=True)
        ]
        logits = net(x, soft(net, space, weights))
        torch.testing.assert_close(logits, net(x, Route.of(one)), rtol=1e-4, atol=1e-4)
        logits.square().sum().backward()
        assert any(w.grad is not None and bool((w.grad != 0).any()) for w in weights)
    assert len(whole) > 3


@given(chains())
@relaxed
def test_a_block_adds_up_its_operations_with_their_weights(definition: dict[str, Any]) -> None:
    space = custom({**definition, "blocks": definition["blocks"][:1]})
    network = skeleton(space)
    net = supernet(space, network)
    block = space.blocks[0]  # type: ignore[attr-defined]
    weights = torch.rand(len(block.options), generator=torch.Generator().manual_seed(0))
    source = torch.randn(4, block.before, 8, 8, generator=torch.Generator().manual_seed(1))
    given = [weights] + [torch.ones(len(c.options)) for c in space.choices[1:]]
    route = Route(tuple(tuple(range(len(c.options))) for c in space.choices), tuple(given))
    wanted = 0
    for option, name in enumerate(block.options):
        op = OPS[name](block.before, block.width, block.stride, NormPolicy())
        op.load_state_dict(net.trunk.layers[0].edges[0][str(option)].state_dict())
        out = op.body(torch.relu(source) if op.activated else source)
        wanted = wanted + weights[option] * (out if op.norm is None else op.norm(out))
    found = net.trunk.layers[0](source, route)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_sizes_cannot_be_mixed_and_a_stand_alone_network_has_its_route_only() -> None:
    space = custom(EXAMPLES["sizes"])
    network = skeleton(space)
    first, second = drawn(space, 2)
    net, x = supernet(space, network), images(network)
    wide = Route(((0, 1, 2), *((i,) for i in first.indices[1:])))
    with pytest.raises(ValueError, match="cannot be mixed"):
        net(x, wide)
    with pytest.raises(ValueError, match="its route only"):
        build_stand_alone(first, network, 0, space)(x, Route.of(second))


def test_settled_fields_of_the_skeleton_change_nothing() -> None:
    space = custom(EXAMPLES["chain"])
    one = drawn(space, 1)[0]
    other = SMALL.model_copy(update={"channels": 7, "cells": 3})
    assert space.cost(one, other) == space.cost(one, skeleton(space))
    counts = {
        sum(p.numel() for p in build_supernet(space, network, 0).parameters())
        for network in (other, SMALL)
    }
    assert len(counts) == 1


@pytest.mark.parametrize("name", ["cell", "chain"])
def test_operations_computed_anew_have_the_same_gradients(name: str) -> None:
    space = custom(SPACES[name])
    assert space.recomputes and not custom(CELLS["wide"]).recomputes
    network = skeleton(space)
    deep = next(o for o in drawn(space, 40) if "sep_conv" in space.to_text(o))
    found = []
    for wanted in (False, True):
        net = supernet(space, network)
        net.recompute(wanted)
        net(images(network), Route.of(deep)).square().sum().backward()
        found.append({n: p.grad for n, p in net.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    for key, gradient in found[0].items():
        torch.testing.assert_close(found[1][key], gradient, msg=key)


@pytest.mark.parametrize("name", ["joined", "cell", "chain"])
def test_many_routes_are_one_after_another_under_all_factors(name: str) -> None:
    space = custom(SPACES[name])
    values = {"ofa_kernel": True, "partial_channels": 2, "path_dropout": 0.3}
    sharing = SharingSpec(**{key: values[key] for key in space.factors & set(values)})
    network = skeleton(space).model_copy(update={"sharing": sharing})
    net, x = supernet(space, network), images(network)
    plain = supernet(space, skeleton(space))
    count = [sum(p.numel() for p in one.parameters()) for one in (net, plain)]
    assert count[0] != count[1], "kernels and partial channels change what there is"
    routes = Route.many(drawn(space, 5))
    for route, found in zip(routes, net.forward_many(x, routes), strict=True):
        torch.testing.assert_close(net(x, route), found, rtol=1e-4, atol=1e-4)
    if "partial_channels" in space.factors:
        # What passes by the fixed edges counts as it is.
        passing = tuple(torch.ones(()) for _ in space.choices)
        whole = Route(routes[0].active, None, passing)
        torch.testing.assert_close(net(x, whole), net(x, routes[0]))
    with net.policy.tracking():
        dropped = net(x, routes[0])
    assert torch.equal(dropped, net(x, routes[0])) == ("path_dropout" not in space.factors)


@pytest.mark.parametrize("policy", ["shuffle", "interpolate"])
def test_sizes_are_made_from_the_widest_as_the_factor_says(policy: str) -> None:
    space = custom(EXAMPLES["sizes"])
    sharing = SharingSpec(dynamic_channels=policy)
    network = skeleton(space).model_copy(update={"sharing": sharing})
    net, x = supernet(space, network), images(network)
    fixed = supernet(space, skeleton(space))
    widest = space.encode([choice.options[-1] for choice in space.choices])
    routes = Route.many([widest, *drawn(space, 3)])
    together = net.forward_many(x, routes)
    with net.policy.tracking():
        training = [net(x, route) for route in routes]
    for number, route in enumerate(routes):
        plain = fixed(x, route)
        torch.testing.assert_close(together[number], net(x, route), rtol=1e-4, atol=1e-4)
        same = torch.allclose(training[number], plain, rtol=1e-3, atol=1e-4)
        assert same == (number == 0), "at the largest widths, all three ways are the same"
