"""BayesNAS: the update of the priors, their hierarchy, pruning."""

from __future__ import annotations

import numpy as np
import torch
from learner_cases import learner, step
from scipy.optimize import minimize_scalar

from engine.learners.relevance import hierarchical, rescaled, updated
from engine.spaces import get_space


def test_the_update_is_a_step_of_majorising_the_marginal_likelihood() -> None:
    """Fixed points of the update are stationary in gamma of w^2/gamma + log(gamma) + log(1/g+H).

    For one weight and a quadratic loss, -2 log evidence is, up to a constant, that function.
    """
    w, curvature = torch.tensor([0.7], dtype=torch.float64), torch.tensor([9.0])
    gamma = torch.tensor([1.0], dtype=torch.float64)
    for _ in range(500):
        gamma, _ = updated(w, gamma, curvature.double())

    def evidence(g: float) -> float:
        return 0.7**2 / g + np.log(g) + np.log(1 / g + 9.0)

    best = minimize_scalar(evidence, bounds=(1e-6, 10), method="bounded", options={"xatol": 1e-10})
    np.testing.assert_allclose(gamma.item(), best.x, rtol=1e-4)


def test_the_update_by_hand() -> None:
    # C = 1/(1/2 + 3) = 2/7; omega^2 = 1/2 - (2/7)/4 = 3/7; gamma = 0.6 / sqrt(3/7)
    gamma, omega = updated(torch.tensor([-0.6]), torch.tensor([2.0]), torch.tensor([3.0]))
    np.testing.assert_allclose(omega, np.sqrt(3 / 7), rtol=1e-6)
    np.testing.assert_allclose(gamma, 0.6 / np.sqrt(3 / 7), rtol=1e-6)


def test_an_edge_out_of_a_node_that_nothing_enters_is_irrelevant() -> None:
    gamma = torch.tensor([1e-9, 1e-9, 0.5, 0.5])  # two edges into node 1, 0->2 and 1->2
    groups, sources = torch.tensor([1, 1, 2, 2]), torch.tensor([-1, -1, -1, 1])
    found = hierarchical(gamma, groups, sources)
    np.testing.assert_allclose(found, [1e-9, 1e-9, 0.5, 1 / (2 + 1 / 2e-9)], rtol=1e-5)


def test_sources_and_groups_of_the_spaces_are_their_wiring() -> None:
    for name in ("nb201", "darts"):
        space = get_space(name)
        for choice, group, source in zip(
            space.mixture, space.mixture_groups, space.mixture_sources, strict=True
        ):
            left, right = choice.name.split(" ")[-1].split("->")
            assert group % 6 == int(right)
            inputs = 1 if name == "nb201" else 2
            assert source == (-1 if int(left) < inputs else group - int(right) + int(left))


def test_the_scale_of_a_node_is_kept() -> None:
    before = torch.tensor([0.5, 0.5, 1.0, 1.0])
    w, groups = torch.tensor([0.1, -0.3, 0.0, 0.0]), torch.tensor([1, 1, 2, 2])
    found = rescaled(w, before, groups)
    np.testing.assert_allclose(found, [0.25, -0.75, 1.0, 1.0])


def test_irrelevant_options_are_pruned_for_good_and_no_longer_computed() -> None:
    made = learner("bayesnas", settings={"prune_below": 0.5})
    with torch.no_grad():
        made.learned.w.copy_(torch.tensor([0.001, 0.001, 0.001, 0.9, 0.8] * 6))
    made.step(step(made.context.net.train()))
    made.end_epoch(4)
    (route,) = made.context.paths.routes(made.context.rng, 0.5)
    assert all(set(active) <= {3, 4} for active in route.active)
    assert any(route.active)
    assert made.report()["options_kept"] == sum(map(len, route.active))
    with torch.no_grad():
        made.learned.w.fill_(1.0)
    (again,) = made.context.paths.routes(made.context.rng, 0.5)
    assert again.active == route.active
    first = made.proposals(1)[0].indices
    assert all(o in (0, 3, 4) for o in first) and any(first)


def test_an_edge_of_which_nothing_is_left_becomes_zero() -> None:
    made = learner("bayesnas")
    assert not made.learned.kept.view(6, 5)[:, 0].any(), "`none` has no weight"
    with torch.no_grad():
        made.learned.kept.view(6, 5)[4] = 0.0
    (route,) = made.context.paths.routes(made.context.rng, 0.5)
    assert route.active[4] == () and len(route.active[3]) == 4
    assert made.report()["probabilities"][4] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert made.proposals(1)[0].indices[4] == 0
