"""Operations on nodes, norms per edge, one kernel: which tensors there are, and what they do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sharing_cases import (
    EDGES,
    FACTORS,
    LARGER,
    NODE,
    OFA,
    SPACES,
    WSBN,
    drawn,
    expanded,
    images,
    mixture,
    spec,
    supernet,
)
from torch import Tensor, nn
from torch.func import functional_call

from engine.networks import Route, SuperNet, build_stand_alone, build_supernet
from engine.spec.training import OptimiserSpec
from engine.training.optim import apply_update, make_optimiser

MAPPED = {name: FACTORS[name] for name in ("node", "wsbn", "ofa", "node and ofa")} | {
    "wsbn and ofa": {**WSBN, **OFA}
}


def count(module: nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


# -- what there is -----------------------------------------------------------------------------
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("case", MAPPED)
def test_number_of_parameters_of_nb201(case: str, affine: bool) -> None:
    """Per node or edge: 9 C^2 and C^2 (or a number), and per owner of norms twice 2C."""
    sharing, width = MAPPED[case], 5
    places = 3 if "operations_on" in sharing else 6
    norms = 6 if "edge_norms" in sharing else places
    small = 1 if "ofa_kernel" in sharing else width**2
    made = spec("nb201", sharing, affine=affine).model_copy(update={"channels": width})
    cell = build_supernet("nb201", made, 0).trunk.layers[0]
    assert count(cell) == places * (9 * width**2 + small) + affine * norms * 4 * width


@pytest.mark.parametrize("case", MAPPED)
def test_number_of_parameters_of_darts(case: str) -> None:
    """The first layer is a reduction: of 14 edges, 8 have stride 2 and factorise their skips."""
    sharing, width = MAPPED[case], 4
    node, ofa = "operations_on" in sharing, "ofa_kernel" in sharing
    places, reducing = (4, 4) if node else (14, 8)
    points = 3 * width**2 * (1 if ofa else 2)
    large = 3 * 25 * width
    small = 3 * 81 if ofa else 3 * 9 * width
    convolutions = places * (points + large + small) + reducing * width**2
    norms = (14, 8) if "edge_norms" in sharing or not node else (4, 4)
    scales = norms[0] * 6 * 2 * width + norms[1] * 2 * width
    made = spec("darts", sharing).model_copy(update={"channels": width // 2})
    dag = build_supernet("darts", made, 0).trunk.cells["1"].dag
    assert count(dag) == convolutions + scales


@pytest.mark.parametrize("space", SPACES)
def test_moving_averages_belong_to_whom_the_scales_belong(space: str) -> None:
    def kept(sharing: dict[str, Any]) -> set[str]:
        net = supernet(space, sharing, statistics="moving")
        return {name for name, _ in net.named_buffers()}

    assert kept({}) == kept(WSBN) > kept(NODE)


@pytest.mark.parametrize("space", SPACES)
def test_without_factors_nothing_is_new(space: str) -> None:
    plain = build_supernet(space, spec(space, {}), 0)
    assert {type(m).__module__ for m in plain.modules()}.isdisjoint({"engine.networks.kernels"})
    one = drawn(space, 1)[0]
    states = [
        build_stand_alone(one, spec(space, sharing), 0).state_dict()
        for sharing in ({}, FACTORS["all"])
    ]
    assert states[0].keys() == states[1].keys(), "stand-alone networks share nothing"
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])


@pytest.mark.parametrize("space", SPACES)
def test_a_state_lists_every_tensor_once_and_reads_back(space: str) -> None:
    first, second = (supernet(space, FACTORS["all"], seed) for seed in (0, 1))
    tensors = list(first.state_dict().values())
    assert len({value.data_ptr() for value in tensors}) == len(tensors)
    second.load_state_dict(first.state_dict())
    route = Route.of(drawn(space, 1)[0])
    assert torch.equal(first(images(), route), second(images(), route))


# -- what it computes --------------------------------------------------------------------------
def gradients_of(out: Tensor, parameters: dict[str, Tensor]) -> dict[str, Tensor | None]:
    found = torch.autograd.grad(out.square().sum(), list(parameters.values()), allow_unused=True)
    return dict(zip(parameters, found, strict=True))


@pytest.mark.parametrize("case", MAPPED)
@pytest.mark.parametrize("space", SPACES)
def test_it_is_the_plain_super_net_with_copied_and_projected_weights(
    space: str, case: str
) -> None:
    sharing = MAPPED[case]
    net, plain = supernet(space, sharing), supernet(space, {})
    shared = dict(net.named_parameters())
    for route in [*Route.many(drawn(space, 3, seed=2)), mixture(space)]:
        copies = expanded(space, sharing, shared, [name for name, _ in plain.named_parameters()])
        found = net(images(), route)
        wanted = functional_call(plain, copies, (images(), route))
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)
        pairs = gradients_of(found, shared), gradients_of(wanted, shared)
        for name, value in pairs[1].items():
            other = pairs[0][name]
            assert (value is None) == (other is None), f"{name}: none and zero are not the same"
            if value is not None:
                torch.testing.assert_close(other, value, rtol=1e-7, atol=1e-10, msg=name)


@pytest.mark.parametrize("space", SPACES)
def test_projections_start_as_the_identity(space: str) -> None:
    net = build_supernet(space, spec(space, OFA), 0)
    found = {n: value for n, value in net.named_parameters() if n.endswith(".projection")}
    assert found
    for name, value in found.items():
        assert torch.equal(value, torch.eye(len(value))), name
    options = {int(name.split(".edges.")[1].split(".")[1]) for name in found}
    assert options == set(LARGER[space])


@pytest.mark.parametrize("both", [True, False])
def test_moving_averages_of_a_node_follow_every_edge_that_uses_them(both: bool) -> None:
    """Edges 0->2 and 1->2 take the same 3x3 convolution; its averages are means of both."""
    net = supernet("nb201", NODE if both else WSBN, statistics="recalibrated")
    edges = {(0, 1): 4, (0, 2): 3, (1, 2): 3, (2, 3): 1}
    route = Route(tuple((edges.get(edge, 0),) for edge in EDGES["nb201"]))
    cell = net.trunk.layers[0]
    seen: list[Tensor] = []
    ops = [cell.operation(EDGES["nb201"].index(edge), 3) for edge in ((0, 2), (1, 2))]
    for op in ops:
        op.conv.register_forward_hook(lambda m, x, out: seen.append(out.mean((0, 2, 3))))
    with torch.no_grad(), net.policy.measuring(equally=True):
        for number in (2, 3):
            net(images(number), route)
    means = torch.stack(seen)
    assert len(means) == 4 and not torch.allclose(means[0], means[1])
    for place, op in enumerate(ops):
        wanted = means.mean(0) if both else means[place::2].mean(0)
        torch.testing.assert_close(op.norm.running_mean, wanted)


# -- weights that a step did not use -----------------------------------------------------------
def step(net: SuperNet, optimiser: torch.optim.SGD, *routes: Route) -> dict[str, Tensor]:
    """Do one update; return what each parameter moved by."""
    before = {name: value.detach().clone() for name, value in net.named_parameters()}
    optimiser.zero_grad(set_to_none=True)
    for route in routes:
        net(images(), route).square().sum().backward()
    apply_update(optimiser, None, "frozen")
    return {name: value.detach() - before[name] for name, value in net.named_parameters()}


def test_what_no_sampled_kernel_covers_stays_frozen() -> None:
    """Decay and momentum would move all of a used tensor; the ring of a 3x3 kernel must wait."""
    net = supernet("nb201", OFA)
    optimiser = make_optimiser(net.parameters(), OptimiserSpec(weight_decay=0.1))
    large, small = (Route(((0,),) * 3 + ((option,),) + ((0,),) * 2) for option in (3, 2))
    weight = "trunk.layers.0.edges.3.3.conv.weight"
    matrix = "trunk.layers.0.edges.3.2.conv.projection"
    whole = torch.ones(3, 3, dtype=torch.bool)
    middle = torch.zeros(3, 3, dtype=torch.bool)
    middle[1, 1] = True
    for routes, moved, projected in (
        ((large,), whole, False),
        ((small,), middle, True),
        ((small, large), whole, True),
        ((large, small), whole, True),
    ):
        found = step(net, optimiser, *routes)
        assert torch.equal((found[weight] != 0).all(0).all(0), moved)
        assert torch.equal((found[weight] != 0).any(0).any(0), moved)
        assert bool(found[matrix].any()) == projected


def test_depthwise_kernels_of_a_node_are_frozen_alike() -> None:
    net = supernet("darts", {**NODE, **OFA})
    optimiser = make_optimiser(net.parameters(), OptimiserSpec(weight_decay=0.1))
    # In both cells, only the edge 1->2 carries something: a 3x3 separable convolution.
    edges = [((4,) if edge == (1, 2) else ()) for edge in EDGES["darts"]]
    found = step(net, optimiser, Route(tuple(edges) * 2))
    moved = (found["trunk.cells.2.dag.edges.0.5.depthwise_2.weight"] != 0)[0, 0]
    ring = torch.ones(5, 5, dtype=torch.bool)
    ring[1:4, 1:4] = False
    assert torch.equal(moved, ~ring)
    assert any(value.any() for name, value in found.items() if ".edges.0.4." in name)
    assert not any(value.any() for name, value in found.items() if ".edges.0.7." in name)
