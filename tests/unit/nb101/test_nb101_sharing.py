"""Sharing factors of NAS-Bench-101 (000 §6.4.5, Tables 6.5, 6.8 and 6.12)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from nb101_cases import SMALL, TEXTS, arch, by_hand, drawn, images, supernet, with_sharing
from scipy.stats import chisquare
from torch import Tensor
from torch.nn import functional as F

from engine.networks import Route
from engine.networks.nb101_vertex import MiddleConv
from engine.spaces.nb101 import NB101_SPACE
from engine.spec.network import NormSpec
from engine.spec.training import OptimiserSpec
from engine.training.optim import apply_update, make_optimiser

CELLS = [*map(arch, TEXTS), *drawn(6)]
THREE = arch("conv3x3(0);conv1x1(0);conv3x3(0);output(1,2,3)")  # 7 channels are 3, 2 and 2


def averaged(largest: Tensor, *widths: int) -> Tensor:
    """Average neighbouring channels along each dimension, with torch's own pooling."""
    for dimension, width in enumerate(widths):
        last = largest.movedim(dimension, -1)
        flat = F.adaptive_avg_pool1d(last.reshape(-1, 1, last.shape[-1]), width)
        largest = flat.view(*last.shape[:-1], width).movedim(-1, dimension)
    return largest


def test_interpolated_paths_by_hand() -> None:
    net = supernet(with_sharing(dynamic_channels="interpolate"))
    for one in CELLS:
        wanted = by_hand(net, one, images(), take=averaged)
        torch.testing.assert_close(net(images(), Route.of(one)), wanted)


def test_interpolation_changes_nothing_at_the_full_width() -> None:
    fixed, other = supernet(), supernet(with_sharing(dynamic_channels="interpolate"))
    for one in CELLS:
        route = Route.of(one)
        whole = len(NB101_SPACE.live(one).cell.feeders) <= 1
        assert torch.equal(other(images(), route), fixed(images(), route)) == whole


@pytest.mark.parametrize("name", ["fixed", "shuffle", "interpolate"])
def test_reduced_precision_trains_and_evaluates(name: str) -> None:
    network = with_sharing(NormSpec(statistics="moving"), dynamic_channels=name, edge_norms=True)
    net = supernet(network).float()
    x, routes = images().float(), Route.many(CELLS)
    with torch.autocast("cpu", torch.bfloat16):
        with net.policy.tracking():
            net(x, routes[3]).square().sum().backward()
        with torch.no_grad():
            low = net.forward_many(x, routes)
    assert all(p.grad.dtype == torch.float32 for p in net.parameters() if p.grad is not None)
    with torch.no_grad():
        high = net.forward_many(x, routes)
    assert low.isfinite().all() and (low - high).abs().mean() < 0.05 * high.abs().mean()


# -- shuffling ---------------------------------------------------------------------------------
def test_shuffled_paths_by_hand() -> None:
    """A training pass is the network by hand with the channels that the generator gives."""
    net = supernet(with_sharing(dynamic_channels="shuffle"))
    for number, one in enumerate(CELLS):
        torch.manual_seed(number)
        with net.policy.tracking():
            given = net(images(), Route.of(one))
        torch.manual_seed(number)
        orders: dict[int, Tensor] = {}

        def chosen(largest: Tensor, *widths: int) -> Tensor:
            for dimension, width in enumerate(widths):
                size = largest.shape[dimension]
                if width < size:
                    if size not in orders:  # noqa: B023
                        orders[size] = torch.randperm(size)  # noqa: B023
                    largest = largest.index_select(dimension, orders[size][:width])  # noqa: B023
            return largest

        torch.testing.assert_close(given, by_hand(net, one, images(), take=chosen))


def test_shuffling_trains_all_channels_of_a_narrow_vertex_equally() -> None:
    torch.manual_seed(0)
    net = supernet(with_sharing(dynamic_channels="shuffle"))
    weight = net.trunk.layers[0].vertices["1"].projection.conv.weight
    counts: Counter[int] = Counter()
    for _ in range(100):
        net.zero_grad(set_to_none=True)
        with net.policy.tracking():
            net(images(), Route.of(THREE)).square().sum().backward()
        used = weight.grad.flatten(1).abs().sum(1).nonzero().flatten().tolist()
        assert len(used) == 3
        counts.update(used)
    assert chisquare([counts[channel] for channel in range(7)]).pvalue > 0.001


