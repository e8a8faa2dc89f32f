"""Folders of NAS-Bench-301's results on the DARTS space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.spaces.darts import DARTS_SPACE
from engine.spaces.darts_cells import OPERATIONS
from engine.spaces.genotype import Genotype
from engine.spec.errors import TableError
from engine.tables.builder import BuiltTable
from engine.tables.nb301 import PREFIX, genotype_of, read_nb301

PAIRS = {k: [(i, j) for j in range(k) for i in range(j)] for k in range(2, 6)}
CELL = st.tuples(
    *(
        st.tuples(
            st.sampled_from(PAIRS[node]),
            st.sampled_from(OPERATIONS[1:]),
            st.sampled_from(OPERATIONS[1:]),
        )
        for node in range(2, 6)
    )
)


def genotype(cells: Any) -> Genotype:
    edges = [
        tuple(
            edge
            for (first, second), one, other in cell
            for edge in ((one, first), (other, second))
        )
        for cell in cells
    ]
    return Genotype(edges[0], (2, 3, 4, 5), edges[1], (2, 3, 4, 5))


def configuration(cells: Any) -> dict[str, Any]:
    """Write a genotype as the published configurations do: all 14 edges have a number."""
    numbers = {}
    for node in range(2, 6):
        for source in range(node):
            numbers[source, node] = len(numbers)
    settings_: dict[str, Any] = {f"{PREFIX}layers": 8, f"{PREFIX}init_channels": 32}
    for cell, nodes in zip(("normal", "reduce"), cells, strict=True):
        for node, ((first, second), one, other) in enumerate(nodes, start=2):
            if node > 2:
                settings_[f"{PREFIX}inputs_node_{cell}_{node}"] = f"{first}_{second}"
            for source, operation in ((first, one), (second, other)):
                settings_[f"{PREFIX}edge_{cell}_{numbers[source, node]}"] = operation
    return settings_


SIMPLE = (((0, 1), "skip_connect", "sep_conv_3x3"),) * 4
POOLS = (((0, 1), "max_pool_3x3", "avg_pool_3x3"),) * 4


def record(cells: Any, valid: float = 94.0, **changes: Any) -> dict[str, Any]:
    return {
        "optimized_hyperparamater_config": configuration(cells),
        "budget": 100,
        "info": [
            {
                "val_accuracy": valid,
                "model_parameters": 1_000_000,
                "dataset_path": "datasets/CIFAR10.csv",
            }
        ],
        "test_accuracy": valid - 0.5,
        "runtime": 5000.0,
    } | changes


def write(folder: Path, *records: Any) -> Path:
    for number, one in enumerate(records):
        path = folder / "run_1" / "results_fidelity_0" / f"results_{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one if isinstance(one, str) else json.dumps(one))
    return folder


def read(folder: Path) -> BuiltTable:
    return read_nb301(folder, DARTS_SPACE, lambda what, done, total: None)


@settings(max_examples=60, deadline=None)
@given(st.tuples(CELL, CELL))
def test_configurations_are_genotypes(cells: Any) -> None:
    found = DARTS_SPACE.parse(str(genotype_of(configuration(cells))))
    assert found == DARTS_SPACE.parse(str(genotype(cells)))


def test_a_folder_of_results(tmp_path: Path) -> None:
    one, other = (SIMPLE, POOLS), (POOLS, SIMPLE)
    deeper = record(one, 97.0, budget=600)
    deeper["optimized_hyperparamater_config"][f"{PREFIX}layers"] = 20
    table = read(
        write(tmp_path, record(one, 94.0), record(other, 90.0), record(one, 95.0), deeper)
    )
    texts = [DARTS_SPACE.parse(table.texts[row]) for row in range(2)]
    assert texts == [DARTS_SPACE.parse(str(genotype(cells))) for cells in (one, other)]
    values = table.values
    assert values["cifar10/valid@100/8x32"].tolist() == [94.5, 90.0]
    assert values["cifar10/test@100/8x32"].tolist() == [94.0, 89.5]
    assert values["cifar10/valid@600/20x32"].tolist() == pytest.approx(
        [97.0, float("nan")], nan_ok=True
    )
    assert values["cifar10/training_time@100/8x32"].tolist() == [5000.0, 5000.0]
    assert values["cifar10/params@100/8x32"].tolist() == [1e6, 1e6]


def without(one: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != key}


GOOD = record((SIMPLE, POOLS))
SETTINGS = without(configuration((SIMPLE, POOLS)), f"{PREFIX}edge_normal_1")
NO_EDGE = record((SIMPLE, POOLS), optimized_hyperparamater_config=SETTINGS)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("{", "is no result of NAS-Bench-301"),
        ("[]", "is no result of NAS-Bench-301"),
        (without(GOOD, "test_accuracy"), "`test_accuracy` is missing"),
        (without(GOOD, "optimized_hyperparamater_config"), "`optimized_hyperparamater_config` is"),
        (GOOD | {"info": []}, "is no result"),
        (GOOD | {"test_accuracy": "94"}, "its test is no number"),
        (GOOD | {"budget": 1.5}, "its budget is no number of epochs"),
        (GOOD | {"budget": "x"}, "its budget is no number of epochs"),
        (NO_EDGE, f"`{PREFIX}edge_normal_1` is missing"),
    ],
)
def test_a_damaged_file_is_named(wrong: Any, words: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD, wrong)
    with pytest.raises(TableError) as caught:
        read(tmp_path)
    assert words in str(caught.value) and "results_1.json" in str(caught.value)


def test_foreign_operations_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="has no files `results_"):
        read(tmp_path)
    bad = record(((((0, 1), "conv_9x9", "skip_connect"),) * 4, POOLS))
    with pytest.raises(TableError, match="not of the space `darts`: `conv_9x9`"):
        read(write(tmp_path, bad))
