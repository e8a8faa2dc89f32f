"""The interval: each resample against scipy, the percentiles against scipy's own bootstrap."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from engine.metrics import CORRELATIONS, Correlation, bootstrap, correlation_with_interval
from engine.metrics import sparse_kendall_tau_published as published
from engine.metrics.rank_correlation import correlate, rank_pair


def sample(n, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    truth = (90 + rng.standard_normal(n)).round(1)
    return truth, (truth + noise * rng.standard_normal(n)).round(1)


def one_by_one(draws, function):
    return np.array([function(rows) for rows in draws], dtype=np.float64)


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_tau_of_each_resample_equals_scipy(n):
    truth, score = sample(n)
    pair = rank_pair("kendall_tau", truth, score)
    draws = np.random.default_rng(1).integers(0, n, (60, n))
    expected = one_by_one(draws, lambda r: stats.kendalltau(truth[r], score[r]).statistic)
    np.testing.assert_allclose(bootstrap._tau_by_weights(pair, draws), expected, atol=1e-12)
    np.testing.assert_allclose(bootstrap._tau_by_sorting(pair, draws), expected, atol=1e-12)


@pytest.mark.filterwarnings("ignore:An input array is constant")
@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_rho_of_each_resample_equals_scipy(n):
    truth, score = sample(n)
    pair = rank_pair("spearman", truth, score)
    draws = np.random.default_rng(2).integers(0, n, (60, n))
    expected = one_by_one(draws, lambda r: stats.spearmanr(truth[r], score[r]).statistic)
    np.testing.assert_allclose(bootstrap._spearman(pair, draws), expected, atol=1e-12)


def test_published_form_of_each_resample_is_that_of_the_resampled_architectures():
    rng = np.random.default_rng(5)
    truth, score = 90 + rng.random(20).round(2), rng.permutation(20).astype(float)
    pair = rank_pair("sparse_kendall_tau_published", truth, score)
    by_score = np.argsort(score)
    draws = rng.integers(0, 20, (50, 20))
    expected = one_by_one(draws, lambda r: published(truth[by_score[r]], score[by_score[r]]))
    np.testing.assert_allclose(bootstrap._published(pair, draws), expected, atol=1e-12)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_percentiles_agree_with_scipy_bootstrap(name):
    truth, score = sample(60)

    def statistic(x, y):
        return correlate(name, rank_pair(name, x, y))

    theirs = stats.bootstrap(
        (truth, score),
        statistic,
        n_resamples=400,
        paired=True,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(7),
    ).confidence_interval
    ours = correlation_with_interval(name, truth, score, resamples=2000)
    assert ours.value == statistic(truth, score)
    assert ours.low == pytest.approx(theirs.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.high, abs=0.03)
    assert ours.low < ours.value < ours.high


def test_the_interval_covers_the_population_value():
    # Normal pairs with correlation r: tau = 2 / pi * asin(r). Nominal 95 %, 150 samples of 100.
    r, hits = 0.6, 0
    tau = 2 / np.pi * np.arcsin(r)
    rng = np.random.default_rng(11)
    for seed in range(150):
        x = rng.standard_normal(100)
        y = r * x + np.sqrt(1 - r * r) * rng.standard_normal(100)
        found = correlation_with_interval("kendall_tau", x, y, resamples=400, seed=seed)
        hits += found.low <= tau <= found.high
    assert 0.88 <= hits / 150 <= 0.99


def test_more_architectures_narrow_the_interval():
    small = correlation_with_interval("kendall_tau", *sample(50))
    large = correlation_with_interval("kendall_tau", *sample(800))
    assert small.high - small.low > 3 * (large.high - large.low)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_the_seed_decides(name):
    truth, score = sample(40)
    first = correlation_with_interval(name, truth, score, resamples=50, seed=1)
    assert first == correlation_with_interval(name, truth, score, resamples=50, seed=1)
    other = correlation_with_interval(name, truth, score, resamples=50, seed=2)
    assert (first.low, first.high) != (other.low, other.high)
    assert first.value == other.value


@pytest.mark.parametrize("name", CORRELATIONS)
def test_undefined(name):
    assert correlation_with_interval(name, [], []) == Correlation(None, 0, None, None)
    assert correlation_with_interval(name, [1.0], [1.0]) == Correlation(None, 1, None, None)
    flat = correlation_with_interval(name, [1.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    assert flat == Correlation(None, 3, None, None)
    # Half of the resamples of two architectures hold one of them twice.
    two = correlation_with_interval(name, [1.0, 2.0], [1.0, 2.0])
    assert two == Correlation(pytest.approx(1.0), 2, None, None)


def test_bad_requests():
    with pytest.raises(ValueError, match="known are kendall_tau"):
        correlation_with_interval("kendal", [1.0, 2.0], [1.0, 2.0])
    for resamples in (0, 2.5, True):
        with pytest.raises(ValueError, match="resamples"):
            correlation_with_interval("spearman", [1.0, 2.0], [1.0, 2.0], resamples=resamples)


def test_blocks_do_not_change_the_result(monkeypatch):
    truth, score = sample(25)
    whole = correlation_with_interval("kendall_tau", truth, score)
    monkeypatch.setattr(bootstrap, "BLOCK", 25 * 7)
    assert correlation_with_interval("kendall_tau", truth, score) == whole


def test_large_samples_go_the_sorting_way(monkeypatch):
    truth, score = sample(30)
    whole = correlation_with_interval("sparse_kendall_tau", truth, score, resamples=80)
    monkeypatch.setattr(bootstrap, "PAIRWISE_LIMIT", 29)
    monkeypatch.delattr(bootstrap, "_tau_by_weights")
    other = correlation_with_interval("sparse_kendall_tau", truth, score, resamples=80)
    assert other.low == pytest.approx(whole.low, abs=1e-12)
    assert other.high == pytest.approx(whole.high, abs=1e-12)


def test_200_architectures_are_quick():
    truth, score = sample(200)
    start = time.process_time()
    correlation_with_interval("kendall_tau", truth, score, resamples=1000)
    assert time.process_time() - start < 2.0  # about 0.02 s; the bound only catches a blow-up
