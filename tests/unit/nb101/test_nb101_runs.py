"""Whole runs on NAS-Bench-101: sub-spaces, every way of cutting channels, paused and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nb101_cases import subspace
from safetensors.torch import load_file

from engine.control import FlagControl
from engine.events import Event, Events, Progress
from engine.experiment import execute, new_owner
from engine.export.folder import FoundArchitecture, write_architecture_folder
from engine.export.record import load_architecture_json
from engine.export.weights import load_weights
from engine.lab import Lab
from engine.networks import Route, build_stand_alone
from engine.runs import RunFolder, create_run
from engine.spec.experiment import ExperimentSpec


def spec_of(settings: dict[str, int], **sharing: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "data": {
                "name": "digits",
                "train_images": 60,
                "held_out_images": 40,
                "test_images": 20,
                "augmentation": {"crop_padding": 1},
            },
            "space": "nb101",
            "space_settings": settings,
            "network": {"channels": 4, "cells": 1, "sharing": sharing},
            "algorithm": "spos",
            "addons": {
                "landmark": {"per_round": 3, "rounds": 1, "min_distance": 2, "warm_up": 0.0}
            },
            "super_net": {"epochs": 2, "batch_size": 20, "checkpoint_every": 1},
            "stand_alone": {"epochs": 1, "batch_size": 20},
            "evaluation": {"sample": 3, "every": 1},
            "search": {"population": 3, "generations": 2, "parents": 2, "keep": 2},
            "seed": 5,
            "device": "cpu",
        }
    )


class PauseAfterEpoch:
    """Wishes a pause as soon as the first epoch is reported."""

    def __init__(self, control: FlagControl) -> None:
        self.control = control

    def write(self, event: Event) -> None:
        if event["type"] == "epoch":
            self.control.flag = "pause"

    def progress(self, progress: Progress) -> None:
        pass

    def rewind(self, seq: int) -> None:
        pass


def run(folder: RunFolder, pause: bool = False) -> str:
    control = FlagControl()
    sinks = [PauseAfterEpoch(control)] if pause else []
    return execute(folder, owner=new_owner(), sinks=sinks, control=control, beat=False)


def told(folder: RunFolder) -> list[Event]:
    """Return what a run found out, without its clock and without where truths came from."""
    kept = ("epoch", "ranking", "landmarks", "sample", "generation", "architecture")
    dropped = ("time", "seq", "measured")
    events = [event for event in folder.events() if event["type"] in kept]
    return [{k: v for k, v in event.items() if k not in dropped} for event in events]


@pytest.mark.parametrize(
    ("settings", "sharing"),
    [
        ({"nodes": 5}, {"dynamic_channels": "shuffle", "path_dropout": 0.3}),
        ({"nodes": 6, "output_edges": 2}, {"edge_norms": True, "dynamic_channels": "interpolate"}),
    ],
)
def test_a_paused_run_ends_as_if_it_had_not_been(
    settings: dict[str, int],
    sharing: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    straight = create_run(tmp_path / "runs", spec_of(settings, **sharing), "straight")
    assert run(straight) == "finished"
    paused = create_run(tmp_path / "runs", spec_of(settings, **sharing), "paused")
    assert run(paused, pause=True) == "paused"
    assert run(paused) == "finished"
    assert told(paused) == told(straight)
    space = subspace(**settings)
    found = [e for e in told(straight) if e["type"] == "architecture"]
    assert found
    for event in found:
        cell = space.live(space.parse(event["text"])).cell
        assert cell.vertices <= settings["nodes"]
        assert len(cell.feeders) == settings.get("output_edges", len(cell.feeders))
    for path in straight.path.glob("architectures/*/architecture.json"):
        record = load_architecture_json(path)
        assert record.space_settings == settings
        assert record.search_space.parse(record.text) == record.architecture


def test_ground_truth_of_the_whole_space_serves_its_subspaces(tmp_path: Path) -> None:
    """Trained with dead vertices and in another order, found and exported in a sub-space."""
    labs = [Lab.build(spec_of(nodes), Events([]), tmp_path) for nodes in ({}, {"nodes": 4})]
    large = labs[0].space.parse(
        "conv3x3();maxpool3x3(0);conv1x1(0);conv3x3(1);conv1x1(0);output(2,3)"
    )
    small = labs[1].space.parse("conv1x1(0);maxpool3x3(0);output(1,2)")
    first = labs[0].truth.get(large, lambda: None)
    second = labs[1].truth.get(small, lambda: None)
    assert (first.origin, second.origin) == ("trained", "bank")
    assert first.value == second.value
    found = labs[1].truth.weights(small)
    assert found is not None
    path, trained_as = found
    assert labs[1].space.to_text(trained_as) == "maxpool3x3(0);conv1x1(0);output(1,2)"
    record = write_architecture_folder(
        tmp_path / "1",
        FoundArchitecture(
            small,
            labs[1].network,
            space_settings={"nodes": 4},
            weights=path,
            trained_as=trained_as,
        ),
    )
    net, _ = load_weights(tmp_path / "1" / "weights.safetensors")
    images = labs[0].trainer.images.batches(20)
    x = next(iter(images))[0]
    trained = build_stand_alone(large, labs[0].network, 0)
    trained.load_state_dict(load_file(path))
    with net.probing(), trained.eval().probing():
        torch.testing.assert_close(
            net(x, Route.of(record.architecture)), trained(x, Route.of(large))
        )
