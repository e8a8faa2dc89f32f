"""Every file in `examples/` is a valid experiment or sweep and says what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.batch import read_batch
from engine.catalog import EXAMPLES, SHELVES, example_files, examples
from engine.spec.files import load, load_mapping
from engine.spec.sweep import is_sweep

FILES = example_files()


@pytest.mark.parametrize("name", FILES)
def test_it_can_run(name: str) -> None:
    jobs = read_batch(load_mapping(FILES[name])).require()
    for job in jobs:
        assert job.spec.name != "Experiment" and job.spec.notes
    assert len(jobs) > 1 or not is_sweep(load_mapping(FILES[name]))


def test_only_ready_experiments_are_offered_to_newcomers() -> None:
    assert examples()
    for path in examples().values():
        assert path.parent == EXAMPLES
        spec = load(path)
        assert "ready" in spec.tags
        assert spec.data.path is None and spec.evaluation.ground_truth.source == "train"


def test_every_experiment_file_stands_on_a_shelf() -> None:
    """Definitions of spaces are no experiments; everything else must be found by `presets`."""
    known = {path.resolve() for path in FILES.values()}
    for path in EXAMPLES.rglob("*.yaml"):
        folder = path.relative_to(EXAMPLES).parts[0]
        assert path.resolve() in known or folder == "spaces", path
    assert Path(EXAMPLES) not in known and set(SHELVES) == {"presets", "factors"}
