"""Every number of a comparison against scipy or worked by hand, on runs made by hand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from compare_cases import CELLS, SPACE, made
from scipy import stats

from engine.compare import ComparisonTable, compare_runs, render
from engine.spec.errors import ExportError, RunError, SpecError

PLAIN, FAIR = "spos on nb201, digits", "fairnas on nb201, digits"
TRUTH = [
    [80.0, 82.0, 90.0, 84.0, 88.0, 92.0, 70.0],
    [86.0, 81.0, 85.0, 83.0, 89.0, 91.0, 60.0],
    [78.0, 87.0, 93.0, 79.0, 94.0, 95.0, 50.0],
]
TAU = {PLAIN: [0.50, 0.55, 0.63], FAIR: [0.70, 0.72, 0.75]}
FINAL = {PLAIN: [90.0, 90.5, 91.0], FAIR: [92.0, 92.1, 92.9]}
SEARCHED = [89.0, 90.4, 88.8]
RANK = {PLAIN: [3, 2, 4], FAIR: [1, 2, 2]}


@pytest.fixture
def table(tmp_path: Path) -> ComparisonTable:
    folders = []
    for name, algorithm in ((PLAIN, "spos"), (FAIR, "fairnas")):
        for seed in range(3):
            metrics = {
                "sparse_kendall_tau": TAU[name][seed],
                "kendall_tau": TAU[name][seed] - 0.1,
                "spearman": None,
                "super_net_accuracy": 50.0 + seed,
                "final_accuracy": FINAL[name][seed],
                "best_rank": RANK[name][seed],
                "best_rank_of": 7,
                "surpass_random": 0.5,
            }
            spec = {"algorithm": algorithm, "seed": seed}
            run_id = f"{algorithm}{seed}"
            random = SEARCHED[seed] if name == PLAIN else None
            folders.append(made(tmp_path, run_id, spec, metrics, TRUTH[seed], random=random))
    return compare_runs(folders)


def test_means_and_welch_against_the_baseline(table: ComparisonTable) -> None:
    assert (table.baseline, list(table.runs)) == (PLAIN, [PLAIN, FAIR])
    for figure, values in (("sparse_kendall_tau", TAU), ("final_accuracy", FINAL)):
        plain, fair = table.figures[figure]
        assert fair.mean == pytest.approx(np.mean(values[FAIR]))
        assert fair.std == pytest.approx(np.std(values[FAIR], ddof=1))
        test = stats.ttest_ind(values[FAIR], values[PLAIN], equal_var=False)
        assert fair.p_two_sided == pytest.approx(test.pvalue)
        assert plain.p_two_sided is None
    assert table.figures["spearman"][1].n == 0


def test_a_lower_rank_is_better(table: ComparisonTable) -> None:
    test = stats.ttest_ind(RANK[FAIR], RANK[PLAIN], equal_var=False, alternative="less")
    assert table.figures["best_rank"][1].p_better == pytest.approx(test.pvalue)


def test_random_architectures_by_hand(table: ComparisonTable) -> None:
    random = table.random[PLAIN]
    pool = [value for truths in TRUTH for value in truths]
    assert (random.draws, random.budget) == (21, 3)
    assert random.single is not None and random.best_of is not None
    assert random.single.mean == pytest.approx(np.mean(pool))
    assert random.single.std == pytest.approx(np.std(pool))
    drawn = np.random.default_rng(1).choice(pool, size=(60_000, 3)).max(axis=1)
    assert random.best_of.mean == pytest.approx(drawn.mean(), abs=0.1)
    # 2 blocks of 3 draws per run; the seventh draw is left over.
    blocks = [84.0, 88.0, 84.0, 263 / 3, 86.0, 268 / 3]
    test = stats.ttest_ind(FINAL[PLAIN], blocks, equal_var=False)
    assert random.test is not None
    assert random.test.p_two_sided == pytest.approx(test.pvalue)
    assert random.test.difference == pytest.approx(90.5 - np.mean(blocks))


def test_ranks_of_random_by_hand(table: ComparisonTable) -> None:
    random = table.random[FAIR]
    assert random.single_rank is not None and random.best_of_rank is not None
    assert random.single_rank.mean == pytest.approx(4)
    assert random.best_of_rank.mean == pytest.approx(sum((k / 7) ** 3 for k in range(1, 8)))
    # The best rank over three seeds is 1; nine draws from seven all miss it.
    assert random.surpass == pytest.approx((6 / 7) ** 9)
    assert table.random[PLAIN].surpass == pytest.approx((5 / 7) ** 9)


def test_random_search_on_the_super_net(table: ComparisonTable) -> None:
    assert table.random[FAIR].search is None
    searched = table.random[PLAIN].search
    assert searched is not None
    assert searched[0].mean == pytest.approx(np.mean(SEARCHED))
    test = stats.ttest_ind(FINAL[PLAIN], SEARCHED, equal_var=False)
    assert searched[1].p_two_sided == pytest.approx(test.pvalue)


def test_agreement_of_seeds(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    scores = rng.random((2, 12))
    metrics = {"final_accuracy": 90.0, "best_rank": 1, "best_rank_of": 12}
    folders = [
        made(tmp_path, f"r{seed}", {"seed": seed}, metrics, list(range(12)), scores[seed])
        for seed in range(2)
    ]
    found = compare_runs(folders).stability[PLAIN]
    assert found.tau == pytest.approx(stats.kendalltau(scores[0], scores[1])[0])
    assert (found.pairs, found.common) == (1, 12), "the landmark does not count"
    same = {SPACE.to_text(cell): float(i) for i, cell in enumerate(CELLS)}
    given = compare_runs(folders, scores={"r0": same, "r1": same}).stability[PLAIN]
    assert given.tau == pytest.approx(1.0)
    assert given.common == len(CELLS)


def test_runs_that_differ_in_budget_or_population_are_not_mixed(tmp_path: Path) -> None:
    metrics = {"final_accuracy": 90.0, "best_rank": 1}
    truth = TRUTH[0]
    folders = [
        made(tmp_path, "a", {"seed": 0}, metrics | {"best_rank_of": 7}, truth, found=2),
        made(tmp_path, "b", {"seed": 1}, metrics | {"best_rank_of": 9}, truth, found=5),
    ]
    random = compare_runs(folders).random[PLAIN]
    assert random.single is not None
    assert (random.budget, random.best_of, random.test, random.surpass) == (None,) * 4
    assert (random.single_rank, random.best_of_rank) == (None, None)


def test_one_run_alone_has_numbers_and_no_test(tmp_path: Path) -> None:
    metrics = {"final_accuracy": 90.0, "best_rank": 1, "best_rank_of": 2}
    folder = made(tmp_path, "a", {}, metrics, [80.0, 82.0], random=91.0)
    table = compare_runs([folder])
    random = table.random[PLAIN]
    assert random.best_of is not None
    assert random.best_of.mean == pytest.approx(82 * 7 / 8 + 80 / 8)
    assert random.test is not None and random.test.p_two_sided is None, "two draws, no block"
    for form in ("text", "markdown", "latex", "csv"):
        assert "90.0" in render(table, form)


# -- forms --------------------------------------------------------------------------------------
def test_text_has_three_tables(table: ComparisonTable) -> None:
    ranking, search, random = render(table, "text").split("\n\n")
    assert ranking.splitlines()[0].endswith(f"mean ± std over seeds, p against {PLAIN}")
    assert "0.723 ± 0.025" in ranking
    assert "92.33 ± 0.49" in search
    assert search.splitlines()[1].startswith("Group  ")
    assert random.splitlines()[2].startswith(PLAIN)


def test_markdown_and_latex_have_every_group_and_the_same_cells(table: ComparisonTable) -> None:
    text = render(table, "markdown")
    assert text.count(f"| {FAIR} |") == 3
    latex = render(table, "latex")
    assert latex.count("\\begin{tabular}") == latex.count("\\end{table}") == 3
    assert "92.33 ± 0.49" in text and "92.33 ± 0.49" in latex


def test_csv_is_for_programs(table: ComparisonTable) -> None:
    plain, fair = csv.DictReader(io.StringIO(render(table, "csv")))
    assert (plain["group"], plain["n"]) == (PLAIN, "3")
    assert float(fair["final_accuracy_mean"]) == table.figures["final_accuracy"][1].mean
    assert plain["final_accuracy_p"] == "" and fair["random_search_p"] == ""
    single = table.random[FAIR].single
    assert single is not None and float(fair["random_single_std"]) == single.std


def test_json_holds_all_of_it(table: ComparisonTable) -> None:
    found = json.loads(json.dumps(table.to_json(), allow_nan=False))
    assert found["random"][PLAIN]["budget"] == 3
    assert found["random"][PLAIN]["search"][0]["n"] == 3
    assert found["stability"][FAIR] == {"tau": None, "pairs": 0, "common": 0}


# -- what cannot be compared --------------------------------------------------------------------
def test_faults_are_sentences(tmp_path: Path) -> None:
    folder = made(tmp_path, "a", {}, {"final_accuracy": 90.0}, [80.0, 82.0])
    with pytest.raises(SpecError, match="there is no group `x`; there are: spos on nb201"):
        compare_runs([folder], baseline="x")
    (folder.path / "ranking.csv").write_text("architecture\n")
    with pytest.raises(ExportError, match="The first line of"):
        compare_runs([folder])
    (folder.path / "result.json").unlink()
    with pytest.raises(RunError, match="Run a has no result yet"):
        compare_runs([folder])
