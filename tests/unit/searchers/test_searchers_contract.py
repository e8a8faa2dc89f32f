"""What every registered searcher promises: no repeats, the limits, an end, determinism."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from toy_space import NETWORKS, TOY, TUPLES

from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.searchers import SEARCHERS, Searcher
from engine.spaces.nb201 import NB201_SPACE
from engine.spec.errors import SpecError
from engine.spec.evaluation import SearchSpec
from engine.spec.network import NetworkSpec

pytestmark = pytest.mark.parametrize(
    "name", [name for name, kind in SEARCHERS.items() if not kind.takes_learned]
)


def everything(architecture: Architecture) -> bool:
    return True


def make(
    name: str,
    space: Space,
    seed: int = 0,
    allowed: Callable[[Architecture], bool] = everything,
    **settings: float,
) -> Searcher:
    spec = SearchSpec(**{"population": 10, "parents": 4, "generations": 5, **settings})
    return SEARCHERS[name](space, spec, np.random.default_rng(seed), allowed)


def score(architecture: Architecture) -> float:
    """Depend on the network alone, with ties."""
    return float(sum((index + 1) % 3 for index in architecture.indices))


def run(searcher: Searcher, generations: int) -> list[list[Architecture]]:
    asked = []
    for _ in range(generations):
        generation = searcher.ask()
        searcher.tell(generation, [score(one) for one in generation])
        asked.append(generation)
    return asked


def test_no_network_is_proposed_twice(name: str) -> None:
    for mutation in (0.0, 0.1, 1.0):
        generations = run(make(name, NB201_SPACE, mutation=mutation), 20)
        forms = [NB201_SPACE.canonical(one) for asked in generations for one in asked]
        assert len(forms) == len(set(forms)) == 200
        assert all(NB201_SPACE.is_valid(one) for asked in generations for one in asked)


def test_what_was_asked_but_not_told_is_not_proposed_again(name: str) -> None:
    """A run can ask twice, as when evaluations are spread over machines."""
    searcher = make(name, NB201_SPACE)
    run(searcher, 1)
    asked = [NB201_SPACE.canonical(one) for _ in range(5) for one in searcher.ask()]
    assert len(set(asked)) == 50


def test_limits_hold_for_every_proposal(name: str) -> None:
    def cheap(one: Architecture) -> bool:
        return NB201_SPACE.cost(one, NetworkSpec()).params <= 300_000

    asked = [one for part in run(make(name, NB201_SPACE, allowed=cheap), 20) for one in part]
    assert len(asked) == 200
    assert all(cheap(one) for one in asked)
    free = [one for part in run(make(name, NB201_SPACE), 20) for one in part]
    assert not all(cheap(one) for one in free), "otherwise the limit changed nothing"


def test_a_limit_that_nothing_meets_is_an_error(name: str) -> None:
    with pytest.raises(SpecError, match="max_params.*raise the limits") as caught:
        make(name, NB201_SPACE, allowed=lambda one: False).ask()
    assert caught.value.field == "search"


def test_a_small_space_is_used_up_and_then_ends(name: str) -> None:
    assert len(NETWORKS) == 25 < len(TUPLES) == 42
    searcher = make(name, TOY)
    generations = run(searcher, 6)
    forms = [TOY.canonical(one) for asked in generations for one in asked]
    assert len(forms) == len(set(forms))
    assert set(forms) == NETWORKS, "it ends only when there is nothing left"
    assert [len(asked) for asked in generations] == [10, 10, 5, 0, 0, 0]
    assert len(searcher.scores) == 25


def test_the_generator_decides_everything(name: str) -> None:
    first, again, other = (run(make(name, NB201_SPACE, seed), 8) for seed in (1, 1, 2))
    assert first == again != other


def test_global_random_streams_are_left_alone(name: str) -> None:
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = run(make(name, NB201_SPACE), 5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.random.seed(1)
    assert run(make(name, NB201_SPACE), 5) == first


def test_the_best_come_first_and_ties_in_the_order_found(name: str) -> None:
    searcher = make(name, NB201_SPACE)
    found = [one for asked in run(searcher, 6) for one in asked]
    wanted = [one for _, _, one in sorted((-score(o), i, o) for i, o in enumerate(found))]
    assert searcher.best(len(found) + 10) == wanted
    assert searcher.best(3) == wanted[:3]
    assert searcher.best(0) == []


def test_scores_and_architectures_must_be_as_many(name: str) -> None:
    searcher = make(name, NB201_SPACE)
    with pytest.raises(ValueError):
        searcher.tell(searcher.ask(), [1.0])


def test_a_population_is_filled_whatever_the_settings(name: str) -> None:
    for population, parents, mutation in ((2, 1, 0.0), (7, 7, 1.0), (3, 2, 0.5)):
        searcher = make(
            name, NB201_SPACE, population=population, parents=parents, mutation=mutation
        )
        assert [len(asked) for asked in run(searcher, 6)] == [population] * 6
