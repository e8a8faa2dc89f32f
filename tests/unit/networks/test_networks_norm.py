"""Whose statistics normalise, and when moving averages move."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_nets import arch, images, shaken, stand_alone, supernet
from torch import Tensor, nn

from engine.networks import Norm, NormPolicy, Route, SuperNet, normalised_sum
from engine.networks.norm import EPSILON
from engine.spec.network import NormSpec

MOVING = NormSpec(statistics="moving", momentum=0.3)


def buffers(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.named_buffers()}


def moved(before: dict[str, Tensor], net: nn.Module) -> set[str]:
    return {name for name, value in net.named_buffers() if not torch.equal(value, before[name])}


def pair(affine: bool = True, momentum: float = 0.3) -> tuple[Norm, nn.BatchNorm2d]:
    """Return our normalisation and torch's with the same numbers in them."""
    ours = Norm(4, NormPolicy(affine, keeps_buffers=True, momentum=momentum)).double()
    theirs = nn.BatchNorm2d(4, eps=EPSILON, momentum=momentum, affine=affine).double()
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for mine, other in zip(
            [*ours.parameters(), *ours.buffers()],
            [*theirs.parameters(), theirs.running_mean, theirs.running_var],
            strict=True,
        ):
            other.copy_(torch.rand(4, generator=source) + 0.5)
            mine.copy_(other)
    return ours, theirs


def batches(count: int = 3) -> list[Tensor]:
    source = torch.Generator().manual_seed(1)
    draw = torch.randn(count, 5, 4, 3, 3, generator=source, dtype=torch.float64)
    return list(2 * draw + torch.arange(4, dtype=torch.float64).view(1, 1, 4, 1, 1))


@pytest.mark.parametrize("affine", [True, False])
def test_tracking_moves_as_batch_norm_of_torch_does(affine: bool) -> None:
    ours, theirs = pair(affine)
    theirs.train()
    for x in batches():
        with ours.policy.tracking():
            torch.testing.assert_close(ours(x), theirs(x))
        torch.testing.assert_close(ours.running_mean, theirs.running_mean)
        torch.testing.assert_close(ours.running_var, theirs.running_var)
    theirs.eval()
    with ours.policy.moving():
        torch.testing.assert_close(ours(batches()[0]), theirs(batches()[0]))


def test_outside_of_tracking_the_batch_normalises_and_nothing_moves() -> None:
    ours, theirs = pair()
    before = buffers(ours)
    theirs.train()
    torch.testing.assert_close(ours(batches()[0]), theirs(batches()[0]))
    assert moved(before, ours) == set()


def test_blocks_are_normalised_each_by_itself_and_averaged_in_the_buffers() -> None:
    ours, theirs = pair(momentum=0.5)
    before, blocks = buffers(ours), batches()
    with ours.policy.tracking():
        found = ours(torch.cat(blocks), groups=3)
    theirs.train()
    torch.testing.assert_close(found, torch.cat([theirs(x) for x in blocks]))
    means = torch.stack([x.mean((0, 2, 3)) for x in blocks]).mean(0)
    variances = torch.stack([x.var((0, 2, 3), correction=1) for x in blocks]).mean(0)
    torch.testing.assert_close(ours.running_mean, (before["running_mean"] + means) / 2)
    torch.testing.assert_close(ours.running_var, (before["running_var"] + variances) / 2)


def test_a_sum_tracks_each_of_its_normalisations() -> None:
    policy = NormPolicy(keeps_buffers=True, momentum=1.0)
    norms = [Norm(4, policy).double(), None, Norm(4, policy).double()]
    inputs = batches()
    with policy.tracking():
        total = normalised_sum(inputs, norms)
    wanted = inputs[1].clone()
    for x, norm in ((inputs[0], norms[0]), (inputs[2], norms[2])):
        wanted += nn.functional.batch_norm(x, None, None, training=True, eps=EPSILON)
        torch.testing.assert_close(norm.running_mean, x.mean((0, 2, 3)))
        torch.testing.assert_close(norm.running_var, x.var((0, 2, 3), correction=1))
    torch.testing.assert_close(total, wanted)


