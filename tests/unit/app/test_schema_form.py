"""Schemas read as forms: nothing is lost, limits are said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from app.widgets import form_sections, relevance, schema
from app.widgets.form_from_schema import values
from app.widgets.schema import Field as FormField
from app.widgets.seeds import parse_seeds
from engine.recipes import RECIPES
from engine.spec.addons import LandmarkSpec
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec

FIELDS = schema.read(ExperimentSpec.model_json_schema())


class Inner(BaseModel):
    size: int = Field(3, gt=0, le=9, json_schema_extra={"unit": "pixels"})


class Example(BaseModel):
    """A model with every kind of field."""

    flag: bool = False
    rate: float | None = Field(None, ge=0, lt=1, description="Some rate.")
    kind: Literal["a", "b"] = "b"
    only: Literal["x"] = "x"
    words: list[str] = Field(default_factory=list)
    inner: Inner = Field(default_factory=Inner)
    maybe: Inner | None = None
    big: Annotated[int, Field(lt=2**63)] = 0
    shown: str | None = Field(None, json_schema_extra={"shown_if": {"kind": "a"}})


def leaves(fields: tuple[FormField, ...]) -> Iterator[FormField]:
    for field in fields:
        if field.kind == "section":
            yield from leaves(field.fields)
        else:
            yield field


def test_every_kind_of_field_is_understood() -> None:
    fields = {field.name: field for field in schema.read(Example.model_json_schema())}
    assert {name: field.kind for name, field in fields.items()} == {
        "flag": "flag", "rate": "number", "kind": "choice", "only": "choice", "words": "words",
        "inner": "section", "maybe": "section", "big": "whole", "shown": "text",
    }  # fmt: skip
    rate, inner = fields["rate"], fields["inner"]
    assert (rate.optional, rate.limits, rate.help) == (True, "at least 0, below 1", "Some rate.")
    assert fields["kind"].options == ("a", "b") and fields["only"].options == ("x",)
    assert (inner.optional, fields["maybe"].optional) == (False, True)
    assert inner.fields[0].label == "Size (pixels)"
    assert inner.fields[0].limits == "above 0, at most 9"
    assert fields["shown"].matters({"kind": "a"}) and not fields["shown"].matters({"kind": "b"})


def test_a_section_that_is_switched_on_starts_with_its_models_defaults() -> None:
    fields = schema.find(FIELDS, "addons.landmark").fields
    assert schema.defaults(fields) == LandmarkSpec().model_dump(mode="json")


def test_what_is_not_touched_is_kept() -> None:
    value = ExperimentSpec(
        name="x", seed=2**60, addons={"landmark": {"rounds": 5}}, search={"max_params": 9}
    ).model_dump(mode="json")
    read = values(FIELDS, value, "unused")
    assert read == value


def test_every_setting_has_help() -> None:
    assert [field.path for field in leaves(FIELDS) if not field.help] == []


@pytest.mark.parametrize("path", [*form_sections.FRONT, *form_sections.LABELS])
def test_the_page_names_only_settings_that_exist(path: str) -> None:
    assert schema.find(FIELDS, path).path == path


@pytest.mark.parametrize("name", form_sections.OWN_LABELS)
def test_the_page_names_only_settings_that_algorithms_have(name: str) -> None:
    assert any(name in RECIPES[one].settings.model_fields for one in RECIPES)


@pytest.mark.parametrize("field", [f for f in leaves(FIELDS) if f.name != "settings"])
def test_every_setting_belongs_to_a_section_of_the_page(field: FormField) -> None:
    taken = (*relevance.TAKEN_FROM_DATA, "name", "tags")
    homes = [s.title for s in form_sections.SECTIONS if s.faults({field.path: ["wrong"]})]
    assert len(homes) == (0 if field.path in taken else 1), homes


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0", [0]), ("0, 1,2", [0, 1, 2]), ("3-5", [3, 4, 5]), ("7 8;9", [7, 8, 9]),
     ("1 - 3", [1, 2, 3]), ("2,2,1", [2, 1]), (str(2**62), [2**62])],
)  # fmt: skip
def test_seeds(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "x", "1,", "-1", "5-3", "0-999999999", "1.5", "1--2"])
def test_wrong_seeds_are_refused(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_seeds(text)
    assert caught.value.field == "seed"
