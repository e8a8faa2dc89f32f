"""Equation 5.1 as the tables use it: published rows, exact enumeration, simulation."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import surpass_random

NB101 = 423_624


@pytest.mark.parametrize(
    ("rank", "three_digits", "printed"),
    [
        (19_552, 0.623, 0.62),  # Table 5.3: NAO
        (57_079, 0.235, 0.24),  # DARTS
        (96_939, 0.074, 0.07),  # ENAS
        (3_543, 0.919, 0.92),  # Table 5.4: NAO
        (4_610, 0.896, 0.90),  # ENAS
    ],
)
def test_rows_of_tables_5_3_and_5_4(rank, three_digits, printed):
    p = surpass_random(rank, NB101, 10)
    assert round(p, 3) == three_digits
    assert p == pytest.approx(printed, abs=0.005)
    assert 1 - p != pytest.approx(printed, abs=0.1)  # the equation as printed fails every row


@given(
    st.integers(1, 6).flatmap(lambda t: st.tuples(st.integers(1, t), st.just(t))),
    st.integers(1, 4),
)
@settings(deadline=None)
def test_all_draws_enumerated(rank_and_total, runs):
    rank, total = rank_and_total
    draws = list(itertools.product(range(1, total + 1), repeat=runs))
    wins = sum(min(draw) > rank for draw in draws)
    assert surpass_random(rank, total, runs) == pytest.approx(float(Fraction(wins, len(draws))))


def test_simulation():
    draws = np.random.default_rng(0).integers(1, NB101 + 1, (100_000, 10)).min(axis=1)
    assert np.mean(draws > 57_079) == pytest.approx(surpass_random(57_079, NB101, 10), abs=0.006)


def test_limits():
    assert surpass_random(NB101, NB101, 1) == 0.0
    assert surpass_random(1, NB101, 1) == pytest.approx(1 - 1 / NB101)
    assert surpass_random(np.int64(1), 2, 3) == 0.125


@pytest.mark.parametrize(
    ("rank", "total", "runs", "named"),
    [
        (0, 10, 1, "rank"),
        (11, 10, 1, "rank"),
        (-1, 10, 1, "rank"),
        (2.0, 10, 1, "rank"),
        (True, 10, 1, "rank"),
        (1, 0, 1, "total"),
        (1, 10, 0, "runs"),
        (1, 10, 1.5, "runs"),
    ],
)
def test_invalid_arguments_are_named(rank, total, runs, named):
    with pytest.raises(ValueError, match=f"^{named} must be"):
        surpass_random(rank, total, runs)
