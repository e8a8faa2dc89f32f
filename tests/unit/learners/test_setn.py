"""SETN: uniform paths whatever is learned; probabilities from the mixture of all operations."""

from __future__ import annotations

from collections import Counter

import numpy as np
from gradient_cases import dense_gradient, held_out, learner, logits, softmax, step_at
from scipy.stats import chisquare

from engine.paths import PATHS, PathContext
from engine.recipes import RECIPES
from engine.tasks import classification


def test_weights_are_trained_on_uniform_paths() -> None:
    one = learner("setn").context
    paths = PATHS[RECIPES["setn"].paths](PathContext(one.space, one.settings, one.learned))
    rng = np.random.default_rng(0)
    drawn = Counter(paths.routes(rng, 0.5)[0].active[0][0] for _ in range(3000))
    assert np.abs(softmax(logits(one)[0]) - 0.2).max() > 0.1, "what is learned is not uniform"
    assert chisquare([drawn[i] for i in range(5)]).pvalue > 1e-3


def test_probabilities_learn_from_the_template_network() -> None:
    made = learner("setn")
    alphas = logits(made.context)
    chances = softmax(alphas)
    found = made.gradients(step_at(0.5, made.context.net))
    labels = held_out().next()[1]
    slopes = dense_gradient(
        made.context.net,
        made.context.space,
        chances,
        lambda out: classification.loss(out, labels),
    )
    for choice, one in enumerate(found):
        wanted = chances[choice] * (slopes[choice] - (chances[choice] * slopes[choice]).sum())
        assert one is not None
        np.testing.assert_allclose(one.numpy(), wanted, rtol=1e-6, atol=1e-12)
