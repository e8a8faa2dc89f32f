"""The page about custom spaces says what is true."""

from __future__ import annotations

import re

import yaml
from custom_cases import EXAMPLES, ROOT, custom

from engine.export.graph_svg import svg
from engine.spaces.custom_definition import (
    BlockDefinition,
    CellDefinition,
    ChainDefinition,
    LayerDefinition,
    SizesDefinition,
)
from engine.spaces.custom_faults import definition_faults
from engine.spaces.operations import OPERATIONS
from engine.spec.files import build, read_mapping
from engine.spec.lines import located

PAGE = (ROOT / "docs" / "custom_space.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]


def test_its_example_is_that_of_the_folder_and_its_drawing() -> None:
    assert BLOCKS[0] == EXAMPLES["cell"]
    space = custom(BLOCKS[0])
    drawn = (ROOT / "docs" / "custom_cell.svg").read_text()
    assert drawn == svg(space.overview(), title=f"{space.title}: all choices")


def test_its_experiment_is_valid_and_every_file_exists() -> None:
    assert build(BLOCKS[1]).space == "custom"
    for path in re.findall(r"\]\(([^)]+)\)|(examples/\S+\.yaml)", PAGE):
        assert (ROOT / "docs" / path[0]).exists() if path[0] else (ROOT / path[1]).exists()


def test_it_names_every_operation_and_every_field() -> None:
    for name in OPERATIONS:
        assert f"`{name}`" in PAGE
    models = (CellDefinition, ChainDefinition, BlockDefinition, LayerDefinition, SizesDefinition)
    for model in models:
        for field in model.model_fields:
            assert re.search(rf"\b{field}\b", PAGE), field


def test_its_message_is_what_is_said() -> None:
    (text,) = re.findall(r"```yaml\n(kind: cell.*?)```", PAGE, re.S)
    wrong = text.replace("in->left:", "in->lft:")
    faults = [located(fault, wrong) for fault in definition_faults(read_mapping(wrong), "")]
    assert f"```\n{faults[0]}\n```" in PAGE
