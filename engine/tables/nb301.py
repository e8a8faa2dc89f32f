"""Results on the DARTS space as NAS-Bench-301 publishes them: a folder of JSON files.

Each `results_*.json` is one training (Zela et al., NAS-Bench-301, ICLR 2022). Its configuration
names the sources of inner nodes 3 to 5 of a cell, `inputs_node_normal_3: "0_2"` (node 2 reads
both inputs), and the operation of every edge that is used. Edges are numbered node by node, so
that edge 2 + 1 leads from node 1 to node 3. Columns keep trainings of different skeletons apart:
`cifar10/valid@100/8x32` is 100 epochs with 8 cells and 32 initial channels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.core.space import Space
from engine.spaces.genotype import Edge, Genotype
from engine.spec.errors import TableError
from engine.tables.builder import EVERY, BuiltTable, Progress, TableBuilder
from engine.tables.columns import PERCENT, Column

# The published files spell it so.
CONFIGURATION = "optimized_hyperparamater_config"
PREFIX = "NetworkSelectorDatasetInfo:darts:"
LARGEST = 1 << 20  # bytes of a file; published ones have a few thousand
_NODES = range(2, 6)


def read_nb301(path: Path, space: Space, progress: Progress) -> BuiltTable:
    """Read all `results_*.json` of a folder and its sub-folders.

    Args:
        path: the folder.
        space: `darts`.
        progress: reports.

    Raises:
        TableError: no such files, or one is damaged or of another space.
    """
    builder = TableBuilder(str(path))
    files = sorted(path.rglob("results_*.json"))
    if not files:
        raise TableError(f"{path} has no files `results_*.json`; give the folder that has them.")
    for number, file in enumerate(files):
        try:
            if file.stat().st_size > LARGEST:
                raise ValueError("it is larger than any published one")
            text, values = _result(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            why = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
            raise TableError(
                f"{file} is no result of NAS-Bench-301: {why}. Remove it, or use the published "
                "file."
            ) from None
        builder.add(text, values)
        if number % EVERY == 0:
            progress("Reading", number, len(files))
    return builder.finish(space, str, progress)


def _result(record: dict[str, Any]) -> tuple[str, dict[Column, float]]:
    settings = record[CONFIGURATION]
    info = record["info"][0]
    epochs, dataset = record["budget"], Path(str(info["dataset_path"])).stem.lower()
    skeleton = f"{settings[PREFIX + 'layers']}x{settings[PREFIX + 'init_channels']}"
    if type(epochs) not in (int, float) or int(epochs) != epochs:
        raise ValueError("its budget is no number of epochs")
    found = {
        ("valid", PERCENT): info["val_accuracy"],
        ("test", PERCENT): record["test_accuracy"],
        ("training_time", "seconds"): record["runtime"],
        ("params", "parameters"): info["model_parameters"],
    }
    values = {}
    for (split, unit), value in found.items():
        if type(value) not in (int, float):
            raise TypeError(f"its {split} is no number")
        column = Column.of(split, unit, dataset, int(epochs))
        values[replace(column, name=f"{column.name}/{skeleton}")] = value
    return str(genotype_of(settings)), values


def genotype_of(settings: Mapping[str, Any]) -> Genotype:
    """Return the architecture of a configuration.

    Raises:
        KeyError: an edge or a node's sources are missing.
        ValueError: sources that are no two numbers.
    """
    cells = []
    for cell in ("normal", "reduce"):
        edges: list[Edge] = []
        first = 0  # number of the first edge into the node
        for node in _NODES:
            given = "0_1" if node == 2 else settings[f"{PREFIX}inputs_node_{cell}_{node}"]
            one, _, other = str(given).partition("_")
            for source in (int(one), int(other)):
                edges.append((str(settings[f"{PREFIX}edge_{cell}_{first + source}"]), source))
            first += node
        cells.append(tuple(edges))
    nodes = tuple(_NODES)
    return Genotype(cells[0], nodes, cells[1], nodes)
