"""Path dropout: how often an option is kept, and how that changes over the training."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.core.choice import Choice
from engine.networks import Route, build_supernet
from engine.paths.path_dropout import PathDropout
from engine.spaces import get_space
from engine.spec.network import NetworkSpec

SIZES = (1, 2, 5, 8)
DRAWS = 6000


def policy(rate: float) -> PathDropout:
    """Return the policy of a space with choices of different sizes."""
    choices = [Choice(str(n), "op", tuple(map(str, range(n)))) for n in SIZES]
    return PathDropout(SimpleNamespace(mixture=choices), SimpleNamespace(dropout_rate=rate))


@pytest.mark.parametrize(("rate", "share"), [(0.5, 1.0), (0.9, 0.5), (0.2, 0.25)])
def test_every_option_is_kept_with_the_stated_chance(rate: float, share: float) -> None:
    own, rng = policy(rate), np.random.default_rng(0)
    kept = [np.zeros(count) for count in SIZES]
    single = np.zeros(len(SIZES))
    for _ in range(DRAWS):
        (route,) = own.routes(rng, share)
        assert route.weights is None
        for place, active in enumerate(route.active):
            assert active and list(active) == sorted(set(active))
            kept[place][list(active)] += 1
            single[place] += len(active) == 1
    r = rate * share
    for place, count in enumerate(SIZES):
        drop = r ** (1 / count)
        chance = 1 - drop + r / count
        error = np.sqrt(chance * (1 - chance) / DRAWS)
        assert np.abs(kept[place] / DRAWS - chance).max() <= 4.5 * error, count
        # One is left where all others are dropped, or where all are.
        alone = count * (1 - drop) * drop ** (count - 1) + r if count > 1 else 1.0
        error = np.sqrt(alone * (1 - alone) / DRAWS)
        assert abs(single[place] / DRAWS - alone) <= 4.5 * error, count


def test_nothing_is_dropped_at_the_start_and_more_and_more_later() -> None:
    own, rng = policy(0.8), np.random.default_rng(1)
    means = []
    for share in (0.0, 0.1, 0.5, 1.0):
        routes = [own.routes(rng, share)[0] for _ in range(400)]
        means.append(np.mean([len(route.active[3]) for route in routes]))
    assert means[0] == 8
    assert means == sorted(means, reverse=True) and means[-1] < 2


def test_the_outputs_that_stay_are_added_up() -> None:
    space = get_space("nb201")
    network = NetworkSpec(channels=2, cells=1, classes=3, input_channels=1, resolution=8)
    net = build_supernet(space, network, 0).double()
    (route,) = PathDropout(space, SimpleNamespace(dropout_rate=0.2)).routes(
        np.random.default_rng(2), 0.5
    )
    assert any(1 < len(active) < 5 for active in route.active)
    x = torch.randn(4, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ones = torch.zeros(6, 5, dtype=torch.float64)
    for edge, active in enumerate(route.active):
        ones[edge, list(active)] = 1.0
    everything = (tuple(range(5)),) * 6
    torch.testing.assert_close(net(x, route), net(x, Route(everything, tuple(ones))))
