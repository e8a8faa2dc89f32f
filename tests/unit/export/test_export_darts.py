"""`model.py` of DARTS architectures is our stand-alone network, however its nodes are ordered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from export_cases import exported_network, module_of, scrambled
from safetensors.torch import save_file

from engine.core.architecture import Architecture
from engine.export.python_source import python_source
from engine.export.record import ArchitectureRecord, describe
from engine.export.sources import get_source
from engine.export.weights import exported_state
from engine.export.weights_file import exported_weights
from engine.networks import Route
from engine.spaces.darts import DARTS_SPACE as SPACE
from engine.spaces.darts_cells import EDGES
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec, NormSpec

torch.set_num_threads(1)
SKELETONS = [
    NetworkSpec(channels=2, cells=1, classes=3, input_channels=1, resolution=8),
    NetworkSpec(channels=2, cells=5, classes=3, resolution=9, norm=NormSpec(affine=False)),
    NetworkSpec(channels=4, cells=6, classes=2, resolution=8, norm=NormSpec(momentum=0.3)),
]


def drawn(count: int, seed: int, none: float) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        pairs = zip(SPACE.choices, SPACE.sample(rng).indices, strict=True)
        indices = [0 if c.kind == "op" and rng.random() < none else index for c, index in pairs]
        found.append(Architecture.of("darts", indices))
    return found


ONES = [*drawn(3, 0, 0.0), *drawn(7, 1, 0.6), *drawn(1, 2, 1.0)]


def images(record: ArchitectureRecord) -> torch.Tensor:
    shape = (4, record.network.input_channels, *(record.network.resolution,) * 2)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_the_file_is_the_same_network(skeleton: NetworkSpec) -> None:
    for one in ONES:
        record = describe(one, skeleton)
        ours, theirs = scrambled(record), exported_network(record)
        theirs.load_state_dict(exported_state(ours, record), strict=True)
        x, route = images(record), Route.of(one)
        with ours.policy.tracking():
            wanted = ours(x, route)
        given = theirs.train()(x)
        torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-5)
        wanted.square().sum().backward()
        given.square().sum().backward()
        rename, found = get_source("darts").renaming(one), dict(theirs.named_parameters())
        for name, value in ours.named_parameters():
            other = found[rename(name)].grad
            assert (value.grad is None) == (other is None), name
            if value.grad is not None:
                torch.testing.assert_close(other, value.grad, rtol=1e-3, atol=1e-3, msg=name)
        state = theirs.state_dict()
        for name, value in ours.state_dict().items():
            torch.testing.assert_close(state[rename(name)], value, rtol=1e-4, atol=1e-5)
        with ours.probing():
            torch.testing.assert_close(theirs.eval()(x), ours(x, route), rtol=1e-4, atol=1e-5)


def renumbered(cell: tuple[int | None, ...], order: tuple[int, ...]) -> tuple[int | None, ...]:
    """Give the inner nodes 2 to 5 the numbers of `order`."""
    place = {0: 0, 1: 1, **dict(zip(range(2, 6), order, strict=True))}
    moved: list[int | None] = [None] * len(EDGES)
    for (source, target), option in zip(EDGES, cell, strict=True):
        if option is not None:
            moved[EDGES.index((place[source], place[target]))] = option
    return tuple(moved)


def flat_pair() -> tuple[Architecture, Architecture]:
    """Return one network twice: nodes read the cell's inputs only, so any order will do."""
    rng = np.random.default_rng(4)
    cells: list[tuple[int | None, ...]] = []
    for _ in range(2):
        options = [int(rng.integers(1, 8)) if s < 2 else None for s, _ in EDGES]
        cells.append(tuple(options))
    first = SPACE.of_edges(cells)
    second = SPACE.of_edges(
        [renumbered(cells[0], (4, 2, 5, 3)), renumbered(cells[1], (3, 5, 4, 2))]
    )
    assert first != second and SPACE.canonical(first) == SPACE.canonical(second)
    return first, second


def test_weights_follow_another_order_of_nodes(tmp_path: Path) -> None:
    trained, wanted = flat_pair()
    skeleton = SKELETONS[2]
    ours = scrambled(describe(trained, skeleton))
    save_file(ours.state_dict(), tmp_path / "kept.safetensors")
    record = describe(wanted, skeleton)
    (tmp_path / "weights.safetensors").write_bytes(
        exported_weights(tmp_path / "kept.safetensors", record, trained)
    )
    (tmp_path / "model.py").write_text(python_source(record, "weights.safetensors"))
    module: Any = module_of((tmp_path / "model.py").read_text())
    theirs = module.build(str(tmp_path / "weights.safetensors"))
    x = images(record)
    with ours.probing():
        torch.testing.assert_close(theirs(x), ours(x, Route.of(trained)), rtol=1e-4, atol=1e-5)


def test_weights_of_another_network_are_refused() -> None:
    source = get_source("darts")
    with pytest.raises(ExportError, match="which is another network"):
        source.renaming(ONES[0], ONES[1])


def test_the_file_passes_the_linter_and_the_formatter(tmp_path: Path) -> None:
    for number, one in enumerate(ONES):
        for place, skeleton in enumerate(SKELETONS):
            path = tmp_path / f"model_{number}_{place}.py"
            path.write_text(python_source(describe(one, skeleton)), encoding="utf-8")
    rules = str(Path(__file__).resolve().parents[3] / "pyproject.toml")
    common = ["--config", rules, "--no-cache", str(tmp_path)]
    for command in (["check", *common], ["format", "--check", *common]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
