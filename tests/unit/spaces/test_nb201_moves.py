"""Mutation, crossover, distance and neighbours of NAS-Bench-201."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from engine.core.architecture import Architecture
from engine.spaces.nb201 import NB201_SPACE, OPERATIONS
from engine.spec.errors import ArchitectureError

architectures = st.builds(Architecture, st.just("nb201"), st.tuples(*[st.integers(0, 4)] * 6))
seeds = st.integers(0, 2**32)


def differences(first: Architecture, second: Architecture) -> int:
    return sum(first.indices[i] != second.indices[i] for i in range(6))


@given(architectures, architectures, architectures)
@settings(deadline=None)
def test_hamming_is_a_distance(a: Architecture, b: Architecture, c: Architecture) -> None:
    assert NB201_SPACE.hamming(a, b) == NB201_SPACE.hamming(b, a) == differences(a, b)
    assert (NB201_SPACE.hamming(a, b) == 0) == (a == b)
    assert NB201_SPACE.hamming(a, c) <= NB201_SPACE.hamming(a, b) + NB201_SPACE.hamming(b, c)


@given(architectures, seeds, st.integers(1, 6))
@settings(deadline=None)
def test_mutation_changes_exactly_so_many_choices(
    one: Architecture, seed: int, changes: int
) -> None:
    mutated = NB201_SPACE.mutate(one, np.random.default_rng(seed), changes)
    assert NB201_SPACE.is_valid(mutated)
    assert differences(one, mutated) == changes


@pytest.mark.parametrize("changes", [0, -1, 7])
def test_an_impossible_number_of_changes_is_refused(changes: int) -> None:
    with pytest.raises(ArchitectureError, match=f"6 choices.*asked for were {changes}"):
        NB201_SPACE.mutate(Architecture("nb201", (0,) * 6), np.random.default_rng(0), changes)


def test_a_mutation_reaches_all_24_neighbours_alike() -> None:
    one, rng = Architecture("nb201", (0, 1, 2, 3, 4, 0)), np.random.default_rng(0)
    counts = Counter(NB201_SPACE.mutate(one, rng) for _ in range(4_800))
    assert set(counts) == set(NB201_SPACE.neighbours(one))
    assert chisquare(list(counts.values())).pvalue > 1e-4


def test_each_choice_is_redrawn_with_the_given_chance() -> None:
    """A redraw can give the old option: a choice differs with chance p * 4/5."""
    one, rng, draws = Architecture("nb201", (0, 1, 2, 3, 4, 0)), np.random.default_rng(0), 4_000
    counts = Counter(
        differences(one, NB201_SPACE.mutate_each(one, rng, 0.25)) for _ in range(draws)
    )
    expected = binom.pmf(range(7), 6, 0.2)
    merged = [counts[0], counts[1], counts[2], sum(counts[k] for k in range(3, 7))]
    wanted = [*expected[:3], expected[3:].sum()]
    assert chisquare(merged, np.array(wanted) * draws).pvalue > 1e-4


@given(architectures, seeds)
@settings(deadline=None)
def test_no_chance_no_change(one: Architecture, seed: int) -> None:
    assert NB201_SPACE.mutate_each(one, np.random.default_rng(seed), 0.0) == one


@given(architectures, architectures, seeds)
@settings(deadline=None)
def test_a_child_has_every_choice_from_a_parent(
    first: Architecture, second: Architecture, seed: int
) -> None:
    child = NB201_SPACE.crossover(first, second, np.random.default_rng(seed))
    assert NB201_SPACE.is_valid(child)
    for mine, one, other in zip(child.indices, first.indices, second.indices, strict=True):
        assert mine in (one, other)
    assert NB201_SPACE.crossover(first, first, np.random.default_rng(seed)) == first


def test_all_64_children_are_equally_likely() -> None:
    first, second = (Architecture("nb201", (option,) * 6) for option in (1, 3))
    rng = np.random.default_rng(0)
    counts = Counter(NB201_SPACE.crossover(first, second, rng) for _ in range(6_400))
    assert len(counts) == 64
    assert chisquare(list(counts.values())).pvalue > 1e-4


@given(architectures)
@settings(deadline=None, max_examples=50)
def test_neighbours_are_all_at_distance_one(one: Architecture) -> None:
    near = NB201_SPACE.neighbours(one)
    assert len(near) == len(set(near)) == 6 * (len(OPERATIONS) - 1)
    assert all(differences(one, other) == 1 and NB201_SPACE.is_valid(other) for other in near)
    assert all(one in NB201_SPACE.neighbours(other) for other in near[:3])


def test_sampling_is_uniform() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([NB201_SPACE.sample(rng).indices for _ in range(5_000)])
    for choice in range(6):
        assert chisquare(np.bincount(drawn[:, choice], minlength=5)).pvalue > 1e-4
    pairs = np.bincount(drawn[:, 0] * 5 + drawn[:, 5], minlength=25)
    assert chisquare(pairs).pvalue > 1e-4, "choices are independent"


@given(architectures)
@settings(deadline=None, max_examples=50)
def test_the_drawing_shows_the_operations_and_which_are_dead(one: Architecture) -> None:
    graph = NB201_SPACE.graphs(one)["cell"]
    names = dict(zip(["0->1", "0->2", "1->2", "0->3", "1->3", "2->3"], one.indices, strict=True))
    wanted = {name: OPERATIONS[option] for name, option in names.items() if option}
    assert {f"{s}->{t}": operation for s, t, operation, _ in graph.edges} == wanted
    flags = dict(zip(names, NB201_SPACE.live(one), strict=True))
    assert all(alive == flags[f"{s}->{t}"] for s, t, _, alive in graph.edges)
