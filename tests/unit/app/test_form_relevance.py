"""What the form shows has an effect and is allowed: all spaces with all algorithms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from app.widgets import schema
from app.widgets.parts import FAMILIES, family, missing, recipe_part, space_part
from app.widgets.relevance import irrelevant, refusals
from app.widgets.schema import Field, at
from engine.compose import check
from engine.core.registry import Registry
from engine.recipes import RECIPES
from engine.recipes.registry import Recipe
from engine.spaces import SPACES
from engine.spec.errors import CompositionError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, problems, set_field

FIELDS = schema.read(ExperimentSpec.model_json_schema())
PARTS = ("algorithm", "space", "data.name", "task")
# Values that are out of reach for reasons of size are `SpecError`s with the limit; these are the
# fields whose numbers must divide each other.
DIVIDES = {
    "network.channels": 32,
    "network.sharing.partial_channels": 2,
    "stand_alone.channels": 8,
}


def plain_fields(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        if field.kind == "section":
            yield from plain_fields(field.fields)
        elif field.kind in ("flag", "whole", "number", "choice") and field.path not in PARTS:
            yield field


def others(field: Field, now: Any) -> list[Any]:
    """Return values of a field that a person could choose instead."""
    if field.path in DIVIDES:
        return [DIVIDES[field.path]]
    if field.kind == "flag":
        return [not now]
    if field.kind == "choice":
        return [one for one in field.options if one != now]
    if field.kind == "whole":
        return [(now or field.low or 1) + 1]
    return [now * 0.9 if now else 0.2 if now is not None else 1.0]


@cache
def base(space: str, algorithm: str) -> dict[str, Any]:
    """Return a small valid experiment, with add-ons, so that all sections are there."""
    spec = ExperimentSpec.model_validate(
        {
            "space": space,
            "algorithm": algorithm,
            "evaluation": {"sample": 5},
            "network": {"channels": 16, "cells": SPACES[space].fixed.get("cells", 3)},
            "addons": {"landmark": {"per_round": 2, "min_distance": 1}, "plasticity": {}},
        }
    )
    return spec.model_dump(mode="json")


def pairs() -> list[tuple[str, str]]:
    return [(s, a) for s in SPACES for a in RECIPES if RECIPES[a].requires <= SPACES[s].provides]


def shown(field: Field, value: dict[str, Any], hidden: frozenset[str]) -> bool:
    section = at(value, field.path.rpartition(".")[0]) if "." in field.path else value
    return field.path not in hidden and field.matters(section or {})


@pytest.mark.parametrize(("space", "algorithm"), pairs())
def test_no_shown_setting_leads_to_what_cannot_be_combined(space: str, algorithm: str) -> None:
    value = base(space, algorithm)
    assert check(build(value)) == []
    hidden = irrelevant(value, space_part(value), recipe_part(algorithm))
    refused = set()
    for field in plain_fields(FIELDS):
        for other in others(field, at(value, field.path)):
            changed = build(value).model_dump(mode="json")
            set_field(changed, field.path, other)
            assert problems(changed) == [], "the test's own value is of the right type"
            faults = [one for one in check(build(changed)) if isinstance(one, CompositionError)]
            if faults:
                refused.add(field.path)
                assert not shown(field, value, hidden), (field.path, other, str(faults[0]))
    assert refused <= hidden


def hidden_of(algorithm: str = "spos", space: str = "nb201", **changes: Any) -> frozenset[str]:
    value = base(space, algorithm) | {}
    value = build(value).model_dump(mode="json")
    for path, given in changes.items():
        set_field(value, path.replace("__", "."), given)
    return irrelevant(value, space_part(value), recipe_part(algorithm))


@pytest.mark.parametrize(
    ("path", "hides", "shows"),
    [
        ("data.path", {}, {"data__name": "cifar10"}),
        ("data.held_out_fraction", {"data__held_out_images": 50}, {}),
        ("network.cells", {"space": "nats_size"}, {}),
        ("stand_alone.cells", {"space": "nats_size"}, {}),
        ("stand_alone.drop_path", {}, {"space": "darts"}),
        ("super_net.recompute", {}, {"space": "darts"}),
        ("super_net.unsampled", {"algorithm": "darts"}, {}),
        ("search.parents", {"algorithm": "darts"}, {}),
        ("search.mutation", {"algorithm": "rsps"}, {"algorithm": "fairnas"}),
        ("evaluation.forgetting", {"algorithm": "darts"}, {"algorithm": "gdas"}),
        ("evaluation.ground_truth.landmark_column", {"addons__landmark": None}, {}),
        ("stand_alone.epochs", {"evaluation__ground_truth__source": "table"}, {}),
        ("network.sharing.partial_channels", {"algorithm": "pc_darts"}, {"algorithm": "darts"}),
        ("network.sharing.edge_norms", {}, {"network__sharing__operations_on": "node"}),
        ("network.sharing.dynamic_channels", {}, {"space": "nb101"}),
    ],
)  # fmt: skip
def test_settings_without_effect_are_hidden(
    path: str, hides: dict[str, Any], shows: dict[str, Any]
) -> None:
    assert path in hidden_of(**hides)
    assert path not in hidden_of(**shows)


def test_everything_that_is_hidden_exists() -> None:
    every = {name for s, a in pairs() for name in hidden_of(a, s)}
    for path in every:
        assert schema.find(FIELDS, path).path == path


def test_an_addon_that_an_algorithm_does_not_take_is_refused_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = Recipe("bare", "Bare", "", "", paths="uniform", searcher="random", addons=frozenset())
    registry: Registry[Recipe] = Registry("algorithm", "algorithm")
    for recipe in (bare, RECIPES["spos"]):
        registry.register(recipe.name, recipe)
    monkeypatch.setattr("app.widgets.parts.RECIPES", registry)
    monkeypatch.setattr("app.widgets.relevance.RECIPES", registry)
    found = refusals(recipe_part("bare"), ("landmark", "plasticity"), "Bare")
    assert set(found) == {"addons.landmark", "addons.plasticity"}
    assert found["addons.landmark"].startswith("Bare cannot be combined with it.")
    assert RECIPES["spos"].title in found["addons.landmark"]
    assert refusals(recipe_part("spos"), ("landmark", "plasticity"), "SPOS") == {}


@pytest.mark.parametrize(("space", "algorithm"), [(s, a) for s in SPACES for a in RECIPES])
def test_what_a_space_lacks_is_what_compose_refuses(space: str, algorithm: str) -> None:
    spec = ExperimentSpec(space=space, algorithm=algorithm)
    fields = [fault.field for fault in check(spec)]
    lacking = missing(space_part(spec.model_dump()), algorithm)
    assert bool(lacking) == ("algorithm" in fields)


def test_every_algorithm_has_a_family_with_a_line() -> None:
    found = {name: family(name) for name in RECIPES}
    assert set(found.values()) == set(FAMILIES)
    assert (found["spos"], found["darts"], found["enas"], found["nao"]) == (
        "Sampling", "Gradient", "Policy", "Predictor",
    )  # fmt: skip


def test_a_sections_own_defaults_are_those_of_the_engine() -> None:
    spec = ExperimentSpec().model_dump(mode="json")
    for field in plain_fields(FIELDS):
        if not field.path.startswith("addons."):
            assert field.default == at(spec, field.path), field.path