def test_evaluation_shuffles_nothing_and_draws_nothing() -> None:
    shuffled, fixed = supernet(with_sharing(dynamic_channels="shuffle")), supernet()
    state = torch.get_rng_state()
    for one in CELLS:
        assert torch.equal(shuffled(images(), Route.of(one)), fixed(images(), Route.of(one)))
    with shuffled.probing():
        shuffled.forward_many(images(), Route.many(CELLS))
    assert torch.equal(torch.get_rng_state(), state)


def test_in_training_many_routes_have_orders_of_their_own() -> None:
    net = supernet(with_sharing(dynamic_channels="shuffle"))
    routes = Route.many([THREE] * 3)
    with net.policy.tracking():
        torch.manual_seed(1)
        many = net.forward_many(images(), routes)
        torch.manual_seed(1)
        single = torch.stack([net(images(), route) for route in routes])
    assert torch.equal(many, single) and not torch.equal(many[0], many[1])


# -- frozen (joint 3) --------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["fixed", "shuffle", "interpolate"])
def test_what_a_path_did_not_use_stays_frozen(name: str) -> None:
    torch.manual_seed(0)
    net = supernet(with_sharing(dynamic_channels=name, ofa_kernel=True))
    spec = OptimiserSpec(learning_rate=0.1, weight_decay=0.3, momentum=0.9)
    optimiser = make_optimiser(net.parameters(), spec)
    before = {key: value.detach().clone() for key, value in net.named_parameters()}
    with net.policy.tracking():
        net(images(), Route.of(THREE)).square().sum().backward()
    gradients = {key: value.grad for key, value in net.named_parameters()}
    apply_update(optimiser, None, "frozen")
    moved = {key: value != before[key] for key, value in net.named_parameters()}
    partly = 0
    for key, gradient in gradients.items():
        assert moved[key].any() == (gradient is not None), key
        match = re.fullmatch(r"trunk\.layers\.(\d)\.vertices\.(\d)\.(.*)", key)
        if gradient is None or match is None or "conv.projection" in key:
            continue
        layer, vertex, part = match.groups()
        width = (3, 2, 2)[int(vertex) - 1] if layer == "0" else (14, 28)[int(layer) // 4] / 3
        rows = moved[key].flatten(1).any(1) if moved[key].ndim > 1 else moved[key]
        if name == "interpolate":
            assert rows.all()
            continue
        assert int(rows.sum()) in (math.floor(width), math.ceil(width))
        if name == "fixed":
            assert rows.tolist() == sorted(rows.tolist(), reverse=True)
        if part.startswith("operations") and moved[key].ndim > 1:
            assert torch.equal(moved[key].any(0).flatten(1).any(1), rows), "inputs as outputs"
        partly += 1
    assert partly > 20 or name == "interpolate"
    # Vertex 2 has a 1x1 convolution only, made from the middle of its 3x3 kernel.
    owner = moved["trunk.layers.0.vertices.2.operations.0.conv.weight"]
    assert owner[:, :, 1, 1].any()
    owner[:, :, 1, 1] = False
    assert not owner.any()


# -- normalisations per edge (WSBN) --------------------------------------------------------------
def test_normalisations_of_edges_by_hand() -> None:
    net = supernet(with_sharing(edge_norms=True))

    def of_edges(name: str, sources: Sequence[int]) -> list[str]:
        return [f"{name}.norms.{source}" for source in sources]

    for one in CELLS:
        wanted = by_hand(net, one, images(), norm_of=of_edges)
        torch.testing.assert_close(net(images(), Route.of(one)), wanted)


def test_every_edge_has_a_normalisation_of_its_own() -> None:
    norm = NormSpec(statistics="moving")
    net = supernet(with_sharing(norm, edge_norms=True))
    vertex = net.trunk.layers[0].vertices["3"]
    for option in ("0", "1"):
        assert list(vertex.operations[option].norms) == ["0", "1", "2"]
    text = "conv3x3(0);conv3x3(0);conv1x1(0,2);output(1,3)"
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with net.policy.tracking():
        net(images(), Route.of(arch(text))).square().sum().backward()
    used = vertex.operations["1"].norms
    assert used["1"].weight.grad is None
    assert torch.equal(used["0"].weight.grad, used["2"].weight.grad)
    moved = {
        source: not torch.equal(
            used[source].running_mean,
            before[f"trunk.layers.0.vertices.3.operations.1.norms.{source}.running_mean"],
        )
        for source in used
    }
    assert moved == {"0": True, "1": False, "2": True}


def test_equal_normalisations_of_edges_are_the_plain_network() -> None:
    plain, other = supernet(), supernet(with_sharing(edge_norms=True))
    state = plain.state_dict()
    with torch.no_grad():
        for name, value in other.state_dict().items():
            parts = name.split(".norms.")
            source = f"{parts[0]}.norm.{parts[1].split('.', 1)[1]}" if len(parts) > 1 else name
            value.copy_(state[source])
    for one in CELLS:
        route = Route.of(one)
        torch.testing.assert_close(other(images(), route), plain(images(), route))


# -- one kernel ----------------------------------------------------------------------------------
def test_one_kernel_serves_both_convolutions() -> None:
    net, plain = supernet(with_sharing(ofa_kernel=True)), supernet()
    for layer in (0, 2, 4):
        vertex = net.trunk.layers[layer].vertices["2"]
        assert [name for name, _ in vertex.operations["1"].conv.named_parameters()] == [
            "projection"
        ]
    state = net.state_dict()
    with torch.no_grad():
        for name, value in net.named_parameters():
            if name.endswith("projection") and value.shape == (1, 1):
                assert value.item() == 1
                value.fill_(-1.5)
        for name, value in plain.state_dict().items():
            owner = name.replace(".operations.1.conv.", ".operations.0.conv.")
            value.copy_(state[name] if owner == name else -1.5 * state[owner][:, :, 1:2, 1:2])
    for one in CELLS:
        torch.testing.assert_close(net(images(), Route.of(one)), plain(images(), Route.of(one)))
    net(images(), Route.of(THREE)).square().sum().backward()
    middle = net.trunk.layers[0].vertices["2"].operations["1"].conv
    assert isinstance(middle, MiddleConv) and middle.projection.grad is not None


# -- dropout -------------------------------------------------------------------------------------
def test_paths_are_dropped_in_training_passes_only() -> None:
    net, plain = supernet(with_sharing(path_dropout=0.5)), supernet()
    for one in CELLS:
        assert torch.equal(net(images(), Route.of(one)), plain(images(), Route.of(one)))
    cell = net.trunk.layers[0]
    x = torch.ones(4_000, 1, 1, 1)
    assert cell.dropped(x) is x
    torch.manual_seed(0)
    with net.policy.tracking():
        kept = cell.dropped(x)
        assert set(kept.unique().tolist()) == {0.0, 2.0}
        assert abs(kept.mean().item() - 1) < 0.1
        assert not torch.equal(net(images(), Route.of(THREE)), plain(images(), Route.of(THREE)))


def test_every_edge_is_dropped_by_itself() -> None:
    """Edges into vertices and into the output: as many draws as there are live edges."""
    net = supernet(with_sharing(path_dropout=0.5))
    for one in CELLS:
        edges = len(NB101_SPACE.live(one).cell.edges)
        calls = []
        drop = net.trunk.layers[0].drop_path

        class Counting:
            probability = 0.5

            def __call__(self, x: Tensor) -> Tensor:
                calls.append(len(x))  # noqa: B023
                return drop(x)  # noqa: B023

        net.trunk.layers[0].drop_path = Counting()
        with net.policy.tracking():
            net(images(), Route.of(one))
        net.trunk.layers[0].drop_path = drop
        assert calls == [4] * edges


def test_global_dropout_acts_before_the_pooling() -> None:
    net, plain = supernet(with_sharing(global_dropout=0.4)), supernet()
    assert torch.equal(net(images(), Route.of(THREE)), plain(images(), Route.of(THREE)))
    x = torch.ones(3, SMALL.channels * 4, 30, 30, dtype=torch.float64)
    with net.policy.tracking():
        torch.manual_seed(0)
        given = net.head(x)
        torch.manual_seed(0)
        dropped = F.dropout(x, 0.4).mean((2, 3))
    torch.testing.assert_close(given, net.head.classifier(dropped))
