"""The layout of the landmark paper's Table 1, on runs made by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare_cases import made
from scipy import stats

from engine.compare import ComparisonTable, compare_runs, landmark_rows, render_landmark
from engine.runs import read_json, write_json
from engine.spec.errors import RunError

PLAIN, FAIR = "spos on nb201, digits", "fairnas on nb201, digits"
FINAL = {"spos": [90.0, 90.5, 91.0], "fairnas": [92.0, 92.1, 92.9]}
BEST = {"spos": [90.4, 91.2, 91.1], "fairnas": [93.0, 92.2, 94.5]}
RANK = {"spos": [3, 2, 4], "fairnas": [1, 2, 2]}
TRUTH = [80.0, 82.0, 90.0, 84.0, 88.0, 92.0]
PAPER = {"sparse_kendall_tau": {"value": 0.771, "source": "Paper, Table 1"}}


@pytest.fixture
def table(tmp_path: Path) -> ComparisonTable:
    folders = []
    for name in FINAL:
        for seed in range(3):
            metrics = {
                "sparse_kendall_tau": 0.5 + 0.01 * seed,
                "final_accuracy": FINAL[name][seed],
                "best_rank": RANK[name][seed],
                "best_rank_of": 6,
            }
            spec: dict[str, Any] = {"algorithm": name, "seed": seed}
            if name == "spos" and seed == 1:
                spec["published"] = PAPER
            folder = made(tmp_path, f"{name}{seed}", spec, metrics, TRUTH)
            result = read_json(folder.path / "result.json")
            result["architectures"] = [
                {"stand_alone_accuracy": value} for value in (BEST[name][seed], 80.0, None)
            ]
            write_json(folder.path / "result.json", result)
            folders.append(folder)
    return compare_runs(folders)


def test_best_figures_are_the_best_over_seeds(table: ComparisonTable) -> None:
    plain, fair = landmark_rows(table)
    assert (plain.group, plain.n, fair.group) == (PLAIN, 3, FAIR)
    assert (plain.best_rank, fair.best_rank) == (2, 1)
    assert (plain.best_accuracy, fair.best_accuracy) == (91.2, 94.5)
    assert fair.accuracies.mean == pytest.approx(np.mean(BEST["fairnas"]))
    assert fair.accuracies.std == pytest.approx(np.std(BEST["fairnas"], ddof=1))


def test_both_tests_are_welchs(table: ComparisonTable) -> None:
    _, fair = landmark_rows(table)
    welch = stats.ttest_ind(FINAL["fairnas"], FINAL["spos"], equal_var=False)
    assert fair.accuracy.p_two_sided == pytest.approx(welch.pvalue)
    blocks = [np.mean(TRUTH[:3]), np.mean(TRUTH[3:])] * 3
    welch = stats.ttest_ind(FINAL["fairnas"], blocks, equal_var=False)
    assert fair.against_random is not None
    assert fair.against_random.p_two_sided == pytest.approx(welch.pvalue)


def test_values_and_samples_stand_by_run(table: ComparisonTable) -> None:
    assert table.values[FAIR]["best_rank"] == (1, 2, 2)
    assert table.samples[FAIR] == (tuple(TRUTH),) * 3


def test_published_figures_stand_below_their_setting(table: ComparisonTable) -> None:
    text = render_landmark(table, "markdown")
    lines = text.splitlines()
    assert lines[3].startswith("| published (Paper, Table 1) | – | 0.771 |")
    assert len([line for line in lines if "published" in line]) == 1
    assert "\\begin{tabular}" in render_landmark(table, "latex")
    assert "0.510 ± 0.010" in render_landmark(table, "text")


def test_csv_keeps_all_digits(table: ComparisonTable) -> None:
    plain, fair = csv.DictReader(io.StringIO(render_landmark(table, "csv")))
    assert float(fair["final_accuracy_mean"]) == table.figures["final_accuracy"][1].mean
    assert float(plain["published_sparse_kendall_tau"]) == 0.771
    assert (fair["best_rank"], fair["published_sparse_kendall_tau"]) == ("1", "")
    assert plain["final_accuracy_p"] == ""


@pytest.mark.parametrize("result", ["[]", "{}", '{"metrics": 3, "cost": {}, "search": {}}'])
def test_a_damaged_result_is_a_sentence(tmp_path: Path, result: str) -> None:
    folder = made(tmp_path, "a", {}, {"final_accuracy": 90.0}, [80.0, 82.0])
    (folder.path / "result.json").write_text(result)
    with pytest.raises(RunError, match="result.json of run a is damaged"):
        compare_runs([folder])
