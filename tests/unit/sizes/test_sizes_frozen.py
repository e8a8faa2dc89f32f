"""`unsampled: frozen` holds for slices of one tensor, too (joint 3)."""

from __future__ import annotations

import pytest
import torch
from sizes_cases import SMALL, drawn, images, size, supernet
from torch import Tensor, nn

from engine.networks import Route
from engine.networks.touched import take_untouched, watched
from engine.spec.training import OptimiserSpec
from engine.training.optim import apply_update, make_optimiser, momentum_tensors

CUTS = (0, 2, 5, 7)
SETTINGS = [
    OptimiserSpec(learning_rate=0.1, weight_decay=0.2, momentum=0.9, nesterov=True),
    OptimiserSpec(learning_rate=0.1, weight_decay=0.2, momentum=0.9, nesterov=False),
    OptimiserSpec(learning_rate=0.1, weight_decay=0.2, momentum=0.0),
]


def blocks(values: Tensor) -> dict[tuple[int, int], nn.Parameter]:
    """Cut a 7x7 matrix into 3x3 parameters of their own."""
    spans = list(zip(CUTS, CUTS[1:], strict=False))
    return {
        (i, j): nn.Parameter(values[a:b, c:d].clone())
        for i, (a, b) in enumerate(spans)
        for j, (c, d) in enumerate(spans)
    }


def joined(parts: dict[tuple[int, int], nn.Parameter], rows: int, columns: int) -> Tensor:
    lines = [torch.cat([parts[i, j] for j in range(columns)], 1) for i in range(rows)]
    return torch.cat(lines, 0)


@pytest.mark.parametrize("spec", SETTINGS)
@pytest.mark.parametrize("clip", [None, 0.05])
def test_slices_move_as_if_each_were_a_parameter(spec: OptimiserSpec, clip: float | None) -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(7, 7, generator=generator)
    whole, parts = nn.Parameter(values.clone()), blocks(values)
    ours = make_optimiser([whole], spec.model_copy(update={"gradient_clip": clip}))
    theirs = make_optimiser(list(parts.values()), spec)
    # Pairs of routes per update: (rows, columns) in blocks.
    updates = [[(1, 2), (2, 1)], [(1, 1)], [(2, 2)], [(3, 1), (1, 1)], [(3, 3)], [(1, 1)], []]
    for routes in updates:
        ours.zero_grad(set_to_none=True)
        theirs.zero_grad(set_to_none=True)
        for rows, columns in routes:
            target = torch.randn(CUTS[rows], CUTS[columns], generator=generator)
            region = (slice(0, CUTS[rows]), slice(0, CUTS[columns]))
            ((watched(whole, region) - target) ** 2).sum().backward()
            ((joined(parts, rows, columns) - target) ** 2).sum().backward()
        apply_update(ours, clip, "frozen")
        apply_update(theirs, clip, "frozen")
        torch.testing.assert_close(whole, joined(parts, 3, 3))
    assert not torch.allclose(whole, values)


@pytest.mark.parametrize("spec", SETTINGS)
def test_unsampled_channels_of_the_super_net_stay(spec: OptimiserSpec) -> None:
    net = supernet()
    optimiser = make_optimiser(net.parameters(), spec)
    for one in drawn(4):  # momentum everywhere
        net(images(), Route.of(one)).square().sum().backward()
    apply_update(optimiser, 5.0, "frozen")
    optimiser.zero_grad(set_to_none=True)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    momentum = {name: m.clone() for name, m in momentum_tensors(net, optimiser).items()}
    net(images(), Route.of(size("16:24:8:24:32"))).square().sum().backward()
    apply_update(optimiser, 5.0, "frozen")
    conv = "trunk.layers.2.edge_0_1.conv.weight"  # 6 channels in, 2 out
    after = dict(net.named_parameters())[conv].detach()
    moved = after != before[conv]
    assert moved[:2, :6].all() and moved.sum() == 2 * 6 * 9
    unused = [name for name, p in net.named_parameters() if torch.equal(p, before[name])]
    assert unused == []
    for name, kept in momentum_tensors(net, optimiser).items():
        changed = kept != momentum[name]
        assert changed.sum() > 0, name
    if spec.momentum:
        assert not (momentum_tensors(net, optimiser)[conv] != momentum[conv])[2:].any()
    head = dict(net.named_parameters())["head.classifier.weight"].detach()
    assert not (head != before["head.classifier.weight"])[:, 8:].any()


def test_decayed_moves_them() -> None:
    net = supernet()
    optimiser = make_optimiser(net.parameters(), SETTINGS[0])
    before = net.trunk.layers[0].edge_0_1.conv.weight.detach().clone()
    net(images(), Route.of(size("8:8:8:8:8"))).sum().backward()
    apply_update(optimiser, None, "decayed")
    after = net.trunk.layers[0].edge_0_1.conv.weight.detach()
    torch.testing.assert_close(after[2:], before[2:] * (1 - 0.1 * 0.2 * 1.9))
    # Nothing is remembered for the next update.
    assert all(take_untouched(p) is None for p in net.parameters())


def test_passes_without_gradients_touch_nothing() -> None:
    net = supernet()
    with net.probing():
        net.forward_many(images(SMALL), [Route.of(one) for one in drawn(3)])
    assert all(take_untouched(p) is None for p in net.parameters())


def test_regions_add_up_until_they_are_taken() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    for rows, columns in ((1, 4), (2, 1), (1, 4)):
        watched(weight, (slice(0, rows), slice(0, columns))).sum().backward()
    mask = take_untouched(weight)
    assert mask is not None
    assert mask.tolist() == [[False] * 4, [False, True, True, True], [True] * 4]
    assert take_untouched(weight) is None
    for rows in (1, 3):
        watched(weight, (slice(0, rows),)).sum().backward()
    assert take_untouched(weight) is None
