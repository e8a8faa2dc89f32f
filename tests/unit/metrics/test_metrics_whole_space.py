"""Correlations over all 15,625 cells of NAS-Bench-201: exact, and by sorting."""

from __future__ import annotations

import numpy as np
import pytest

from engine.metrics import bootstrap, kendall_tau

N = 15_625


def counted_tau(truth: np.ndarray, score: np.ndarray) -> float:
    """Return tau-b from all pairs of 16-bit numbers, counted block by block."""
    agreement = untied_truth = untied_score = 0
    for start in range(0, len(truth), 100):
        rows = slice(start, start + 100)
        above, over = truth[rows, None] > truth, score[rows, None] > score
        below, under = truth[rows, None] < truth, score[rows, None] < score
        agreement += np.count_nonzero(above & over) + np.count_nonzero(below & under)
        agreement -= np.count_nonzero(above & under) + np.count_nonzero(below & over)
        untied_truth += np.count_nonzero(above | below)
        untied_score += np.count_nonzero(over | under)
    return agreement / float(np.sqrt(float(untied_truth) * untied_score))


def test_a_whole_space_is_exact() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4000, N, dtype=np.int16)
    score = truth + rng.integers(-1500, 1500, N, dtype=np.int16) // 10 * 10
    assert kendall_tau(truth, score) == pytest.approx(counted_tau(truth, score), abs=1e-12)


def test_the_interval_of_a_whole_space_sorts() -> None:
    """Matrices of all pairs would take two gigabytes here."""
    assert bootstrap._method("kendall_tau", N) is bootstrap._tau_by_sorting
    assert bootstrap._method("sparse_kendall_tau", N) is bootstrap._tau_by_sorting


def test_resamples_are_drawn_in_blocks() -> None:
    """Blocks bound the memory, and draw what one block would draw."""
    sizes = [block.shape for block in bootstrap._blocks(300, N, np.random.default_rng(0))]
    assert sum(rows for rows, _ in sizes) == 300
    assert {columns for _, columns in sizes} == {N}
    assert max(rows for rows, _ in sizes) * N <= bootstrap.BLOCK
    small = np.concatenate(list(bootstrap._blocks(7, 50, np.random.default_rng(1))))
    assert np.array_equal(small, np.random.default_rng(1).integers(0, 50, (7, 50)))
