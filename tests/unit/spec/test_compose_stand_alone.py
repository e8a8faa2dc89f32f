"""Settings of training that a space's networks do not have."""

from __future__ import annotations

import pytest

from engine.compose import check
from engine.spaces import SPACES
from engine.spec.errors import CompositionError
from engine.spec.experiment import ExperimentSpec
from engine.spec.training import StandAloneSpec


def faults(space: str, **stand_alone: object) -> dict[str, str]:
    given = {"space": space, "stand_alone": stand_alone}
    return {f.field: f.problem for f in check(ExperimentSpec.model_validate(given))}


@pytest.mark.parametrize("name", SPACES.names())
def test_options_run_where_they_are_offered_and_are_refused_elsewhere(name: str) -> None:
    offered = SPACES[name].stand_alone_options
    assert offered <= set(StandAloneSpec.model_fields)
    for option in ("auxiliary_weight", "drop_path"):
        assert f"stand_alone.{option}" not in faults(name, **{option: 0.0})
        problem = faults(name, **{option: 0.2}).get(f"stand_alone.{option}")
        if option in offered:
            assert problem is None
        else:
            assert problem is not None
            assert "those of darts do. Set it to 0." in problem and f"`{name}`" in problem


def test_sizes_that_a_space_settles_cannot_be_changed() -> None:
    found = check(
        ExperimentSpec.model_validate({"space": "nats_size", "stand_alone": {"cells": 5}})
    )
    assert [type(fault) for fault in found] == [CompositionError]
    assert faults("nats_size", cells=5) == {
        "stand_alone.cells": "`nats_size` always has 1; leave this empty."
    }
    assert faults("nats_size", cells=1, channels=8) == {}
    assert faults("nb201", cells=2, channels=8) == {}


def test_a_size_that_the_space_cannot_have_is_named_where_it_was_given() -> None:
    problem = faults("nats_size", channels=1)
    assert list(problem) == ["stand_alone.channels"]


def test_one_epoch_never_drops() -> None:
    assert "2 epochs or more" in faults("darts", drop_path=0.2, epochs=1)["stand_alone.drop_path"]


@pytest.mark.parametrize("name", SPACES.names())
def test_recomputing_is_for_deep_operations(name: str) -> None:
    given = {"space": name, "super_net": {"recompute": True}}
    fields = [fault.field for fault in check(ExperimentSpec.model_validate(given))]
    assert ("super_net.recompute" in fields) != SPACES[name].recomputes
