"""Partial channels: a cell by hand, which channels operations see, edge weights, odd sizes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.networks import Route
from engine.networks.dag_cell import Blocks, DagCell
from engine.networks.norm import NormPolicy
from engine.networks.partial import joined
from engine.networks.plan import CellLayout, Planner
from engine.spec.network import SharingSpec

torch.set_num_threads(1)
# Two inputs; node 2 reads both, node 3 everything.
EDGES = ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
OPERATIONS = ("none", "skip_or_reduce", "nor_conv_3x3", "max_pool_3x3")
LAYOUT = CellLayout(EDGES, 4, 2, (2, 3), (OPERATIONS,) * 5, tuple(range(5)))


def cell(k: int, channels: int, stride: int = 1) -> DagCell:
    """Return a cell whose edges out of inputs have a stride, without a value at its start."""
    torch.manual_seed(0)
    strides = [stride if source < 2 else 1 for source, _ in EDGES]
    sharing = SharingSpec(partial_channels=k)
    made = DagCell(Planner(LAYOUT), channels, NormPolicy(), None, strides, None, sharing).double()
    with torch.no_grad():
        for value in made.parameters():
            value += 0.2 * torch.randn(value.shape, dtype=torch.float64)
    return made


def inputs(channels: int, side: int = 6, count: int = 2) -> list[Tensor]:
    source = torch.Generator().manual_seed(0)
    shape = (count, channels, side, side)
    return [torch.randn(shape, generator=source, dtype=torch.float64) for _ in range(2)]


def norm(x: Tensor, module: torch.nn.Module) -> Tensor:
    return F.batch_norm(x, None, None, module.weight, module.bias, training=True)


def operation(made: DagCell, edge: int, option: int, x: Tensor) -> Tensor:
    op, stride = made.operation(edge, option), made.strides[edge]
    if option == 3:
        return F.max_pool2d(x, 3, stride, 1)
    if option == 2:
        return norm(F.conv2d(torch.relu(x), op.conv.weight, None, stride, 1), op.norm)
    if stride == 1:
        return x
    h = F.pad(torch.relu(x), (0, 1, 0, 1))
    size = -(-x.shape[2] // 2)
    odd = F.conv2d(h[:, :, 1:, 1:], op.odd.weight, None, 2)[:, :, :size, :size]
    return norm(torch.cat([F.conv2d(torch.relu(x), op.even.weight, None, 2), odd], 1), op.norm)


def by_hand(
    made: DagCell,
    values: list[Tensor],
    k: int,
    weights: list[dict[int, float]],
    edges: list[float],
) -> list[Tensor]:
    """Compute nodes 2 and 3, every edge as PC-DARTS does, then their sum.

    Args:
        made: whose tensors are used.
        values: of the inputs.
        k: one part in k is operated on.
        weights: per edge, of the options other than `none`; empty: the edge is not there.
        edges: per edge, the factor of what passes by.
    """
    nodes = list(values)
    for target in (2, 3):
        total = None
        for edge, (source, end) in enumerate(EDGES):
            if end != target or not weights[edge]:
                continue
            x = nodes[source]
            part = x.shape[1] // k
            done = sum(w * operation(made, edge, o, x[:, :part]) for o, w in weights[edge].items())
            rest = x[:, part:]
            if made.strides[edge] == 2:
                side = rest.shape[2] % 2  # odd sizes round up
                rest = F.max_pool2d(F.pad(rest, (0, side, 0, side), value=-torch.inf), 2)
            whole = torch.cat([done, edges[edge] * rest], 1)
            order = [g * part + j for j in range(part) for g in range(k)]
            out = whole[:, order]
            total = out if total is None else total + out
        nodes.append(total)
    return nodes[2:]


@pytest.mark.parametrize(("k", "channels"), [(2, 4), (4, 8)])
@pytest.mark.parametrize(("stride", "side"), [(1, 5), (2, 6), (2, 5)])
def test_a_cell_by_hand(k: int, channels: int, stride: int, side: int) -> None:
    made, values = cell(k, channels, stride), inputs(channels, side)
    dense = torch.rand(5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    factors = [0.3, 0.7, 0.5, 0.2, 0.9]
    whole = tuple(torch.tensor(f, dtype=torch.float64) for f in factors)
    mixed = [{o: dense[edge, o].item() for o in (1, 2, 3)} for edge in range(5)]
    hard = [(2,), (1,), (0,), (3,), (2,)]
    plain = [{o: 1.0 for o in options if o} for options in hard]
    cases = [
        (Route(((0, 1, 2, 3),) * 5, tuple(dense)), mixed, [1.0] * 5),
        (Route(((0, 1, 2, 3),) * 5, tuple(dense), whole), mixed, factors),
        (Route(tuple(hard)), plain, [1.0] * 5),
        (Route(tuple(hard), None, whole), plain, factors),
    ]
    for route, weights, edges in cases:
        wanted = by_hand(made, values, k, weights, edges)
        for found, one in zip(made.outputs(values, route), wanted, strict=True):
            assert found is not None
            torch.testing.assert_close(found, one, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_operations_see_one_channel_in_k_and_all_channels_arrive(k: int) -> None:
    made, values = cell(k, 8), [x.requires_grad_() for x in inputs(8)]
    seen: list[Tensor] = []
    conv = made.operation(0, 2).conv
    conv.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    out, _ = made.outputs(values, Route(((2,), (0,), (0,), (0,), (0,))))
    assert out is not None
    assert [x.shape[1] for x in seen] == [8 // k]
    assert conv.weight.shape == (8 // k, 8 // k, 3, 3)
    (through,) = torch.autograd.grad(seen[0].square().sum(), values[0], retain_graph=True)
    reached = through.abs().sum((0, 2, 3)) > 0
    assert reached.tolist() == [True] * (8 // k) + [False] * (8 - 8 // k)
    (whole,) = torch.autograd.grad(out.square().sum(), values[0])
    assert (whole.abs().sum((0, 2, 3)) > 0).all()


@pytest.mark.parametrize(("k", "channels"), [(2, 6), (3, 6), (4, 4), (4, 16)])
def test_the_shuffle_is_a_permutation_that_mixes_groups(k: int, channels: int) -> None:
    x = torch.arange(channels, dtype=torch.float64).view(1, -1, 1, 1)
    part = channels // k
    out = joined(x[:, :part], x[:, part:], k).flatten().long()
    assert sorted(out.tolist()) == list(range(channels))
    torch.testing.assert_close(out, torch.channel_shuffle(x, k).flatten().long())
    assert set((out[:k] // part).tolist()) == set(range(k)), "the first k come from all groups"


def test_an_absent_edge_carries_nothing_by_either_way() -> None:
    """`none` on an edge is an architecture without it; so is an edge out of a dead node."""
    made, values = cell(2, 4), inputs(4)
    lonely = [x.requires_grad_() for x in values]
    outputs = made.outputs(lonely, Route(((0,), (0,), (2,), (0,), (2,))))
    assert outputs[0] is None and outputs[1] is not None
    _, second = torch.autograd.grad(outputs[1].square().sum(), lonely, allow_unused=True)
    assert second is None
    both = made.outputs(values, Route(((0,), (0,), (2,), (0,), (0,))))[1]
    torch.testing.assert_close(outputs[1], both)


@pytest.mark.parametrize("stride", [1, 2])
def test_many_at_once_are_one_by_one(stride: int) -> None:
    """Routes may have several options on an edge; what passes by is added once."""
    made, values = cell(2, 4, stride), inputs(4, 5)
    routes = [
        Route(((2,), (1,), (0,), (3,), (2,))),
        Route(((2,), (1,), (0,), (2, 3), (1,))),
        Route(((1, 2), (0,), (3,), (), (2,))),
        Route(((0,), (0,), (3,), (0,), (1,))),
        Route(((2,), (1,), (0,), (3,), (2,))),
    ]
    blocks = [Blocks(x, 1, (0,) * len(routes)) for x in values]
    many = made.outputs_many(blocks, routes)
    for place, route in enumerate(routes):
        for node, wanted in enumerate(made.outputs(values, route)):
            if wanted is not None:
                found = many[node].values
                assert found is not None
                block = found.chunk(many[node].blocks)[many[node].slots[place]]
                torch.testing.assert_close(block, wanted, rtol=1e-10, atol=1e-12)
