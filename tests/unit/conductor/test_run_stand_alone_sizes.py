"""A run whose stand-alone networks are larger than its super-net: everything says whose size."""

from __future__ import annotations

import csv
import json
import types
from pathlib import Path

import torch
from safetensors.torch import load_file
from tiny_runs import finished, tiny

from engine.export.weights import load_weights
from engine.networks import Route
from engine.spaces import get_space
from engine.spec.network import NetworkSpec

torch.set_num_threads(1)
SPEC = tiny(
    space="darts",
    network={"channels": 2, "cells": 2},
    addons={"landmark": None},
    super_net={"epochs": 1},
    stand_alone={"channels": 3, "cells": 3, "auxiliary_weight": 0.4, "drop_path": 0.2},
    evaluation={"sample": 2},
    search={"population": 2, "generations": 1, "parents": 2, "keep": 1},
)


def test_records_weights_and_costs_are_those_of_the_stand_alone_network(tmp_path: Path) -> None:
    folder = finished(tmp_path, SPEC)
    events = {event["type"]: event for event in folder.events()}
    network = NetworkSpec.model_validate(events["run_started"]["network"])
    own = NetworkSpec.model_validate(events["run_started"]["stand_alone_network"])
    assert (network.channels, network.cells) == (2, 2)
    assert own == network.model_copy(update={"channels": 3, "cells": 3})
    space, place = get_space("darts"), folder.path / "architectures" / "1"
    net, record = load_weights(place / "weights.safetensors")
    assert record.network == own
    cost = space.cost(record.architecture, own)
    assert sum(value.numel() for value in net.parameters()) == cost.params
    result = folder.result()
    assert result is not None
    for told in (result["architectures"][0], events["architecture"]):
        assert (told["params"], told["flops"]) == (cost.params, cost.flops)
    assert json.loads((place / "architecture.json").read_text())["params"] == cost.params
    for row in csv.DictReader((folder.path / "ranking.csv").open()):
        known = space.cost(space.parse(row["text"]), own)
        assert (int(row["params"]), int(row["flops"])) == (known.params, known.flops)
    for row in events["sample"]["architectures"]:
        assert row["params"] == space.cost(space.parse(row["text"]), own).params
    # The exported module has these weights and nothing of the training's extras.
    module = types.ModuleType("model")
    exec(compile((place / "model.py").read_text(), "model.py", "exec"), module.__dict__)
    exported = module.Network()
    exported.load_state_dict(load_file(place / "weights.safetensors"))
    x = torch.randn(2, 1, 8, 8)
    with net.probing():
        ours = net.eval()(x, Route.of(record.architecture))
        torch.testing.assert_close(exported.eval()(x), ours)
