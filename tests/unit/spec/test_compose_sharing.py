"""Sharing factors that make no sense together, or in a space, are refused with a way out."""

from __future__ import annotations

from typing import Any

import pytest

from engine.compose import check
from engine.spaces import SPACES
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import SharingSpec


def faults(space: str, sharing: dict[str, Any], **network: Any) -> dict[str, str]:
    spec = ExperimentSpec.model_validate(
        {"space": space, "network": {"cells": 3, **network, "sharing": sharing}}
    )
    return {fault.field: fault.problem for fault in check(spec) if "sharing" in fault.field}


@pytest.mark.parametrize("space", ["nb201", "darts"])
def test_factors_of_cells_with_operations_on_edges(space: str) -> None:
    assert faults(space, {}) == {}
    everything = {
        "ofa_kernel": True,
        "edge_norms": True,
        "path_dropout": 0.2,
        "global_dropout": 0.2,
        "operations_on": "node",
        "partial_channels": 4,
    }
    assert faults(space, everything) == {}
    assert set(everything) == SPACES[space].factors


@pytest.mark.parametrize("space", ["nb201", "darts"])
@pytest.mark.parametrize("place", ["default", "edge"])
def test_norms_per_edge_need_operations_on_nodes(space: str, place: str) -> None:
    found = faults(space, {"edge_norms": True, "operations_on": place})
    assert "has normalisations of its own already" in found["network.sharing.edge_norms"]
    assert "operations_on: node" in found["network.sharing.edge_norms"]


def test_norms_per_edge_need_something_to_keep() -> None:
    wsbn = {"edge_norms": True, "operations_on": "node"}
    found = faults("nb201", wsbn, norm={"affine": False})
    assert "nothing to keep per edge" in found["network.sharing.edge_norms"]
    assert faults("nb201", wsbn, norm={"affine": False, "statistics": "moving"}) == {}


@pytest.mark.parametrize(("k", "channels"), [(3, 16), (32, 16), (4, 6)])
def test_partial_channels_divide_the_channels(k: int, channels: int) -> None:
    found = faults("nb201", {"partial_channels": k}, channels=channels)
    assert found == {
        "network.sharing.partial_channels": f"must divide `network.channels`, {channels}; "
        f"given was {k}."
    }
    assert faults("nb201", {"partial_channels": k}, channels=2 * k) == {}


def test_an_algorithm_that_decides_the_partial_channels() -> None:
    def found(sharing: dict[str, Any], channels: int = 16) -> dict[str, str]:
        network = {"channels": channels, "sharing": sharing}
        spec = ExperimentSpec.model_validate({"algorithm": "pc_darts", "network": network})
        return {fault.field: fault.problem for fault in check(spec)}

    assert found({}) == found({"partial_channels": 4}) == {}
    field = "network.sharing.partial_channels"
    assert "decides it by `settings.partial_channels`" in found({"partial_channels": 2})[field]
    assert "must divide `network.channels`, 6; given was 4." in found({}, 6)[field]


@pytest.mark.parametrize("space", SPACES.names())
def test_what_a_space_does_not_have_is_refused_and_others_are_named(space: str) -> None:
    values = {
        "dynamic_channels": "shuffle",
        "path_dropout": 0.1,
        "global_dropout": 0.1,
        "operations_on": "edge",
        "partial_channels": 2,
    }
    for name in set(SharingSpec.model_fields) - SPACES[space].factors:
        found = faults(space, {name: values.get(name, True)})
        fitting = [other for other in SPACES.names() if name in SPACES[other].factors]
        words = found[f"network.sharing.{name}"]
        assert f"super-nets of `{space}` do not have this factor" in words
        assert all(one in words for one in fitting)
