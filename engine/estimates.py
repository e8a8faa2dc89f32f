"""How much work a run is, in images passed forward and back, before it has begun."""

from __future__ import annotations

import numpy as np

from engine.lab import Lab

# A forward pass alone costs about a third of forward and backward.
FORWARD_SHARE = 1 / 3


def training_steps(lab: Lab) -> int:
    """Return the updates of one stand-alone ground truth, over all replicates."""
    spec = lab.spec.stand_alone
    steps = lab.parts["train"].batches_per_epoch(spec.batch_size)
    return steps * spec.epochs * spec.replicates


def training_work(lab: Lab) -> float:
    """Return the work of one stand-alone ground truth."""
    if lab.spec.evaluation.ground_truth.source == "table":
        return 0.0
    spec = lab.spec.stand_alone
    return spec.epochs * spec.replicates * len(lab.parts["train"]) * _relative_size(lab)


def _relative_size(lab: Lab) -> float:
    """Return what an image costs in a stand-alone network, in units of one in the super-net.

    Any architecture tells: skeletons scale all of them about alike.
    """
    if lab.stand_alone_network == lab.network:
        return 1.0
    some = lab.space.sample(np.random.default_rng(0))
    costs = [lab.space.cost(some, net).flops for net in (lab.stand_alone_network, lab.network)]
    return costs[0] / costs[1]


def scoring_work(lab: Lab) -> float:
    """Return the work of one super-net score."""
    return lab.scorer.count * FORWARD_SHARE


def planned_work(lab: Lab) -> dict[str, float]:
    """Return the expected work by stage."""
    spec = lab.spec
    landmark, truth, score = spec.addons.landmark, training_work(lab), scoring_work(lab)
    landmarks = landmark.per_round * landmark.rounds if landmark else 0
    epochs = spec.super_net.epochs
    images = epochs * lab.trainer.steps * min(spec.super_net.batch_size, len(lab.parts["train"]))
    paths = lab.trainer.paths.per_update + (
        2 * landmark.pairs * (1 - landmark.warm_up) if landmark else 0
    )
    rankings = -(-epochs // spec.evaluation.every)
    searches = 1 + len(lab.recipe.baselines) + (landmark.rounds - 1 if landmark else 0)
    evaluations = spec.search.population * spec.search.generations
    return {
        "ground_truth": (spec.evaluation.sample + landmarks) * truth,
        "training": images * paths + rankings * spec.evaluation.sample * score,
        "search": searches * evaluations * score,
        "final": (1 + len(lab.recipe.baselines)) * spec.search.keep * truth,
    }
