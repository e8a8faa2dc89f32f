"""Parameters, FLOPs and fingerprints against what is published, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from nb101_cases import SMALL, TEXTS, arch, drawn, subspace, table, widths_by_hand

from engine.compose import check
from engine.core.architecture import Architecture
from engine.core.capabilities import OP_MIXTURE
from engine.export.graph_svg import svg
from engine.networks import build_supernet
from engine.paths.fair import FairPaths
from engine.spaces import get_space
from engine.spaces.nb101 import NB101_SPACE
from engine.spaces.nb101_cells import vertex_channels
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec, NormSpec

PUBLISHED = NetworkSpec(channels=128, cells=3)
# (matrix and operations, hash, trainable_params) of CIFAR-10 as published.
STORED = [
    ("0110001000010000 IPPO", "001a6fcc8b38cbc515be788a86bdc804", 1_756_298),
]
# (matrix and operations, params_M, flops_M), both with seven digits; most have dead vertices.
SCORED = [
    ("0111101000001100000010000110000001100000000000000 IPP333O", 4.095778, 624.5581),
    ("0110010000111100000010000010000001100000000000000 I3P11PO", 1.749031, 268.1003),
    ("0101110000110000001010000100000000000000010000000 IP13PPO", 0.88257, 146.6092),
]


def seven_digits(count: int) -> float:
    return float(f"{count / 1e6:.7g}")


@pytest.mark.parametrize(("text", "fingerprint", "params"), STORED)
def test_stored_rows(text: str, fingerprint: str, params: int) -> None:
    one = arch(text)
    assert NB101_SPACE.canonical(one) == fingerprint
    assert NB101_SPACE.cost(one, PUBLISHED).params == params


@pytest.mark.parametrize(("text", "params", "flops"), SCORED)
def test_scored_rows(text: str, params: float, flops: float) -> None:
    cost = NB101_SPACE.cost(arch(text), PUBLISHED)
    assert (seven_digits(cost.params), seven_digits(cost.flops)) == (params, flops)


def test_every_cell_of_four_vertices() -> None:
    rows = {row["hash"]: row for row in table("ecnas_nb101_4v.csv.gz")}
    assert len(rows) == 91
    for fingerprint, row in rows.items():
        for space in (NB101_SPACE, subspace(4)):
            one = space.parse(f"{row['adjacency']},{row['ops']}")
            assert space.canonical(one) == fingerprint
            assert space.cost(one, PUBLISHED).params == int(row["trainable_params"])


def test_500_cells_of_seven_vertices() -> None:
    rows = table("nasbench101_500.csv.gz")
    assert len(rows) == 500
    for row in rows:
        cost = NB101_SPACE.cost(arch(f"{row['adjacency']} {row['ops']}"), PUBLISHED)
        found = seven_digits(cost.params), seven_digits(cost.flops)
        assert found == (float(row["params_M"]), float(row["flops_M"])), row


def test_a_count_by_hand() -> None:
    """One 3x3 convolution, two channels, one cell a stack, 8x8 images of one channel."""
    network = NetworkSpec(channels=2, cells=1, classes=3, input_channels=1, resolution=8)
    cost = subspace(3).cost(subspace(3).parse("conv3x3(0);output(1)"), network)
    # Stem 9*2, then per stack projection and convolution; two numbers a normalised channel.
    weights = [18, 2 * 2, 9 * 2 * 2, 2 * 4, 9 * 4 * 4, 4 * 8, 9 * 8 * 8]
    channels, sides = [2, 2, 2, 4, 4, 8, 8], [8, 8, 8, 4, 4, 2, 2]
    assert cost.params == sum(weights) + 2 * sum(channels) + (8 + 1) * 3
    flops = sum((w + 3 * c) * s * s for w, c, s in zip(weights, channels, sides, strict=True))
    assert cost.flops == flops + 4 * 2 * 4**2 + 4 * 4 * 2**2 + 8 * 3
    plain = network.model_copy(update={"norm": NormSpec(affine=False)})
    less = subspace(3).cost(subspace(3).parse("conv3x3(0);output(1)"), plain)
    assert cost.params - less.params == 2 * sum(channels)
    values = sum(c * s * s for c, s in zip(channels, sides, strict=True))
    assert cost.flops - less.flops == values


@pytest.mark.parametrize(
    ("text", "channels", "widths"),
    [
        ("output(0)", 128, ()),
        ("conv3x3(0);output(0,1)", 128, (128,)),
        ("conv3x3(0);conv3x3(0);conv3x3(0);output(1,2,3)", 128, (43, 43, 42)),
        ("conv3x3(0);conv3x3(0);conv3x3(0);output(1,2,3)", 256, (86, 85, 85)),
        # Vertex 1 feeds the second and the third, and has the wider one's channels.
        ("conv3x3(0);conv3x3(0);conv3x3(1);conv3x3(1);output(2,3,4)", 128, (43, 43, 43, 42)),
        ("conv3x3(0);conv3x3(1);conv3x3(0);output(2,3)", 7, (4, 4, 3)),
        ("conv3x3(0);conv3x3(1);conv3x3(0,2);output(3)", 7, (7, 7, 7)),
    ],
)
def test_channels_by_hand(text: str, channels: int, widths: tuple[int, ...]) -> None:
    assert vertex_channels(NB101_SPACE.live(arch(text)).cell, channels) == widths


def test_channels_of_many_cells() -> None:
    for one in drawn(200):
        cell = NB101_SPACE.live(one).cell
        matrix = np.zeros((cell.vertices, cell.vertices), int)
        for edge in cell.edges:
            matrix[edge] = 1
        for channels in (4, 7, 128):
            widths = vertex_channels(cell, channels)
            assert list(widths) == widths_by_hand(matrix, channels)
            fed = [widths[vertex - 1] for vertex in cell.feeders]
            assert sum(fed) == channels or not fed


# -- settings and what is refused ----------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"nodes": 8}, "space_settings.nodes", "less than or equal to 7"),
        ({"nodes": 2}, "space_settings.nodes", "greater than or equal to 3"),
        ({"output_edges": 5}, "space_settings.output_edges", "less than or equal to 4"),
        ({"output_edges": 0}, "space_settings.output_edges", "greater than or equal to 1"),
        ({"nodes": 4, "output_edges": 3}, "space_settings", "4 nodes have 2"),
        ({"vertices": 4}, "space_settings.vertices", "settings of `nb101` are: nodes, output_edg"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, int], field: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        get_space("nb101", settings)
    assert caught.value.field == field


def faults(**changes: object) -> list[SpecError]:
    spec = {"space": "nb101", "algorithm": "spos", **changes}
    return check(ExperimentSpec.model_validate(spec))


@pytest.mark.parametrize(
    ("settings", "least"),
    [({}, 4), ({"nodes": 4}, 2), ({"nodes": 7, "output_edges": 1}, 1), ({"output_edges": 3}, 3)],
)
def test_too_few_channels_are_refused(settings: dict[str, int], least: int) -> None:
    for channels in range(1, least + 2):
        network = {"channels": channels, "cells": 1}
        found = faults(space_settings=settings, network=network)
        assert bool(found) == (channels < least)
        space = get_space("nb101", settings)
        if found:
            assert found[0].field == "network.channels" and f"at least {least}" in str(found[0])
            with pytest.raises(SpecError, match=f"at least {least}"):
                build_supernet(space, NetworkSpec.model_validate(network), 0)


def test_sharing_factors_and_their_limits() -> None:
    for name, value in {
        "dynamic_channels": "interpolate",
        "edge_norms": True,
        "ofa_kernel": True,
        "path_dropout": 0.1,
        "global_dropout": 0.1,
    }.items():
        assert faults(network={"sharing": {name: value}}) == []
    for name, value in {"operations_on": "edge", "partial_channels": 4}.items():
        (fault,) = faults(network={"sharing": {name: value}})
        assert fault.field == f"network.sharing.{name}" and "nb101" in str(fault)
    assert OP_MIXTURE not in NB101_SPACE.provides


def test_fairnas_runs_every_operation_of_every_vertex_once_on_one_wiring() -> None:
    """000 §6.4.3: FairNAS for a topology that is chosen, too; Table 6.13 has it for this space."""
    assert faults(algorithm="fairnas") == []
    for space in (NB101_SPACE, subspace(7, 4)):
        rng, edges = np.random.default_rng(0), len(space.edges)
        for _ in range(20):
            routes = FairPaths(space).routes(rng)
            assert len(routes) == 3
            assert len({route.active[:edges] for route in routes}) == 1
            for vertex in range(edges, len(space.choices)):
                assert sorted(r.active[vertex] for r in routes) == [(0,), (1,), (2,)]
            for route in routes:
                indices = tuple(option for (option,) in route.active)
                assert space.is_valid(Architecture("nb101", indices))


def test_drawings() -> None:
    one = arch("conv3x3();conv1x1(0);conv3x3(2);maxpool3x3(1);conv1x1(0);output(3,5)")
    graph = NB101_SPACE.graphs(one)["cell"]
    assert graph.nodes[0] == "input" and graph.nodes[-1] == "output"
    assert graph.nodes[1:-1] == (
        "1: conv3x3", "2: conv1x1", "3: conv3x3", "4: maxpool3x3", "5: conv1x1"
    )  # fmt: skip
    flags = {(source[0], target[0]): alive for source, target, _, alive in graph.edges}
    assert flags == {
        ("i", "2"): True, ("2", "3"): True, ("1", "4"): False,
        ("i", "5"): True, ("3", "o"): True, ("5", "o"): True,
    }  # fmt: skip
    for text in TEXTS:
        assert "<svg" in svg(NB101_SPACE.graphs(arch(text)), title=text)
    assert NB101_SPACE.graphs(arch("conv3x3(0);output(1)"))["cell"].nodes == (
        "input", "1: conv3x3", "output"
    )  # fmt: skip


def test_a_skeleton_scales_costs() -> None:
    for one in drawn(10):
        cost = NB101_SPACE.cost(one, SMALL)
        deeper = NB101_SPACE.cost(one, SMALL.model_copy(update={"cells": 2}))
        assert deeper.params > cost.params and deeper.flops > cost.flops
