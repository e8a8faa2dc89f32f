"""Rank change of a run, read from events written by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from engine.events import Events
from engine.metrics import shuffled_change
from engine.runs import FolderSink, RunFolder, create_run
from engine.spec.errors import RunError
from engine.spec.experiment import ExperimentSpec
from engine.study.ranks import COLUMNS, study_ranks, write_ranks

TEXTS = ["a", "b", "c"]
TRUTH = [92.0, 91.0, 90.0]
SCORES = {10: [30.0, 50.0, 40.0], 20: [60.0, 50.0, 40.0]}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = create_run(tmp_path, ExperimentSpec(), "r")
    events = Events([FolderSink(folder)])
    events.emit("sample", architectures=[{"text": text} for text in TEXTS])
    for epoch, scores in SCORES.items():
        metrics = {"sparse_kendall_tau": epoch / 100, "kendall_tau": None}
        events.emit(
            "ranking",
            epoch=epoch,
            metrics=metrics,
            scores=scores,
            truth=TRUTH,
            landmark_scores=[99.0],
        )
    return folder


def test_what_moved(run: RunFolder) -> None:
    first, second = study_ranks(run).evaluations
    assert (first.epoch, first.sparse_kendall_tau, first.kendall_tau) == (10, 0.1, None)
    # b c a, while a b c is true: distances 2, 1 and 1.
    assert first.disorder == pytest.approx(4 / 3)
    assert (first.change, first.tau_before) == (None, None)
    assert first.tau_last == pytest.approx(-1 / 3)
    assert (second.disorder, second.change) == (0.0, pytest.approx(4 / 3))
    assert (second.tau_before, second.tau_last) == (pytest.approx(-1 / 3), pytest.approx(1))


def test_json_has_the_ranks_of_every_architecture(run: RunFolder) -> None:
    found = json.loads(json.dumps(study_ranks(run).to_json(), allow_nan=False))
    assert found["ranks"]["a"] == {"truth": 1, "by_evaluation": [3, 1]}
    assert found["change_of_shuffled"] == shuffled_change(3)
    assert [one["epoch"] for one in found["evaluations"]] == [10, 20]


def test_csv_has_a_line_per_evaluation_and_architecture(run: RunFolder, tmp_path: Path) -> None:
    path = write_ranks(tmp_path / "ranks.csv", study_ranks(run))
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert rows[1] == ["10", "a", "30.0", "3", "", "92.0", "1"]
    assert rows[4:] == [
        ["20", "a", "60.0", "1", "2", "92.0", "1"],
        ["20", "b", "50.0", "2", "-1", "91.0", "2"],
        ["20", "c", "40.0", "3", "-1", "90.0", "3"],
    ]


def test_a_run_that_has_not_ranked_yet(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="Run new has not ranked its sample yet"):
        study_ranks(create_run(tmp_path, ExperimentSpec(), "new"))
