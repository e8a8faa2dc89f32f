"""What every space inherits, on a space with a constraint and choices of several sizes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.core.space import CellGraph, Cost, Space
from engine.spec.errors import ArchitectureError
from engine.spec.network import NetworkSpec


class Sums(Space):
    """Three numbers whose sum is even, and a choice without a choice."""

    name = "sums"
    title = "Sums"
    source = "none"
    help = "For tests."
    provides = frozenset()
    choices = (
        Choice("a", "width", ("0", "1")),
        Choice("only", "op", ("x",)),
        Choice("b", "depth", ("0", "1", "2")),
        Choice("c", "kernel", ("0", "1", "2", "3")),
    )

    def constraint(self, architecture: Architecture) -> str | None:
        return "The sum is odd." if sum(architecture.indices) % 2 else None

    def to_text(self, architecture: Architecture) -> str:
        return str(architecture)

    def parse(self, text: str) -> Architecture:
        raise ArchitectureError(text)

    def canonical(self, architecture: Architecture) -> str:
        return str(architecture)

    def cost(self, architecture: Architecture, network: NetworkSpec) -> Cost:
        return Cost(1, 1)

    def graphs(self, architecture: Architecture) -> dict[str, CellGraph]:
        return {}


class Impossible(Sums):
    """A space whose constraint nothing meets."""

    def constraint(self, architecture: Architecture) -> str | None:
        return "Never."


SPACE = Sums()
VALID = [
    Architecture("sums", (a, 0, b, c))
    for a in range(2)
    for b in range(3)
    for c in range(4)
    if (a + b + c) % 2 == 0
]
some = st.sampled_from(VALID)
seeds = st.integers(0, 2**32)


def test_enumeration_is_in_order_and_complete() -> None:
    assert list(SPACE.enumerate()) == VALID
    assert SPACE.size == 24, "index tuples, constraint or not, unless a space says better"


def test_sampling_is_uniform_over_the_valid() -> None:
    rng = np.random.default_rng(0)
    counts = Counter(SPACE.sample(rng) for _ in range(2_400))
    assert set(counts) == set(VALID)
    assert chisquare(list(counts.values())).pvalue > 1e-4


@given(some, seeds, st.integers(1, 3))
@settings(deadline=None)
def test_mutation_keeps_the_constraint(one: Architecture, seed: int, changes: int) -> None:
    mutated = SPACE.mutate(one, np.random.default_rng(seed), changes)
    assert mutated in VALID and SPACE.hamming(one, mutated) == changes
    assert SPACE.mutate_each(one, np.random.default_rng(seed), 0.7) in VALID


@given(some, some, seeds)
@settings(deadline=None)
def test_crossover_keeps_the_constraint(a: Architecture, b: Architecture, seed: int) -> None:
    child = SPACE.crossover(a, b, np.random.default_rng(seed))
    assert child in VALID
    assert all(x in pair for x, *pair in zip(child.indices, a.indices, b.indices, strict=True))


@given(some)
@settings(deadline=None)
def test_neighbours_are_the_valid_at_distance_one(one: Architecture) -> None:
    wanted = [other for other in VALID if SPACE.hamming(one, other) == 1]
    assert sorted(SPACE.neighbours(one)) == wanted


def test_where_nothing_is_valid_it_says_so_instead_of_searching_for_ever() -> None:
    space, rng, one = Impossible(), np.random.default_rng(0), VALID[0]
    for use in (
        lambda: space.sample(rng),
        lambda: space.mutate(one, rng),
        lambda: space.mutate_each(one, rng, 0.5),
    ):
        with pytest.raises(ArchitectureError, match="was found in 10,000 draws"):
            use()
    assert space.crossover(one, VALID[1], rng) == one
    assert space.neighbours(one) == list(space.enumerate()) == []


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Architecture("other", (0, 0, 0, 0)), "belongs to the space `other`, not to `sums`"),
        (Architecture("sums", (0, 0, 0)), "has 4 choices; given were 3"),
        (Architecture("sums", (0, 0, 0, 0, 0)), "has 4 choices; given were 5"),
        (
            Architecture("sums", (0, 0, 0, 4)),
            "Choice `c` of `sums` has options 0 to 3",
        ),
        (Architecture("sums", (-1, 0, 0, 1)), "Choice `a` of `sums` has options 0 to 1"),
        (Architecture("sums", (1, 0, 0, 0)), "The sum is odd."),
    ],
)
def test_what_does_not_belong_is_refused(one: Architecture, words: str) -> None:
    assert not SPACE.is_valid(one)
    with pytest.raises(ArchitectureError) as caught:
        SPACE.check(one)
    assert words in str(caught.value)


def test_names_of_options_both_ways() -> None:
    one = SPACE.encode(["1", "x", "2", "3"])
    assert one.indices == (1, 0, 2, 3)
    assert SPACE.decode(one) == {"a": "1", "only": "x", "b": "2", "c": "3"}
    for options, words in (
        (["1", "x", "2"], "4 choices; given were 3"),
        (["1", "y", "2", "3"], "Choice `only` of `sums` has no option `y`; it has x"),
        (["1", "x", "2", "2"], "The sum is odd"),
    ):
        with pytest.raises(ArchitectureError) as caught:
            SPACE.encode(options)
        assert words in str(caught.value)


def test_distances_need_equal_lengths() -> None:
    with pytest.raises(ValueError):
        SPACE.hamming(VALID[0], Architecture("sums", (0,)))
