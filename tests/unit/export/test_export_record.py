"""`architecture.json` is read back as it was written, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from export_cases import CELLS, DATA, SKELETONS, full_record, nb201, record_of
from pydantic import ValidationError

from engine.core.architecture import Architecture
from engine.export.record import (
    DataRecord,
    architecture_json,
    describe,
    load_architecture_json,
    parse_architecture_json,
    write_architecture_json,
)
from engine.spaces import get_space
from engine.spec.errors import ArchitectureError, ExportError, SpecError


@pytest.mark.parametrize("cell", CELLS)
def test_round_trip(cell: str, tmp_path: Path) -> None:
    for record in (full_record(), record_of(CELLS[cell], "very small")):
        path = write_architecture_json(tmp_path / "a" / "architecture.json", record)
        assert load_architecture_json(path) == record


def test_content() -> None:
    value = json.loads(architecture_json(full_record()))
    space, architecture = get_space("nb201"), nb201(CELLS["mixed"])
    cost = space.cost(architecture, SKELETONS["grey, odd"])
    assert value["space"] == "nb201"
    assert value["indices"] == [3, 1, 2, 4, 0, 3]
    assert value["text"] == space.to_text(architecture)
    assert value["canonical"] == space.canonical(architecture)
    assert value["network"] == SKELETONS["grey, odd"].model_dump(mode="json")
    assert (value["params"], value["flops"]) == (cost.params, cost.flops)
    assert value["super_net_accuracy"] == 81.5
    assert value["stand_alone_accuracy"] == 96.25
    assert value["data"]["classes"] == DATA["classes"]
    assert (value["run_id"], value["rank"], value["seed"]) == ("a-run", 1, 3)
    assert full_record().architecture == architecture


DROP = object()
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "newer format": ({"format": 2}, "`format`"),
    "unknown field": ({"extra": 1}, "`extra`: Extra inputs are not permitted"),
    "missing field": ({"text": DROP}, "`text`: Field required"),
    "text for a number": ({"params": "12"}, "`params`"),
    "fraction for an index": ({"indices": [3.0, 1, 2, 4, 0, 3]}, "`indices.0`"),
    "truth for an index": ({"indices": [True, 1, 2, 4, 0, 3]}, "`indices.0`"),
    "too few indices": ({"indices": [1, 2]}, "has 6 choices; given were 2"),
    "index out of range": ({"indices": [9, 1, 2, 4, 0, 3]}, "has options 0 to 4; given was 9"),
    "other indices": ({"indices": [3, 1, 2, 4, 0, 2]}, "contradicts itself: `text`"),
    "other canonical": ({"canonical": "x"}, "contradicts itself: `canonical`"),
    "other params": ({"params": 1}, "contradicts itself: `params`"),
    "other flops": ({"flops": 1}, "contradicts itself: `flops`"),
    "unknown space": ({"space": "nb102"}, "there is no search space `nb102`"),
    "rank 0": ({"rank": 0}, "`rank`"),
    "impossible skeleton": ({"network": {"channels": 0}}, "`network.channels`"),
    "accuracy as text": ({"stand_alone_accuracy": "96"}, "`stand_alone_accuracy`"),
    "mean of three channels": (
        {"data": {"name": "d", "classes": list("abcdefg"), "mean": [0, 0, 0], "std": [1, 1, 1]}},
        "data.mean has 3 numbers for 1 channels",
    ),
    "classes of another data set": (
        {"data": {"name": "d", "classes": ["a", "b"]}},
        "data.classes names 2 classes, but the network has 7",
    ),
    "std of 0": (
        {"data": {"name": "d", "classes": list("abcdefg"), "mean": [0.5], "std": [0]}},
        "std must be above 0",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_changed_records_are_refused(case: str) -> None:
    changes, message = CHANGES[case]
    value = json.loads(architecture_json(full_record()))
    value.update(changes)
    value = {key: item for key, item in value.items() if item is not DROP}
    with pytest.raises(ExportError) as caught:
        parse_architecture_json(json.dumps(value), "some.json")
    assert message in str(caught.value)
    assert str(caught.value).startswith("some.json ")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000, "{'a': 1}"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ExportError, match="is not an architecture record"):
        parse_architecture_json(text)


def test_not_a_number_is_refused() -> None:
    text = architecture_json(full_record()).replace("96.25", "NaN")
    with pytest.raises(ExportError, match="stand_alone_accuracy"):
        parse_architecture_json(text)
    with pytest.raises(ExportError, match="cannot be recorded: `stand_alone_accuracy`"):
        full_record(stand_alone_accuracy=float("nan"))


def test_a_file_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is larger than 16 MB"):
        parse_architecture_json(" " * 16_000_001)
    with pytest.raises(ExportError, match="does not exist"):
        load_architecture_json(tmp_path / "none.json")
    with pytest.raises(ExportError, match="cannot be read"):
        load_architecture_json(tmp_path)


def test_architectures_of_no_space_cannot_be_described() -> None:
    with pytest.raises(SpecError, match="no search space"):
        describe(Architecture("other", (0,)), SKELETONS["very small"])
    with pytest.raises(ArchitectureError, match="6 choices"):
        describe(Architecture("nb201", (0,)), SKELETONS["very small"])


def test_records_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        full_record().rank = 2  # type: ignore[misc]


def test_data_without_normalisation() -> None:
    plain = DataRecord.of(DATA, normalised=False)
    assert (plain.mean, plain.std, plain.name) == (None, None, "digits")
    with pytest.raises(ValidationError, match="go together"):
        DataRecord(name="x", classes=("a", "b"), mean=(0.0,))
