"""Parameters and FLOPs: the published numbers, built networks, and torch's own counter."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from engine.core.architecture import Architecture
from engine.networks import Route, build_stand_alone, build_supernet
from engine.spaces.nb201 import NB201_SPACE, OPERATIONS
from engine.spec.network import NetworkSpec, NormSpec

PUBLISHED = NetworkSpec()  # 16 channels, 5 cells a stage, 10 classes, 32x32x3
# (arch_str, params_M, flops_M) as published, CIFAR-10.
STORED = [
    ("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|"
     "skip_connect~2|", "0.129306", "15.64737"),
    ("|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|"
     "skip_connect~2|", "0.802426", "113.95137"),
    ("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|"
     "nor_conv_1x1~2|", "1.073466", "153.27297"),
    # With a dead convolution, which counts: nothing leaves node 2.
    ("|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|",
     "0.101306", "11.71521"),
    ("|nor_conv_1x1~0|+|none~0|nor_conv_1x1~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|",
     "0.185306", "23.51169"),
    ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "0.073306", "7.78305"),
]  # fmt: skip
SKELETONS = [
    NetworkSpec(channels=3, cells=1, classes=4, input_channels=1, resolution=8),
    NetworkSpec(channels=4, cells=2, classes=7, input_channels=3, resolution=12),
    NetworkSpec(channels=2, cells=1, classes=2, input_channels=2, resolution=9),
    NetworkSpec(
        channels=3, cells=1, classes=4, input_channels=1, resolution=8, norm=NormSpec(affine=False)
    ),
]
LIVE = (
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|"
    "+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|"
)
torch.set_num_threads(1)


def in_millions(value: str) -> int:
    """Return an exact whole number: floats would round the last digits."""
    whole, _, part = value.partition(".")
    return int(whole + part.ljust(6, "0")[:6])


@pytest.mark.parametrize(("text", "params", "flops"), STORED)
def test_stored_rows(text: str, params: str, flops: str) -> None:
    cost = NB201_SPACE.cost(NB201_SPACE.parse(text), PUBLISHED)
    assert (cost.params, cost.flops) == (in_millions(params), in_millions(flops))


def test_all_published_rows(published: list[dict[str, str]]) -> None:
    for row in published:
        cost = NB201_SPACE.cost(NB201_SPACE.parse(row["arch_str"]), PUBLISHED)
        assert cost.params == round(float(row["params_M"]) * 1e6), row["arch_str"]
        assert cost.flops == round(float(row["flops_M"]) * 1e6), row["arch_str"]


def test_other_heads_add_what_is_published() -> None:
    """CIFAR-100 adds 0.00585 M parameters, ImageNet16-120 0.00715 M."""
    one = Architecture("nb201", (3, 3, 1, 2, 4, 0))
    ten = NB201_SPACE.cost(one, PUBLISHED).params
    for classes, more in ((100, 5_850), (120, 7_150)):
        network = PUBLISHED.model_copy(update={"classes": classes})
        assert NB201_SPACE.cost(one, network).params == ten + more


def built_parameters(architecture: Architecture, network: NetworkSpec) -> int:
    """Count what the benchmark builds: the chosen operation of every edge, dead or not."""
    net = build_supernet("nb201", network, seed=0)
    parts: list[nn.Module] = [net.stem, net.head]
    for layer in net.trunk.layers:
        if hasattr(layer, "edges"):
            for edge, option in zip(layer.edges, architecture.indices, strict=True):
                if OPERATIONS[option] != "none":
                    parts.append(edge[str(option)])
        else:
            parts.append(layer)
    return sum(value.numel() for part in parts for value in part.parameters())


@pytest.mark.parametrize("network", SKELETONS)
@pytest.mark.parametrize(
    "indices", [(0,) * 6, (1,) * 6, (2,) * 6, (3,) * 6, (3, 2, 0, 1, 4, 2), (2, 3, 3, 0, 0, 0)]
)
def test_parameters_of_the_built_operations(
    indices: tuple[int, ...], network: NetworkSpec
) -> None:
    architecture = Architecture("nb201", indices)
    assert NB201_SPACE.cost(architecture, network).params == built_parameters(
        architecture, network
    )


def counted_flops(net: nn.Module, images: torch.Tensor, route: Route) -> int:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        net(images, route)
    return counter.get_total_flops()


@pytest.mark.parametrize("network", [*SKELETONS, PUBLISHED])
def test_flops_of_a_cell_without_dead_edges(network: NetworkSpec) -> None:
    """torch counts two FLOPs a multiply-add and no bias; the benchmark counts the latter."""
    architecture = NB201_SPACE.parse(LIVE)
    assert all(NB201_SPACE.live(architecture))
    net = build_stand_alone(architecture, network, seed=0)
    images = torch.zeros(1, network.input_channels, network.resolution, network.resolution)
    with net.probing():
        found = counted_flops(net, images, Route.of(architecture))
    assert NB201_SPACE.cost(architecture, network).flops == found // 2 + network.classes
    parameters = sum(value.numel() for value in net.parameters())
    assert NB201_SPACE.cost(architecture, network).params == parameters


def test_dead_edges_are_counted_but_not_computed() -> None:
    """The benchmark's count is kept; the network itself does less."""
    alive = NB201_SPACE.parse("|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|")
    dead = NB201_SPACE.parse(
        "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|none~1|none~2|"
    )
    network = SKELETONS[0]
    more = NB201_SPACE.cost(dead, network).flops - NB201_SPACE.cost(alive, network).flops
    assert more == 2 * 9 * sum((3 << s) ** 2 * (8 >> s) ** 2 for s in range(3))
    images = torch.zeros(2, 1, 8, 8)
    found = [
        counted_flops(build_stand_alone(one, network, 0), images, Route.of(one))
        for one in (alive, dead)
    ]
    assert found[0] == found[1]
