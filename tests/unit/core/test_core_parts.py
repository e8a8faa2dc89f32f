"""Choices, architectures and registries: what they refuse and what they say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.registry import Registry
from engine.spec.errors import ArchitectureError, SpecError, StopRequested, WorkbenchError

architectures = st.builds(
    Architecture, st.text(max_size=10), st.lists(st.integers(), max_size=8).map(tuple)
)


# -- architectures -------------------------------------------------------------------------
@given(architectures)
@settings(deadline=None)
def test_architectures_survive_json(one: Architecture) -> None:
    assert Architecture.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_they_are_values() -> None:
    one = Architecture.of("s", np.array([1, 2]))
    assert one == Architecture("s", (1, 2)) and hash(one) == hash(Architecture("s", (1, 2)))
    assert all(type(index) is int for index in one.indices)
    assert one != Architecture("t", (1, 2)) and str(one) == "s:1.2"
    with pytest.raises(AttributeError):
        one.space = "t"  # type: ignore[misc]


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "text",
        [],
        [1, 2],
        {},
        {"space": "s"},
        {"indices": [1]},
        {"space": 1, "indices": [1]},
        {"space": "s", "indices": "12"},
        {"space": "s", "indices": [1.0]},
        {"space": "s", "indices": [True]},
        {"space": "s", "indices": [None]},
        {"space": "s", "indices": {"0": 1}},
    ],
)
def test_other_json_is_refused_with_what_was_given(value: Any) -> None:
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_json(value)
    assert repr(value) in str(caught.value)


def test_a_long_value_does_not_fill_the_page() -> None:
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_json({"space": 1, "indices": [0] * 10_000})
    assert len(str(caught.value)) < 250


# -- choices -------------------------------------------------------------------------------
def test_choices_have_options_each_once() -> None:
    assert Choice("edge", "op", ("a", "b")).parent is None
    with pytest.raises(ValueError, match="'edge' has no options"):
        Choice("edge", "op", ())
    with pytest.raises(ValueError, match="'edge' names an option twice"):
        Choice("edge", "op", ("a", "b", "a"))


# -- registries ----------------------------------------------------------------------------
def registry() -> Registry[int]:
    made: Registry[int] = Registry("search space", "space")
    for number, name in enumerate(("nb201", "darts", "nb101")):
        made.register(name, number)
    return made


def test_a_registry_is_a_mapping_in_alphabetical_order() -> None:
    made = registry()
    assert made.names() == ["darts", "nb101", "nb201"]
    assert list(made.items()) == [("darts", 1), ("nb101", 2), ("nb201", 0)]
    assert set(made) == set(made.names()) and len(made) == 3
    assert "darts" in made and "dart" not in made and made["nb201"] == 0


def test_a_name_taken_twice_is_an_error_and_changes_nothing() -> None:
    made = registry()
    with pytest.raises(ValueError, match="search space 'darts' is registered twice"):
        made.register("darts", 9)
    assert made["darts"] == 1


@pytest.mark.parametrize(
    ("name", "hint"), [("nb20", " Did you mean `nb201`?"), ("dart", " Did you mean `darts`?")]
)
def test_an_unknown_name_lists_the_known_ones(name: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        registry()[name]
    assert caught.value.field == "space"
    known = f"there is no search space `{name}`; known are darts, nb101, nb201.{hint}"
    assert caught.value.problem == known


def test_no_far_fetched_suggestion() -> None:
    with pytest.raises(SpecError) as caught:
        registry()["zzz"]
    assert "Did you mean" not in str(caught.value)


# -- errors and capabilities ---------------------------------------------------------------
def test_errors_print_as_sentences() -> None:
    assert str(SpecError("a.b", "is wrong.")) == "a.b: is wrong."
    assert str(SpecError("", "is wrong.")) == "is wrong."
    assert isinstance(SpecError("a", "b"), WorkbenchError)


def test_a_wish_to_stop_is_not_caught_as_an_error() -> None:
    assert not issubclass(StopRequested, Exception)
    assert StopRequested("pause").wish == "pause"


def test_every_capability_has_a_sentence() -> None:
    names = {
        value
        for name, value in vars(capabilities).items()
        if name.isupper() and isinstance(value, str)
    }
    assert names == set(capabilities.SENTENCES)
