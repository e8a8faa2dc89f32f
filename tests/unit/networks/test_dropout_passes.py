"""Path and global dropout: what they leave out, and in which passes; all others draw nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from sharing_cases import drawn, images, supernet
from torch import Tensor

from engine.addons.landmark import Landmark, LandmarkRegulariser
from engine.datasets.batches import DeviceImages
from engine.evaluators.supernet import SuperNetScorer
from engine.networks import Route, SuperNet
from engine.networks.dag_cell import DagCell
from engine.networks.drop_path import DropPath
from engine.networks.norm import NormPolicy
from engine.networks.plan import CellLayout, Planner
from engine.spec.addons import LandmarkSpec
from engine.spec.network import SharingSpec

PATH = {"path_dropout": 0.5}
GLOBAL = {"global_dropout": 0.5}
BOTH = {**PATH, **GLOBAL}
CASES = [("nb201", BOTH), ("darts", BOTH), ("nats_size", GLOBAL)]
EVERY = pytest.mark.parametrize(("space", "sharing"), CASES)


@contextmanager
def draws_nothing() -> Iterator[None]:
    before = torch.get_rng_state()
    yield
    assert torch.equal(torch.get_rng_state(), before)


# -- what is left out --------------------------------------------------------------------------
@pytest.mark.parametrize("k", [1, 2])
def test_whole_edges_are_left_out_per_image_whatever_they_carry(k: int) -> None:
    """Two identities, a pooling and a convolution into one node, from seeded masks by hand."""
    edges, options = ((0, 2), (1, 2)), ("skip_connect", "avg_pool_3x3", "nor_conv_3x3")
    layout = CellLayout(edges, 3, 2, (2,), (options,) * 2, (0, 1))
    policy = NormPolicy()
    drop = DropPath(0.4, torch.Generator().manual_seed(3), identities=True)
    sharing = SharingSpec(partial_channels=k)
    cell = DagCell(Planner(layout), 4, policy, None, None, drop, sharing).double()
    source = torch.Generator().manual_seed(0)
    values = [torch.randn(20, 4, 5, 5, generator=source, dtype=torch.float64) for _ in range(2)]
    for active in (((0,), (1,)), ((2,), (0, 1))):
        alone = [cell.outputs(values, Route(a)) for a in ((active[0], ()), ((), active[1]))]
        drop.generator = torch.Generator().manual_seed(3)
        with policy.tracking():
            (found,) = cell.outputs(values, Route(active))
        source = torch.Generator().manual_seed(3)
        kept = [torch.rand(20, generator=source) < 0.6 for _ in range(2)]
        assert 0 < sum(int(one.sum()) for one in kept) < 40
        wanted = sum(
            mask.double()[:, None, None, None] / 0.6 * one[0]
            for mask, one in zip(kept, alone, strict=True)
        )
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-8)


@EVERY
def test_global_dropout_is_right_before_the_pooling(space: str, sharing: dict[str, float]) -> None:
    net = supernet(space, {"global_dropout": 0.25})
    seen: dict[str, Tensor] = {}
    net.head.dropout.register_forward_hook(
        lambda module, given, out: seen.update(before=given[0], after=out)
    )
    torch.manual_seed(0)
    with net.policy.tracking():
        logits = net(images(40), Route.of(drawn(space, 1)[0]))
    ratio = (seen["after"] / seen["before"])[seen["before"] != 0]
    assert set(ratio.mul(3).round(decimals=9).tolist()) == {0.0, 4.0}
    assert (ratio == 0).double().mean().item() == pytest.approx(0.25, abs=0.1)
    pooled, linear = seen["after"].mean((2, 3)), net.head.classifier
    wanted = pooled @ linear.weight[:, : pooled.shape[1]].T + linear.bias
    torch.testing.assert_close(logits, wanted)


# -- which passes ------------------------------------------------------------------------------
def scored(net: SuperNet, space: str, statistics: str) -> list[float]:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (16, 8, 8, 2)).astype(np.uint8)
    held = DeviceImages(pixels, rng.integers(0, 3, 16), "cpu", (0.5,) * 2, (0.3,) * 2)
    norm = supernet_norm(statistics)
    return SuperNetScorer(net.float(), norm, held, held, 8).scores(drawn(space, 4))


def supernet_norm(statistics: str):  # noqa: ANN201
    from engine.spec.network import NormSpec

    return NormSpec(statistics=statistics)


@EVERY
def test_only_passes_that_train_weights_draw(space: str, sharing: dict[str, float]) -> None:
    net = supernet(space, sharing).train()
    routes = Route.many(drawn(space, 3))
    plain = supernet(space, {})
    with draws_nothing():
        torch.testing.assert_close(net(images(), routes[0]), plain(images(), routes[0]))
        many = net.forward_many(images(), routes)
        torch.testing.assert_close(many, plain.forward_many(images(), routes))
    before = torch.get_rng_state()
    with net.policy.tracking():
        first, second = (net(images(), routes[0]) for _ in range(2))
    assert not torch.equal(torch.get_rng_state(), before)
    assert not torch.allclose(first, second)
    with draws_nothing():
        net(images(), routes[0])


@EVERY
@pytest.mark.parametrize("statistics", ["batch", "moving", "recalibrated"])
def test_evaluation_draws_nothing(space: str, sharing: dict[str, float], statistics: str) -> None:
    net = supernet(space, sharing, statistics=statistics).train()
    with draws_nothing():
        found = scored(net, space, statistics)
    assert found == scored(supernet(space, {}, statistics=statistics), space, statistics)


@EVERY
def test_the_landmark_term_draws_nothing(space: str, sharing: dict[str, float]) -> None:
    spec = LandmarkSpec(warm_up=0.0, pairs=2)
    regulariser = LandmarkRegulariser(spec, epochs=2)
    some = enumerate(drawn(space, 4))
    regulariser.add([Landmark(one, value=50.0 + i, truth=50.0, round=1) for i, one in some])
    net = supernet(space, sharing).train()
    labels = torch.tensor([0, 2, 1])
    with draws_nothing():
        regulariser.term(net, images(), labels, np.random.default_rng(0)).backward()


@EVERY
def test_many_routes_have_masks_of_their_own(space: str, sharing: dict[str, float]) -> None:
    net, routes = supernet(space, sharing), Route.many(drawn(space, 1) * 3)
    results = []
    for run in (
        lambda: torch.stack([net(images(), route) for route in routes]),
        lambda: net.forward_many(images(), routes),
    ):
        torch.manual_seed(4)
        with net.policy.tracking():
            results.append(run())
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
    assert not torch.allclose(results[1][0], results[1][1])


def test_a_generator_of_its_own_leaves_torch_alone() -> None:
    net = supernet("darts", PATH)
    net.drop_path.generator = torch.Generator().manual_seed(0)
    with draws_nothing(), net.policy.tracking():
        net(images(), Route.of(drawn("darts", 1)[0]))
