"""What every registered search space owes to searchers, networks, pages and files."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from engine.compose import check
from engine.core.architecture import Architecture
from engine.core.capabilities import CELL_GRAPH, SENTENCES, SHARED_WEIGHTS
from engine.core.space import Space
from engine.core.streams import Streams
from engine.datasets.batches import DeviceImages
from engine.networks import Route, build_stand_alone, build_supernet
from engine.networks.builder import BUILDERS
from engine.spaces import SPACES, get_space
from engine.spec.data import AugmentationSpec
from engine.spec.errors import ArchitectureError
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec, SharingSpec
from engine.spec.training import SuperNetSpec
from engine.training.checkpoint import pack, unpack
from engine.training.supernet_trainer import SuperNetTrainer

# Four channels, which `nb101` needs: up to four vertices share them.
SMALL = NetworkSpec(channels=4, cells=1, classes=3, input_channels=1, resolution=8)
pytestmark = [
    pytest.mark.parametrize("name", SPACES.names()),
    pytest.mark.usefixtures("one_thread"),
]


def drawn(space: Space, count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def test_it_describes_itself(name: str) -> None:
    space = get_space(name)
    assert space.name == name
    assert space.title and space.source and space.help.endswith(".")
    assert space.provides <= set(SENTENCES)
    names = [choice.name for choice in space.choices]
    assert len(set(names)) == len(names) > 0
    for choice in space.choices:
        if choice.parent is not None:
            parent = space.choices[names.index(choice.parent[0])]
            assert choice.parent[1] in parent.options


def test_texts_and_json_read_back(name: str) -> None:
    space = get_space(name)
    for one in drawn(space, 200):
        assert space.is_valid(one)
        assert space.parse(space.to_text(one)) == one
        assert Architecture.from_json(json.loads(json.dumps(one.to_json()))) == one
        assert space.encode(list(space.decode(one).values())) == one
        assert space.hamming(one, one) == 0


def test_sampling_and_moves_depend_on_the_generator_alone(name: str) -> None:
    space = get_space(name)
    first, second = drawn(space, 2)
    assert drawn(space, 20) == drawn(space, 20) != drawn(space, 20, seed=1)
    for move in (
        lambda rng: space.mutate(first, rng),
        lambda rng: space.mutate_each(first, rng, 0.5),
        lambda rng: space.crossover(first, second, rng),
    ):
        results = [[move(np.random.default_rng(s)) for s in range(20)] for _ in range(2)]
        assert results[0] == results[1]
        assert all(space.is_valid(one) for one in results[0])


def test_what_is_foreign_is_refused(name: str) -> None:
    space = get_space(name)
    one = drawn(space, 1)[0]
    largest = len(space.choices[0].options)
    for wrong in (
        Architecture("another", one.indices),
        Architecture(name, one.indices[:-1]),
        Architecture(name, (largest, *one.indices[1:])),
        Architecture(name, (-1, *one.indices[1:])),
    ):
        assert not space.is_valid(wrong)
        for use in (space.to_text, space.canonical, space.decode):
            with pytest.raises(ArchitectureError):
                use(wrong)
        with pytest.raises(ArchitectureError):
            space.cost(wrong, SMALL)
    for text in ("", "nonsense", space.to_text(one)[:-2]):
        with pytest.raises(ArchitectureError):
            space.parse(text)


def test_enumeration_is_complete_where_the_space_is_small(name: str) -> None:
    space = get_space(name)
    if space.size > 100_000:
        first = list(islice(space.enumerate(), 100))
        assert len(set(first)) == 100
    else:
        found = list(space.enumerate())
        assert len(set(found)) == len(found) == space.size
    assert all(space.is_valid(one) for one in islice(space.enumerate(), 100))


def test_costs_are_whole_numbers_that_grow_with_the_network(name: str) -> None:
    space = get_space(name)
    wider = SMALL.model_copy(update={"channels": 5})
    larger = SMALL.model_copy(update={"resolution": 16})
    for one in drawn(space, 50):
        cost = space.cost(one, SMALL)
        assert type(cost.params) is type(cost.flops) is int
        assert space.cost(one, wider).params > cost.params > 0
        assert space.cost(one, larger).params == cost.params
        assert space.cost(one, larger).flops > cost.flops > 0


def test_drawings_name_their_nodes(name: str) -> None:
    space = get_space(name)
    if CELL_GRAPH not in space.provides:
        pytest.skip("this space has no cell to draw")
    for one in drawn(space, 20):
        for graph in space.graphs(one).values():
            assert len(set(graph.nodes)) == len(graph.nodes)
            for source, target, _, _ in graph.edges:
                assert graph.nodes.index(source) < graph.nodes.index(target)


def test_it_has_a_network_in_which_each_architecture_runs(name: str) -> None:
    space = get_space(name)
    if SHARED_WEIGHTS not in space.provides:
        pytest.skip("this space shares no weights")
    assert name in BUILDERS
    net = build_supernet(name, SMALL, seed=1)
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for one in drawn(space, 10):
        assert net(images, Route.of(one)).shape == (4, 3)
        assert build_stand_alone(one, SMALL, seed=2)(images, Route.of(one)).shape == (4, 3)


def test_initial_weights_depend_on_the_seed_alone(name: str) -> None:
    def weights(seed: int, ambient: int) -> dict[str, list[float]]:
        torch.manual_seed(ambient)
        before = torch.get_rng_state()
        state = build_supernet(name, SMALL, seed).state_dict()
        assert torch.equal(torch.get_rng_state(), before)
        return {key: value.flatten().tolist() for key, value in state.items()}

    if SHARED_WEIGHTS not in get_space(name).provides:
        pytest.skip("this space shares no weights")
    assert weights(1, 10) == weights(1, 11)
    assert weights(1, 10) != weights(2, 10)


# -- sharing factors ---------------------------------------------------------------------------
def variants(space: Space) -> list[dict[str, Any]]:
    """Return every value of every factor of a space, with what it needs."""
    values: dict[str, list[Any]] = {
        "dynamic_channels": ["shuffle", "interpolate"],
        "path_dropout": [0.5],
        "global_dropout": [0.5],
        "operations_on": [{"edge": "node"}.get(space.operations_on, "edge")],
        "partial_channels": [2],
    }
    found = [{name: one} for name in sorted(space.factors) for one in values.get(name, [True])]
    for one in found:
        if "edge_norms" in one and space.operations_on == "edge":
            one["operations_on"] = "node"
    return found


class SomePaths:
    """The same three routes in every update."""

    per_update = 3

    def __init__(self, space: Space) -> None:
        self.chosen = Route.many(drawn(space, self.per_update))

    def routes(self, rng: np.random.Generator, share: float) -> list[Route]:
        return self.chosen


def trainer(name: str, sharing: dict[str, Any]) -> SuperNetTrainer:
    """Return a trainer of two steps an epoch, in surroundings of another random state."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, 8, 8, 1)).astype(np.uint8)
    images = DeviceImages(pixels, rng.integers(0, 3, 8), "cpu", (0.5,), (0.3,))
    network = SMALL.model_copy(update={"sharing": SharingSpec(**sharing)})
    return SuperNetTrainer(
        build_supernet(name, network, seed=1),
        SuperNetSpec(epochs=1, batch_size=4),
        {"train": images, "held_out": images},
        AugmentationSpec(),
        SomePaths(get_space(name)),
        None,
        Streams(0),
    )


