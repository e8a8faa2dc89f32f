"""Path policies: what distinguishes each, counted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from scipy.stats import chisquare

from engine.core.architecture import Architecture
from engine.core.choice import Choice
from engine.learners import LEARNED
from engine.paths import PATHS, PathContext
from engine.paths.fair import FairPaths
from engine.paths.unique import UniquePaths
from engine.recipes import RECIPES, Recipe
from engine.spaces import get_space
from engine.spaces.nb201 import NB201

NB201_SPACE = get_space("nb201")


class MixedSpace(NB201):
    """Operation choices of different sizes and an input choice, for counting only."""

    choices = (
        Choice("a", "op", ("x", "y")),
        Choice("b", "op", ("x", "y", "z")),
        Choice("c", "input", ("0", "1", "2")),
    )


def test_fairnas_uses_every_operation_of_every_edge_exactly_once_per_update() -> None:
    policy, rng = FairPaths(NB201_SPACE), np.random.default_rng(0)
    seen = set()
    for _ in range(20):
        routes = policy.routes(rng)
        assert len(routes) == 5
        for choice in range(6):
            assert sorted(route.active[choice] for route in routes) == [(k,) for k in range(5)]
        seen.add(tuple(route.active for route in routes))
    assert len(seen) == 20


def test_fairnas_counts_stay_equal_where_choices_differ_in_size() -> None:
    routes = FairPaths(MixedSpace()).routes(np.random.default_rng(1))
    assert len(routes) == 6
    assert Counter(route.active[0] for route in routes) == {(0,): 3, (1,): 3}
    assert Counter(route.active[1] for route in routes) == {(0,): 2, (1,): 2, (2,): 2}
    assert len({route.active[2] for route in routes}) == 1, "one topology per update"


def test_random_a_is_uniform_over_networks_and_uniform_paths_are_not() -> None:
    rng, draws = np.random.default_rng(2), 60_000
    policy = UniquePaths(NB201_SPACE)
    assert len(policy.classes) == 5_425
    largest = {a.indices for a in max(policy.classes, key=len)}
    share = len(largest) / NB201_SPACE.size
    counts = {}
    for name in ("unique", "uniform"):
        made = policy if name == "unique" else PATHS[name](PathContext(NB201_SPACE))
        hits = sum(
            tuple(a for (a,) in made.routes(rng)[0].active) in largest for _ in range(draws)
        )
        counts[name] = hits
    for name, expected in (("unique", 1 / 5_425), ("uniform", share)):
        observed = [counts[name], draws - counts[name]]
        p = chisquare(observed, [draws * expected, draws * (1 - expected)]).pvalue
        assert p > 1e-4, (name, counts[name], draws * expected)
    assert counts["uniform"] > 20 * counts["unique"]


def test_every_encoding_of_a_network_can_be_drawn_by_random_a() -> None:
    policy, rng = UniquePaths(NB201_SPACE), np.random.default_rng(3)
    policy.classes = [min((c for c in policy.classes if len(c) > 3), key=len)]
    drawn = {
        Architecture.of("nb201", [i for (i,) in policy.routes(rng)[0].active]) for _ in range(300)
    }
    assert drawn == set(policy.classes[0])


def used(recipe: Recipe) -> tuple[str | None, ...]:
    return recipe.paths, recipe.learner_paths


def test_policies_draw_only_from_their_generator() -> None:
    for name, make in PATHS.items():
        recipe = next(r for r in RECIPES.values() if name in used(r))
        settings, learned = recipe.settings(), None
        if recipe.learned is not None:
            generator = torch.Generator().manual_seed(0)
            learned = LEARNED[recipe.learned](NB201_SPACE, settings, generator)
        context = PathContext(NB201_SPACE, settings, learned)
        one = make(context).routes(np.random.default_rng(5), 0.5)
        two = make(context).routes(np.random.default_rng(5), 0.5)
        assert [r.active for r in one] == [r.active for r in two], name
