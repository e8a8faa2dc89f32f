"""Statistics measured anew for each architecture: what they are, and that nothing stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_nets import arch, shaken, spec
from torch import Tensor

from engine.datasets.batches import DeviceImages
from engine.evaluators.supernet import SuperNetScorer
from engine.networks import Route, SuperNet, build_supernet
from engine.spec.errors import StopRequested
from engine.spec.network import NormSpec

BATCH = 6
NORM = NormSpec(statistics="recalibrated", recalibration_batches=3)


def pictures(count: int, seed: int) -> DeviceImages:
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, (count, 8, 8, 2), dtype=np.uint8)
    return DeviceImages(data, rng.integers(0, 4, count), "cpu")


def net_of(norm: NormSpec) -> SuperNet:
    return shaken(build_supernet("nb201", spec(norm), seed=0))


def scorer(net: SuperNet, norm: NormSpec) -> SuperNetScorer:
    return SuperNetScorer(net, norm, pictures(20, 1), pictures(40, 2), BATCH)


def state(net: SuperNet) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def assert_unchanged(net: SuperNet, before: dict[str, Tensor]) -> None:
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert net.policy.momentum == NORM.momentum
    assert (net.policy.update, net.policy.use_moving) == (False, False)


@pytest.mark.parametrize("statistics", ["batch", "moving", "recalibrated"])
def test_scoring_leaves_the_network_as_it_was(statistics: str) -> None:
    norm = NORM.model_copy(update={"statistics": statistics})
    net = net_of(norm)
    before = state(net)
    found = scorer(net, norm).scores([arch("323432"), arch("202020"), arch("000000")])
    assert len(found) == 3
    assert_unchanged(net, before)


def test_a_stop_in_the_middle_leaves_it_as_it_was() -> None:
    net = net_of(NORM)
    before = state(net)

    def stop(done: int) -> None:
        changed = {name for name, value in net.named_buffers() if not value.equal(before[name])}
        assert "stem.norm.running_mean" in changed, "otherwise there was nothing to restore"
        raise StopRequested("stop")

    with pytest.raises(StopRequested):
        scorer(net, NORM).scores([arch("323432")], stop)
    assert_unchanged(net, before)


def test_they_are_the_plain_means_over_the_batches_of_training() -> None:
    net, route = net_of(NORM), Route.of(arch("323432"))
    train = [x for x, _ in pictures(40, 2).batches(BATCH)][:3]
    seen: dict[str, list[Tensor]] = {"stem": [], "head": []}
    hooks = [
        net.stem.conv.register_forward_hook(lambda m, i, out: seen["stem"].append(out)),
        net.head.norm.register_forward_pre_hook(lambda m, i: seen["head"].append(i[0])),
    ]
    with torch.no_grad():
        for x in train:
            net(x, route)
    for hook in hooks:
        hook.remove()
    measured: dict[str, Tensor] = {}
    (score,) = scorer(net, NORM).scores([arch("323432")], lambda done: measured.update(state(net)))
    for part, inputs in seen.items():
        means = torch.stack([x.mean((0, 2, 3)) for x in inputs]).mean(0)
        variances = torch.stack([x.var((0, 2, 3), correction=1) for x in inputs]).mean(0)
        close = {"rtol": 1e-4, "atol": 1e-5}
        torch.testing.assert_close(measured[f"{part}.norm.running_mean"], means, **close)
        torch.testing.assert_close(measured[f"{part}.norm.running_var"], variances, **close)
    # 18 of 20 images: batches of the training size only.
    net.load_state_dict(measured)
    with torch.no_grad(), net.policy.moving():
        held_out = [batch for batch in pictures(20, 1).batches(BATCH)][:3]
        right = sum((net(x, route).argmax(1) == y).sum().item() for x, y in held_out)
    assert score == pytest.approx(100 * right / 18)


def test_each_architecture_gets_its_own() -> None:
    """The order of scoring, and what was scored before, do not matter."""
    some = [arch(text) for text in ("323432", "111222", "202020", "330033")]
    together = scorer(net_of(NORM), NORM).scores(some)
    apart = [scorer(net_of(NORM), NORM).scores([one])[0] for one in reversed(some)]
    assert together == apart[::-1]
    assert len(set(together)) > 1
