"""What a cell computes once, and what it computes again: same numbers, less kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.networks import Route, SuperNet, build_supernet
from engine.networks.ops import Op
from engine.spaces import get_space
from engine.spec.network import NetworkSpec, NormSpec

torch.set_num_threads(1)
SPACE = get_space("darts")
SKELETON = NetworkSpec(channels=2, cells=3, classes=3, input_channels=1, resolution=8)
Gradients = dict[str, Tensor | None]


def supernet(space: str = "darts", statistics: str = "batch") -> SuperNet:
    norm = NormSpec.model_validate({"statistics": statistics})
    skeleton = SKELETON.model_copy(update={"norm": norm})
    return build_supernet(space, skeleton, 0).double().train()


def images() -> Tensor:
    source = torch.Generator().manual_seed(0)
    return torch.randn(4, 1, 8, 8, generator=source, dtype=torch.float64)


def mixture(space: str = "darts") -> tuple[Route, list[Tensor]]:
    source = torch.Generator().manual_seed(1)
    choices = get_space(space).mixture
    weights = [
        torch.randn(len(c.options), generator=source, dtype=torch.float64).softmax(0)
        for c in choices
    ]
    active = tuple(tuple(range(len(choice.options))) for choice in choices)
    return Route(active, tuple(w.requires_grad_() for w in weights)), weights


def gradients(net: SuperNet, weights: list[Tensor] | None = None) -> Gradients:
    found = {name: value.grad for name, value in net.named_parameters()}
    found |= {f"weight {number}": w.grad for number, w in enumerate(weights or [])}
    return found


def assert_same(found: Gradients, wanted: Gradients) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert (value is None) == (found[name] is None), name
        if value is not None:
            torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("space", ["darts", "nb201"])
def test_poolings_of_a_node_are_computed_once_and_change_nothing(
    space: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Tensor]:
        pool: Callable[..., Tensor] = getattr(F, name)

        def run(*arguments: object, **options: object) -> Tensor:
            calls[name] += 1
            return pool(*arguments, **options)

        return run

    for name in ("max_pool2d", "avg_pool2d"):
        monkeypatch.setattr(F, name, counted(name))
    results = []
    for shares in (True, False):
        net = supernet(space)
        for module in net.modules() if not shares else ():
            if isinstance(module, Op):
                module.shared = None
        route, weights = mixture(space)
        out = net(images(), route)
        out.square().sum().backward()
        results.append((out, gradients(net, weights), dict(calls)))
        calls.clear()
    (out, found, few), (plain, wanted, many) = results
    torch.testing.assert_close(out, plain, rtol=1e-12, atol=1e-12)
    assert_same(found, wanted)
    # Three cells: 5 sources and 14 edges in a cell of `darts`. In `nb201` there are 9 cells with
    # 3 sources and 6 edges, and the shortcuts of two reductions.
    expected = {
        "darts": ({"max_pool2d": 15, "avg_pool2d": 15}, {"max_pool2d": 42, "avg_pool2d": 42}),
        "nb201": ({"avg_pool2d": 29}, {"avg_pool2d": 56}),
    }
    assert (few, many) == expected[space]


def test_a_recomputed_mixture_has_all_gradients_and_keeps_less() -> None:
    results, kept = [], []
    for recompute in (False, True):
        net = supernet()
        net.recompute(recompute)
        route, weights = mixture()
        storages: dict[int, Tensor] = {}

        def pack(value: Tensor, seen: dict[int, Tensor] = storages) -> Tensor:
            seen[value.untyped_storage().data_ptr()] = value
            return value

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            out = net(images(), route)
        kept.append(sum(value.untyped_storage().nbytes() for value in storages.values()))
        out.square().sum().backward()
        results.append((out.detach(), gradients(net, weights)))
    assert torch.equal(results[0][0], results[1][0])
    assert_same(results[1][1], results[0][1])
    assert kept[1] < 0.5 * kept[0]


def test_recomputed_gradients_can_be_differentiated_again() -> None:
    """Second-order DARTS needs the gradient of a gradient."""
    results = []
    for recompute in (False, True):
        net = supernet()
        net.recompute(recompute)
        route, weights = mixture()
        loss = net(images(), route).square().sum()
        first = torch.autograd.grad(loss, list(net.trunk.parameters()), create_graph=True)
        sum(gradient.square().sum() for gradient in first).backward()
        results.append(gradients(net, weights))
    assert_same(results[1], results[0])


def test_moving_averages_see_a_recomputed_pass_once() -> None:
    results = []
    for recompute in (False, True):
        net = supernet(statistics="moving")
        net.recompute(recompute)
        route, weights = mixture()
        with net.policy.tracking():
            loss = net(images(), route).square().sum()
        loss.backward()
        assert (net.policy.update, net.policy.repeats) == (False, False)
        results.append((gradients(net, weights), dict(net.named_buffers())))
    assert_same(results[1][0], results[0][0])
    assert_same(results[1][1], results[0][1])


def test_many_recomputed_routes_have_the_same_gradients() -> None:
    rng, results = np.random.default_rng(0), []
    routes = Route.many([SPACE.sample(rng) for _ in range(3)])
    for recompute in (False, True):
        net = supernet()
        net.recompute(recompute)
        net.forward_many(images(), routes).square().sum().backward()
        results.append(gradients(net))
    assert_same(results[1], results[0])
