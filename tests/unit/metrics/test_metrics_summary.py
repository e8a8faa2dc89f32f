"""One call for all metrics, and the catalogue that explains them."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

import engine.metrics as metrics
from engine.metrics import (
    CORRELATIONS,
    METRICS,
    RANKING_METRICS,
    definitions,
    metric_info,
    ranking_correlations,
    ranking_metrics,
)


@pytest.fixture
def sample():
    rng = np.random.default_rng(9)
    population = (90 + rng.standard_normal(500)).round(2)
    truth = population[rng.choice(500, 60, replace=False)]
    return population, truth, truth + rng.standard_normal(60)


def test_every_value_against_its_own_computation(sample):
    population, truth, score = sample
    found = ranking_metrics(truth, score, population=population)
    assert tuple(found) == RANKING_METRICS
    top = np.argsort(-score)[:3]
    best = truth[top].max()
    rank = 1 + int((population > best).sum())
    true_position = stats.rankdata(-truth, method="min")
    expected = {
        "kendall_tau": stats.kendalltau(truth, score).statistic,
        "sparse_kendall_tau": metrics.sparse_kendall_tau(truth, score),
        "sparse_kendall_tau_published": metrics.sparse_kendall_tau_published(truth, score),
        "spearman": stats.spearmanr(truth, score).statistic,
        "sparse_spearman": metrics.sparse_spearman(truth, score),
        "mean_absolute_displacement": metrics.disorder(truth, score).mean_absolute,
        "sample_size": 60.0,
        "super_net_accuracy": score.mean(),
        "final_accuracy": truth[top].mean(),
        "best_rank": rank,
        "surpass_random": (1 - rank / 500) ** 3,
        "regret": population.max() - best,
        "precision_at_k": np.mean(true_position[np.argsort(-score)[:10]] <= 6),
        "top_k_overlap": len({*np.argsort(-truth)[:10]} & {*np.argsort(-score)[:10]}) / 10,
    }
    assert found == pytest.approx(expected)
    assert len({found[name] for name in CORRELATIONS}) == 5  # five different numbers


def test_good_is_the_best_tenth_rounded_up():
    # 21 architectures, so the best 3 are good; by score they come 1st, 5th and 10th.
    truth = np.arange(21.0)
    score = np.zeros(21)
    score[[20, 0, 1, 2, 19, 3, 4, 5, 6, 18]] = np.arange(10, 0, -1)
    assert ranking_metrics(truth, score)["precision_at_k"] == pytest.approx(3 / 10)


def test_values_are_plain_numbers(sample):
    population, truth, score = sample
    found = ranking_metrics(truth, score, population=population)
    assert all(type(value) is float for value in found.values())
    assert json.loads(json.dumps(found)) == found


def test_minimised_metrics_mirror_maximised_ones(sample):
    population, truth, score = sample
    up = ranking_metrics(truth, score, population=population)
    down = ranking_metrics(
        -truth,
        -score,
        population=-population,
        truth_higher_is_better=False,
        score_higher_is_better=False,
    )
    signed = {"super_net_accuracy", "final_accuracy"}
    floors = {"sparse_kendall_tau_published"}  # floor(-x) is not -floor(x)
    for name in set(up) - floors:
        assert down[name] == pytest.approx(-up[name] if name in signed else up[name]), name


def test_landmarks_are_left_out_of_everything(sample):
    population, truth, score = sample
    flags = np.zeros(60, dtype=bool)
    flags[[3, 17, 40]] = True
    kept = ~flags
    flagged = ranking_metrics(truth, score, population=population, is_landmark=flags)
    assert flagged == ranking_metrics(truth[kept], score[kept], population=population)
    assert flagged["sample_size"] == 57.0
    many = ranking_metrics(truth, np.stack([score, score]), is_landmark=list(flags))
    assert many["kendall_tau"] == flagged["kendall_tau"]
    alone = ranking_metrics(None, score, is_landmark=flags)
    assert alone["super_net_accuracy"] == pytest.approx(score[kept].mean())
    everyone = ranking_metrics(truth, score, population=population, is_landmark=[True] * 60)
    assert everyone.pop("sample_size") == 0.0
    assert set(everyone.values()) == {None}


def test_without_ground_truth_only_the_super_net_is_described(sample):
    score = sample[2]
    found = ranking_metrics(None, score)
    known = {name: value for name, value in found.items() if value is not None}
    assert known == {"sample_size": 60.0, "super_net_accuracy": pytest.approx(score.mean())}
    assert tuple(found) == RANKING_METRICS


def test_without_population_there_is_no_rank_in_the_space(sample):
    _, truth, score = sample
    found = ranking_metrics(truth, score)
    missing = {name for name, value in found.items() if value is None}
    assert missing == {"best_rank", "surpass_random", "regret"}


def test_threshold_reaches_the_sparse_forms_only(sample):
    _, truth, score = sample
    fine, coarse = (ranking_metrics(truth, score, threshold) for threshold in (0.1, 1.0))
    changed = {name for name in fine if fine[name] != coarse[name]}
    assert changed == {"sparse_kendall_tau", "sparse_kendall_tau_published", "sparse_spearman"}


def test_float32_truth_keeps_its_decimals():
    truth = np.array([0.28, 0.29], dtype=np.float32)
    found = ranking_metrics(truth, [1.0, 2.0], 0.01)
    assert found["sparse_kendall_tau_published"] == 1.0


def test_a_single_architecture():
    found = ranking_metrics([93.0], [60.0], population=[94.0, 93.0, 90.0, 80.0])
    assert found["final_accuracy"] == 93.0
    assert found["best_rank"] == 2.0
    assert found["surpass_random"] == 0.5  # one selected, so one random draw
    assert found["regret"] == 1.0
    assert all(found[name] is None for name in (*CORRELATIONS, "precision_at_k"))


def test_intervals_go_with_the_values(sample):
    _, truth, score = sample
    flags = [True] * 5 + [False] * 55
    found = ranking_metrics(truth, score, is_landmark=flags)
    intervals = ranking_correlations(truth, score, is_landmark=flags, resamples=200)
    assert tuple(intervals) == CORRELATIONS
    for name, result in intervals.items():
        assert result.value == found[name]
        assert result.n == 55
        assert result.low < result.value < result.high


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"score\[1\]"):
        ranking_metrics(None, [1.0, math.nan])
    with pytest.raises(ValueError, match=r"truth\[0\]"):
        ranking_metrics([math.nan, 1.0], [1.0, 2.0], is_landmark=[False, True])
    with pytest.raises(ValueError, match=r"is_landmark must have shape \(2,\)"):
        ranking_metrics([1.0, 2.0], [1.0, 2.0], is_landmark=[False])
    with pytest.raises(ValueError, match="all_values is empty"):
        ranking_metrics([1.0, 2.0], [1.0, 2.0], population=[])
    with pytest.raises(ValueError, match="all_values must have shape"):
        ranking_metrics([1.0, 2.0], [1.0, 2.0], population=15625)


def test_the_catalogue_explains_every_metric_once():
    names = [info.name for info in METRICS]
    assert len(set(names)) == len(names)
    assert set(RANKING_METRICS) <= set(names)
    for info in METRICS:
        assert info.title and info.unit and info.source
        assert len(info.definition.split()) >= 10
        assert info.definition.endswith(".")
        assert metric_info(info.name) is info
    with pytest.raises(KeyError, match="no metric 'tau'; known are kendall_tau"):
        metric_info("tau")


def test_catalogue_names_are_those_the_results_use():
    comparison = metrics.GroupComparison("a", 0, None, None)
    for name in ("difference", "p_two_sided", "p_better", "cohen_d"):
        assert metric_info(name)
        assert hasattr(comparison, name)


def test_directions_of_the_catalogue_are_those_of_the_functions(sample):
    # A perfect super-net against a reversed one: each metric must move the way it says.
    population, truth, _ = sample
    good = ranking_metrics(truth, truth, population=population)
    bad = ranking_metrics(truth, -truth, population=population)
    for name in RANKING_METRICS:
        better = metric_info(name).higher_is_better
        if better is not None:
            assert (good[name] > bad[name]) is better, name


def test_definitions_are_json():
    rows = json.loads(json.dumps(definitions()))
    assert [row["name"] for row in rows] == [info.name for info in METRICS]
    assert set(rows[0]) == {"name", "title", "definition", "unit", "higher_is_better", "source"}


def test_everything_promised_is_there():
    assert sorted(set(metrics.__all__)) == sorted(metrics.__all__)
    for name in metrics.__all__:
        assert getattr(metrics, name) is not None


def test_no_torch_is_loaded():
    code = "import sys, engine.metrics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
