"""Evolution: where children come from, and that it pays."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from engine.core.architecture import Architecture
from engine.searchers import SEARCHERS, Searcher
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.evaluation import SearchSpec

ROOT = Path(__file__).resolve().parents[3]
Score = Callable[[Architecture], float]


def additive(architecture: Architecture) -> float:
    """A synthetic accuracy: every edge adds its own part, with two pairs that work together."""
    table = np.random.default_rng(0).normal(size=(6, 5))
    indices = architecture.indices
    both = table[0, indices[1]] * table[3, indices[4]]
    return float(sum(table[edge, option] for edge, option in enumerate(indices)) + both)


@pytest.fixture(scope="session")
def accuracy() -> Score:
    """Published CIFAR-10 validation accuracy after 200 epochs."""
    given = os.environ.get("NASW_SHARED_DATA")
    path = (Path(given) if given else ROOT.parent / "shared" / "data") / "nasbench201.csv.gz"
    if not path.is_file():
        pytest.skip(f"no published table: {path} is absent (set NASW_SHARED_DATA)")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        table = {
            tuple(int(digit) for digit in row["ops"]): float(row["cifar10valid_val_200"])
            for row in csv.DictReader(file)
        }
    return lambda architecture: table[architecture.indices]


def best_of(name: str, score: Score, seed: int) -> float:
    """Return the best of 10 generations of 20."""
    spec = SearchSpec(population=20, generations=10, parents=5, mutation=0.1)
    rng = np.random.default_rng(seed)
    searcher = SEARCHERS[name](NB201_SPACE, spec, rng, lambda one: True)
    for _ in range(spec.generations):
        asked = searcher.ask()
        searcher.tell(asked, [score(one) for one in asked])
    assert len(searcher.scores) == 200
    return score(searcher.best(1)[0])


def compare(score: Score, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(best_of("evolution", score, s), best_of("random", score, s)) for s in range(seeds)]
    ours, random = np.array(pairs).T
    return ours, random


def test_it_beats_random_search_on_a_synthetic_score() -> None:
    ours, random = compare(additive, 8)
    assert ours.mean() > random.mean()
    assert np.sum(ours > random) >= 7


def test_it_beats_random_search_on_published_accuracies(accuracy: Score) -> None:
    ours, random = compare(accuracy, 10)
    assert ours.mean() > random.mean()
    assert np.sum(ours > random) > np.sum(ours < random)


def evolution(**settings: float) -> Searcher:
    spec = SearchSpec(**settings)
    return SEARCHERS["evolution"](NB201_SPACE, spec, np.random.default_rng(3), lambda one: True)


def test_children_come_from_the_best_alone() -> None:
    """With two parents and no mutation, half are crossings of them and the rest is random."""
    searcher = evolution(population=10, parents=2, mutation=0.0)
    first = searcher.ask()
    parents = max(combinations(first, 2), key=lambda pair: NB201_SPACE.hamming(*pair))
    assert NB201_SPACE.hamming(*parents) >= 5, "so that five different crossings exist"
    searcher.tell(first, [float(one in parents) for one in first])
    children = searcher.ask()
    assert len(children) == 10
    for child in children[:5]:
        for mine, *given in zip(child.indices, *(one.indices for one in parents), strict=True):
            assert mine in given
    distances = [min(NB201_SPACE.hamming(one, p) for p in parents) for one in children[5:]]
    assert max(distances) >= 3, "mutants without mutation are known, so the rest is random"


def test_mutants_stay_near_a_parent() -> None:
    searcher = evolution(population=40, parents=1, mutation=0.1)
    first = searcher.ask()
    searcher.tell(first, [additive(one) for one in first])
    (parent,) = searcher.best(1)
    # One parent crossed with itself is nothing new, so the mutants are the first 20.
    distances = [NB201_SPACE.hamming(one, parent) for one in searcher.ask()[:20]]
    assert min(distances) >= 1
    assert np.mean(distances) < 2
