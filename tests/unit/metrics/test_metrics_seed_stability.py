"""Agreement between seeds against scipy's tau on the common architectures."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from engine.metrics import SeedStability, seed_stability


def ranking(seed: int, names: range) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {
        str(name): float(score) for name, score in zip(names, rng.random(len(names)), strict=True)
    }


def test_mean_over_pairs_against_scipy():
    seeds = [ranking(0, range(0, 20)), ranking(1, range(4, 25)), ranking(2, range(0, 16))]
    taus = []
    for first, second in combinations(seeds, 2):
        common = [name for name in first if name in second]
        taus.append(stats.kendalltau([first[n] for n in common], [second[n] for n in common])[0])
    found = seed_stability(seeds)
    assert found.tau == pytest.approx(np.mean(taus))
    assert (found.pairs, found.common) == (3, 12)


def test_same_and_opposite_orders():
    up = {str(i): float(i) for i in range(12)}
    down = {name: -score for name, score in up.items()}
    same = seed_stability([up, {n: s * 7 for n, s in up.items()}])
    assert (same.tau, same.pairs, same.common) == (pytest.approx(1.0), 1, 12)
    assert seed_stability([up, down]).tau == pytest.approx(-1.0)
    assert seed_stability([up, up, down]).tau == pytest.approx(-1 / 3)


def test_what_cannot_be_compared_is_left_out():
    up = {str(i): float(i) for i in range(12)}
    flat = dict.fromkeys(up, 1.0)
    few = {str(i): 0.5 for i in range(9)}
    none = SeedStability(None, 0, 0)
    assert seed_stability([]) == none
    assert seed_stability([up]) == none
    assert seed_stability([up, flat]) == none
    assert seed_stability([up, few]) == none
    assert seed_stability([up, flat, up]).pairs == 1
    swapped = seed_stability([{"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 1.0}], least=2)
    assert swapped.tau == pytest.approx(-1.0)
