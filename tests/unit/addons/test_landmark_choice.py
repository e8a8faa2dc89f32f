"""Which landmarks are chosen, which pairs are drawn, and how they are kept."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from engine.addons.landmark import Landmark, LandmarkRegulariser, choose_diverse
from engine.core.architecture import Architecture
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.addons import LandmarkSpec
from engine.spec.errors import SpecError


def landmarks(*values: float) -> list[Landmark]:
    return [
        Landmark(Architecture("nb201", (i % 5, 3, 1, 2, 0, 4)), value=value, truth=50.0, round=1)
        for i, value in enumerate(values)
    ]


def regulariser(*values: float, **settings: object) -> LandmarkRegulariser:
    found = LandmarkRegulariser(LandmarkSpec(warm_up=0.0, **settings), epochs=10)
    found.add(landmarks(*values))
    return found


@pytest.mark.parametrize("tau", range(6))
@pytest.mark.parametrize("seed", range(3))
def test_all_are_further_from_the_root_than_tau(tau: int, seed: int) -> None:
    found = choose_diverse(NB201_SPACE, 30, tau, np.random.default_rng(seed))
    assert len(found) == 30
    root, *others = found
    assert all(NB201_SPACE.hamming(root, one) > tau for one in others)
    assert len({NB201_SPACE.canonical(one) for one in found}) == 30
    assert all(NB201_SPACE.is_valid(one) for one in found)


def test_every_allowed_distance_occurs() -> None:
    root, *others = choose_diverse(NB201_SPACE, 200, 2, np.random.default_rng(0))
    assert {NB201_SPACE.hamming(root, one) for one in others} == {3, 4, 5, 6}


def test_what_is_excluded_never_becomes_a_landmark() -> None:
    """The correlation sample must not hold landmarks (002 §5)."""
    everything = [NB201_SPACE.canonical(one) for one in NB201_SPACE.enumerate()]
    excluded = set(np.random.default_rng(1).permutation(sorted(set(everything)))[:5_000])
    for seed in range(3):
        found = choose_diverse(NB201_SPACE, 40, 3, np.random.default_rng(seed), excluded)
        assert len(found) == 40
        assert not excluded & {NB201_SPACE.canonical(one) for one in found}


def test_too_many_are_refused_with_the_number_that_was_found() -> None:
    everything = {NB201_SPACE.canonical(one) for one in NB201_SPACE.enumerate()}
    with pytest.raises(SpecError, match="only 0 different networks.*3 are wanted") as caught:
        choose_diverse(NB201_SPACE, 3, 0, np.random.default_rng(0), everything)
    assert caught.value.field == "addons.landmark.per_round"


def test_the_generator_decides() -> None:
    first, again, other = (
        choose_diverse(NB201_SPACE, 5, 3, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_they_are_kept_best_first_and_ties_as_they_came() -> None:
    found = regulariser(70.0, 90.0, 80.0, 90.0)
    assert [one.value for one in found.landmarks] == [90.0, 90.0, 80.0, 70.0]
    indices = [one.architecture.indices[0] for one in found.landmarks]
    assert indices == [1, 3, 2, 0]
    found.add(landmarks(85.0))
    assert [one.value for one in found.landmarks] == [90.0, 90.0, 85.0, 80.0, 70.0]


def test_they_survive_a_file() -> None:
    for one in landmarks(70.25, 90.0):
        assert Landmark.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_pairs_are_ordered_uniform_and_never_ties() -> None:
    """Of ten pairs of five landmarks one is a tie; the other nine are drawn alike."""
    found = regulariser(50.0, 90.0, 70.0, 90.0, 60.0, pairs=10)
    values, rng = [one.value for one in found.landmarks], np.random.default_rng(0)
    counts = Counter(pair for _ in range(900) for pair in found.pairs(rng))
    assert set(counts) == {(i, j) for i in range(5) for j in range(5) if values[i] > values[j]}
    assert len(counts) == 9
    assert chisquare(list(counts.values())).pvalue > 1e-4


@pytest.mark.parametrize("count", [1, 2, 7])
def test_as_many_pairs_as_asked_for(count: int) -> None:
    found = regulariser(50.0, 60.0, pairs=count)
    assert found.pairs(np.random.default_rng(0)) == [(0, 1)] * count


def test_without_an_order_there_is_no_term() -> None:
    for values in ((), (50.0,), (50.0, 50.0, 50.0)):
        assert [regulariser(*values).weight(epoch) for epoch in (1, 5, 10)] == [0, 0, 0]
    assert regulariser(50.0, 50.0, 51.0).weight(10) == 10.0