def test_a_super_net_on_batch_statistics_has_no_buffers_at_all() -> None:
    net = supernet()
    assert list(net.buffers()) == []
    with net.policy.tracking():
        net(images(), Route.of(arch("323232")))
    with pytest.raises(ValueError, match="no moving averages"), net.policy.moving():
        pass
    assert (net.policy.update, net.policy.use_moving) == (False, False)


def forwards(net: SuperNet) -> None:
    routes = Route.many([arch("323432"), arch("111222"), arch("404040")])
    net(images(), routes[0])
    net.forward_many(images(), routes)
    net.forward_many(images(), routes).sum().backward()
    with net.probing():
        net(images(), routes[0])
        net.forward_many(images(), routes)


@pytest.mark.parametrize("training", [True, False])
def test_no_pass_outside_of_tracking_moves_a_buffer(training: bool) -> None:
    """Landmark, plasticity and evaluation passes are such (joint 2)."""
    net = supernet(MOVING).train(training)
    before = buffers(net)
    assert len(before) > 20
    forwards(net)
    assert moved(before, net) == set()


def test_tracking_moves_the_buffers_of_the_sampled_path_alone() -> None:
    net = supernet(MOVING)
    before = buffers(net)
    with net.policy.tracking():
        net(images(), Route.of(arch("300030")))
    names = {name.rsplit(".", 1)[0] for name in moved(before, net)}
    cells = {f"trunk.layers.{cell}.edges.{op}.norm" for cell in (0, 2, 4) for op in ("0.3", "4.3")}
    steps = {
        f"trunk.layers.{step}.{norm}" for step in (1, 3) for norm in ("first_norm", "second_norm")
    }
    assert names == cells | steps | {"stem.norm", "head.norm"}


def test_probing_reads_the_moving_averages_where_they_exist() -> None:
    one = arch("323432")
    net, x = stand_alone(one), images()
    with net.probing():
        first = net(x, Route.of(one))
        alone = torch.cat([net(x[i : i + 1], Route.of(one)) for i in range(len(x))])
    assert not first.requires_grad
    torch.testing.assert_close(first, alone, rtol=1e-9, atol=1e-12)
    assert (first - net(x, Route.of(one))).abs().max() > 1e-3, "the batch gives another result"


def test_the_policy_is_restored_after_an_error() -> None:
    net = supernet(MOVING)
    for block in (net.policy.tracking(), net.policy.moving(), net.probing()):
        with pytest.raises(RuntimeError), block:
            raise RuntimeError
        assert (net.policy.update, net.policy.use_moving) == (False, False)
    with net.policy.tracking(), net.policy.tracking():
        pass
    assert not net.policy.update


def test_probing_inside_of_tracking_moves_nothing() -> None:
    net = supernet(MOVING)
    before = buffers(net)
    with net.policy.tracking(), net.probing():
        net(images(), Route.of(arch("323432")))
    assert moved(before, net) == set()


def test_without_affine_there_is_neither_scale_nor_shift() -> None:
    net = supernet(NormSpec(affine=False))
    assert not any("norm" in name for name, _ in net.named_parameters())


def test_statistics_do_not_carry_gradient_through_moving_averages() -> None:
    ours, _ = pair()
    x = batches()[0].requires_grad_()
    with ours.policy.moving():
        ours(x).sum().backward()
    slope = ours.weight.detach() / (ours.running_var + EPSILON).sqrt()
    torch.testing.assert_close(x.grad, slope.view(1, -1, 1, 1).expand_as(x))


def test_float32_averages_are_those_of_torch() -> None:
    """The variance comes back from 1 / sqrt(var + eps): no digit may be lost that matters."""
    ours, theirs = (part.float() for part in pair())
    theirs.train()
    rng = np.random.default_rng(0)
    for scale in (1e-2, 1.0, 1e3):
        x = torch.from_numpy(rng.normal(size=(6, 4, 3, 3)) * scale).float()
        with ours.policy.tracking():
            ours(x)
        theirs(x)
        torch.testing.assert_close(ours.running_var, theirs.running_var, rtol=1e-4, atol=1e-9)


def test_shaking_leaves_nothing_at_its_default() -> None:
    """Guards the other tests here, which would miss much in a freshly made network."""
    net = shaken(supernet(MOVING))
    for name, value in net.state_dict().items():
        if name.endswith(("norm.weight", "running_var")):
            assert (value != 1).all(), name
        elif name.endswith(("norm.bias", "running_mean")):
            assert (value != 0).all(), name
