"""Groups of seeds: who belongs together, and names that say what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.compare import group_runs
from engine.runs import create_run
from engine.spec.experiment import ExperimentSpec

RATE = "learning_rate"


def names(runs: Path, *specs: dict[str, Any]) -> dict[str, list[str]]:
    folders = [
        create_run(runs, ExperimentSpec.model_validate(spec), f"r{number}")
        for number, spec in enumerate(specs)
    ]
    return {name: [f.run_id for f in found] for name, found in group_runs(folders).items()}


def rate(value: float, **more: Any) -> dict[str, Any]:
    return {"super_net": {"optimiser": {RATE: value}}, **more}


def test_seeds_names_and_devices_make_no_group(tmp_path: Path) -> None:
    found = names(tmp_path, {"seed": 0}, {"seed": 1, "name": "x", "notes": "y"}, {"tags": ["z"]})
    assert found == {"spos on nb201, digits": ["r0", "r1", "r2"]}


def test_a_group_is_named_after_what_differs(tmp_path: Path) -> None:
    found = names(tmp_path, rate(0.1), rate(0.2, seed=3), rate(0.1, seed=3))
    assert found == {
        "spos on nb201, digits · learning_rate=0.1": ["r0", "r2"],
        "spos on nb201, digits · learning_rate=0.2": ["r1"],
    }


def test_what_most_groups_have_is_not_said(tmp_path: Path) -> None:
    """One factor changed at a time: each group is named after its own change."""
    wide, plain = {"network": {"channels": 32}}, {"network": {"norm": {"affine": False}}}
    found = names(tmp_path, rate(0.1), {}, wide, plain, {"seed": 1})
    assert found == {
        "spos on nb201, digits · learning_rate=0.1": ["r0"],
        "spos on nb201, digits": ["r1", "r4"],
        "spos on nb201, digits · channels=32": ["r2"],
        "spos on nb201, digits · affine=false": ["r3"],
    }


def test_what_the_name_has_is_not_said_twice(tmp_path: Path) -> None:
    landmarks = {"addons": {"landmark": {"rounds": 2}}}
    found = names(tmp_path, {}, {"algorithm": "fairnas"}, landmarks, {"space": "nats_size"})
    assert list(found) == [
        "spos on nb201, digits",
        "fairnas on nb201, digits",
        "spos + landmark on nb201, digits",
        "spos on nats_size, digits",
    ]


def test_add_ons_that_differ_inside_are_told_apart(tmp_path: Path) -> None:
    found = names(tmp_path, *({"addons": {"landmark": {"rounds": r}}} for r in (1, 2)))
    assert list(found) == [
        "spos + landmark on nb201, digits · rounds=1",
        "spos + landmark on nb201, digits · rounds=2",
    ]


def test_more_differences_than_a_name_holds_are_numbered(tmp_path: Path) -> None:
    more = {"data": {"train_images": 9, "split_seed": 2}, "network": {"cells": 1, "channels": 2}}
    found = names(tmp_path, {}, {"search": {"keep": 2}}, more | rate(0.1), more | rate(0.2))
    *_, third, fourth = found
    assert fourth == f"{third} (2)"
    assert third.count("=") == 3