def trained(name: str, sharing: dict[str, Any]) -> dict[str, list[float]]:
    """Train two steps, resume from the checkpoint between them, and return the equal ends."""
    first, second = trainer(name, sharing), trainer(name, sharing)
    saved: list[tuple[Any, ...]] = []

    def save() -> None:
        tensors = pack(first.net, first.optimiser)
        copies = {key: value.clone() for key, value in tensors.items()}
        saved.append((first.state(), first.streams.state(), copies))

    torch.manual_seed(5)
    first.run_epoch(save)
    ((state, streams, tensors),) = saved
    torch.manual_seed(6)
    second.streams.load_state(streams)
    second.load_state(state)
    unpack(tensors, second.net, second.optimiser)
    second.run_epoch(lambda: None)
    ends = [
        {key: value.flatten().tolist() for key, value in one.net.state_dict().items()}
        for one in (first, second)
    ]
    assert ends[0] == ends[1], f"{sharing}: resumed is not the same as never stopped"
    return ends[0]


def test_each_sharing_factor_runs_acts_and_resumes_exactly(name: str) -> None:
    space = get_space(name)
    assert space.factors <= set(SharingSpec.model_fields)
    if not space.factors:
        pytest.skip("the super-net of this space has no factors")
    plain = trained(name, {})
    for sharing in variants(space):
        network = {"channels": 4, "cells": 3, "sharing": sharing}
        spec = ExperimentSpec.model_validate({"space": name, "network": network})
        assert [f for f in check(spec) if "sharing" in f.field] == [], sharing
        assert trained(name, sharing) != plain, f"{sharing} does nothing"
