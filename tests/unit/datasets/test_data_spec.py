"""The fields of an experiment's data, and the registry of data sets."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from engine.datasets import DATASETS, load
from engine.spec.data import AugmentationSpec, DataSpec
from engine.spec.errors import DataError


@pytest.mark.parametrize("model", [DataSpec, AugmentationSpec])
def test_every_field_has_help_and_unit(model: type) -> None:
    for name, field in model.model_fields.items():
        assert len(field.description) > 20, name
        assert "unit" in field.json_schema_extra, name


def test_every_number_has_a_lower_bound_in_the_schema() -> None:
    schema = DataSpec.model_json_schema()
    for properties in (schema["properties"], schema["$defs"]["AugmentationSpec"]["properties"]):
        for name, field in properties.items():
            kinds = [field, *field.get("anyOf", [])]
            for kind in kinds:
                if kind.get("type") in ("integer", "number"):
                    assert "minimum" in kind or "exclusiveMinimum" in kind, name


@pytest.mark.parametrize(
    "bad",
    [
        {"resolution": 3},
        {"resolution": 513},
        {"train_images": 0},
        {"held_out_images": 0},
        {"test_images": -1},
        {"held_out_fraction": 0},
        {"held_out_fraction": 1},
        {"split_seed": -1},
        {"path": ""},
        {"name": ""},
        {"colour": True},
        {"augmentation": {"crop_padding": -1}},
        {"augmentation": {"cutout": 513}},
        {"augmentation": {"mirror": True}},
    ],
)
def test_impossible_values_are_refused(bad: dict) -> None:
    with pytest.raises(ValidationError) as caught:
        DataSpec.model_validate(bad)
    assert next(iter(bad)) in str(caught.value)


def test_defaults_change_no_image() -> None:
    augmentation = DataSpec().augmentation
    assert (augmentation.flip, augmentation.crop_padding, augmentation.cutout) == (False, 0, 0)
    assert augmentation.normalise


def test_round_trip_through_json() -> None:
    spec = DataSpec(name="npz", path="a.npz", train_images=5, augmentation={"flip": True})
    assert DataSpec.model_validate_json(spec.model_dump_json()) == spec


def test_unknown_data_set_lists_the_known_ones() -> None:
    with pytest.raises(DataError) as caught:
        load(DataSpec(name="imagnet"))
    for word in ("imagnet", "data.name", *DATASETS.names()):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", sorted(DATASETS.names()))
def test_registered_data_sets_say_what_they_are(name: str) -> None:
    info = DATASETS[name]
    assert info.title and info.description.endswith(".")
    if info.needs_path:
        with pytest.raises(DataError, match="data.path"):
            load(DataSpec(name=name))


def test_help_of_the_name_field_mentions_every_data_set() -> None:
    text = DataSpec.model_fields["name"].description or ""
    assert all(name in text for name in DATASETS.names())


def test_importing_the_package_loads_no_torch() -> None:
    code = (
        "import sys, engine.datasets, engine.datasets.fetch, engine.spec.data;"
        "print(sorted({'torch', 'sklearn'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
