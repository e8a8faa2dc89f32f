"""What cannot influence the output is not computed, and what can is computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from small_nets import arch, images, stand_alone, supernet
from torch import nn

from engine.core.architecture import Architecture
from engine.networks import Route, SuperNet
from engine.spaces.nb201 import NB201_SPACE, OPERATIONS


def convolutions(net: SuperNet) -> dict[str, nn.Module]:
    return {
        name: part
        for name, part in net.named_modules()
        if isinstance(part, nn.Conv2d) and ".edges." in name
    }


def calls_of(net: SuperNet, run: object) -> Counter[str]:
    """Count the calls of every convolution on an edge while `run()` is called."""
    counts: Counter[str] = Counter()

    def counted(name: str) -> object:
        return lambda module, inputs, output: counts.update([name])

    handles = [
        part.register_forward_hook(counted(name)) for name, part in convolutions(net).items()
    ]
    run()
    for handle in handles:
        handle.remove()
    return counts


def live_names(net: SuperNet, architectures: Sequence[Architecture]) -> set[str]:
    """Name the convolutions that some architecture needs, in every cell."""
    wanted = set()
    for one in architectures:
        flags = NB201_SPACE.live(one)
        for edge, (option, alive) in enumerate(zip(one.indices, flags, strict=True)):
            if alive and "conv" in OPERATIONS[option]:
                wanted.add(f".edges.{edge}.{option}.conv")
    return {name for name in convolutions(net) if any(name.endswith(end) for end in wanted)}


SOME = [NB201_SPACE.sample(np.random.default_rng(seed)) for seed in range(12)]


@pytest.mark.parametrize("one", [*SOME, arch("330000"), arch("003322"), arch("033000")])
def test_each_live_convolution_runs_once_and_no_other(one: Architecture) -> None:
    net = supernet(cells=2)
    counts = calls_of(net, lambda: net(images(2), Route.of(one)))
    assert counts == Counter(live_names(net, [one]))


def test_many_routes_run_each_convolution_once() -> None:
    net = supernet(cells=2)
    counts = calls_of(net, lambda: net.forward_many(images(2), Route.many(SOME)))
    assert counts == Counter(live_names(net, SOME))
    assert len(counts) > 30, "otherwise there was little to share"


def test_equal_histories_are_computed_once() -> None:
    """Three routes that begin alike put one block through the first convolution, not three."""
    net = supernet()
    sizes: list[int] = []
    first = net.get_submodule("trunk.layers.0.edges.0.3.conv")
    first.register_forward_hook(lambda module, inputs, output: sizes.append(len(inputs[0])))
    net.forward_many(images(2), Route.many([arch("300030"), arch("300020"), arch("300010")]))
    assert sizes == [2]


def test_dead_soft_edges_are_not_computed() -> None:
    """With only zero between nodes 2 and 3, the mixtures into node 2 are dead."""
    net = supernet()
    active = ((1, 2, 3), (2, 3), (2, 3), (0, 3), (2, 4), (0,))
    weights = tuple(torch.full((len(options),), 0.5, dtype=torch.float64) for options in active)
    counts = calls_of(net, lambda: net(images(2), Route(active, weights)))
    wanted = {"0.2", "0.3", "3.3", "4.2"}
    assert counts == Counter(
        f"trunk.layers.{cell}.edges.{name}.conv" for cell in (0, 2, 4) for name in wanted
    )


@pytest.mark.parametrize("one", [*SOME[4:9], arch("330000"), arch("033000"), arch("303330")])
def test_a_stand_alone_network_builds_only_what_it_runs(one: Architecture) -> None:
    net = stand_alone(one, cells=2)
    assert set(convolutions(net)) == live_names(supernet(cells=2), [one])
    assert calls_of(net, lambda: net(images(2), Route.of(one))) == Counter(list(convolutions(net)))


def test_a_relu_is_computed_once_per_node(monkeypatch: pytest.MonkeyPatch) -> None:
    net, count, relu = supernet(), 0, torch.relu

    def counted(x: torch.Tensor) -> torch.Tensor:
        nonlocal count
        count += 1
        return relu(x)

    monkeypatch.setattr(torch, "relu", counted)
    monkeypatch.setattr(torch.nn.functional, "relu", counted)
    net(images(2), Route.of(arch("333333")))
    # A cell's nodes 0, 1 and 2; two in each of two reductions; one in the head.
    assert count == 3 * 3 + 2 * 2 + 1
