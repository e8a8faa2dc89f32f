"""From what each option counts to architectures, against brute force and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.architecture import Architecture
from engine.derive.argmax import argmax
from engine.derive.threshold import threshold
from engine.networks.encoding import SoftOneHot
from engine.spaces import get_space

NB201, DARTS = get_space("nb201"), get_space("darts")


def weights(space: object, seed: int) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [list(rng.dirichlet(np.ones(len(c.options)))) for c in space.mixture]  # type: ignore


@pytest.mark.parametrize("seed", range(3))
def test_argmax_lists_the_largest_products_in_order(seed: int) -> None:
    given_ = weights(NB201, seed)
    best: dict[str, float] = {}
    for one in NB201.enumerate():
        product = float(np.prod([w[i] for w, i in zip(given_, one.indices, strict=True)]))
        form = NB201.canonical(one)
        best[form] = max(product, best.get(form, 0.0))
    wanted = sorted(best, key=lambda form: -best[form])[:25]
    assert [NB201.canonical(one) for one in argmax(NB201, given_, 25)] == wanted


def test_argmax_of_darts_keeps_the_two_strongest_edges_of_a_node() -> None:
    options = DARTS.mixture[0].options
    given_ = [[0.5] + [0.01] * 7 for _ in DARTS.mixture]  # `none` is strongest everywhere
    places = {choice.name: i for i, choice in enumerate(DARTS.mixture)}
    for edge, option, weight in (
        ("normal 1->5", "sep_conv_5x5", 0.3),
        ("normal 4->5", "max_pool_3x3", 0.2),
        ("normal 0->5", "skip_connect", 0.1),
    ):
        given_[places[edge]][options.index(option)] = weight
    found = DARTS.decode(argmax(DARTS, given_, 1)[0])
    assert found["normal 5 inputs"] == "1+4"
    assert found["normal 5 first op"] == "sep_conv_5x5"
    assert found["normal 5 second op"] == "max_pool_3x3"


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_a_mixture_of_one_architecture_leads_back_to_it(seed: int) -> None:
    for space in (NB201, DARTS):
        one = space.sample(np.random.default_rng(seed))
        taken = space.mixture_of(one)
        hot = [
            [float(o == t) for o in range(len(c.options))]
            for c, t in zip(space.mixture, taken, strict=True)
        ]
        assert space.canonical(space.from_mixture(hot)) == space.canonical(one)


def real(weights: list[list[float]]) -> list[list[float]]:
    return [[0.0, *one[1:]] for one in weights]


def test_threshold_keeps_two_per_node_and_nothing_weak() -> None:
    strong = {3: 0.9, 4: 0.95, 5: 0.99, 0: 0.86}  # three edges into node 3, one into node 1
    given_ = [[0.1, 0.2, 0.3, strong.get(edge, 0.84), 0.2] for edge in range(6)]
    assert threshold(NB201, given_, 1)[0].indices == (3, 0, 0, 0, 3, 3)
    cut = [[0.1, 0.2, 0.3, 0.99 if edge == 0 else 0.1, 0.2] for edge in range(6)]
    assert threshold(NB201, cut, 1) == argmax(NB201, real(cut), 1), "0->1 alone reaches nothing"
    weak = [[0.1, 0.2, 0.3, 0.84, 0.2]] * 6
    assert threshold(NB201, weak, 3) == argmax(NB201, real(weak), 3)
    gated = [[0.99, 0.2, 0.3, 0.9, 0.2]] * 6
    assert threshold(NB201, gated, 1)[0].indices[0] == 3, "`none` does not win by its gate"


def test_threshold_goes_on_with_argmax_without_repeating() -> None:
    given_ = [[0.1, 0.2, 0.3, 0.9, 0.2]] * 6
    found = threshold(NB201, given_, 6)
    assert len({NB201.canonical(one) for one in found}) == 6


def test_soft_one_hot_by_hand() -> None:
    import torch

    encode = SoftOneHot(NB201, 0.01, torch.device("cpu"))
    route = encode(Architecture("nb201", (3, 0, 1, 2, 4, 3)))
    assert route.active == ((0, 1, 2, 3, 4),) * 6
    assert route.weights is not None
    for taken, one in zip((3, 0, 1, 2, 4, 3), route.weights, strict=True):
        wanted = np.full(5, 0.2 - 0.01 / 4)
        wanted[taken] = 0.21
        np.testing.assert_allclose(one, wanted, rtol=1e-6)
        assert abs(one.sum().item() - 1) < 1e-6
