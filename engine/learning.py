"""From a recipe's slots to its path policy and learner, wired to the parts of a run."""

from __future__ import annotations

import torch

from engine.compose import recipe_settings
from engine.core.space import Space
from engine.core.streams import Streams, derive_seed
from engine.datasets.batches import BatchStream, DeviceImages
from engine.derive import DERIVERS
from engine.evaluators.supernet import SuperNetScorer
from engine.learners import LEARNED, LEARNERS, Learner, LearnerContext
from engine.paths import PATHS, PathContext, PathPolicy
from engine.recipes import RECIPES
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec


def learning_parts(
    spec: ExperimentSpec,
    space: Space,
    network: NetworkSpec,
    scorer: SuperNetScorer,
    parts: dict[str, DeviceImages],
    streams: Streams,
) -> tuple[PathPolicy, Learner | None]:
    """Build the path policy of the weights and, where the recipe has one, the learner.

    Args:
        spec: a valid spec.
        space: its space.
        network: the skeleton.
        scorer: scores architectures with the super-net that is trained.
        parts: `train` and `held_out` images on the device.
        streams: the learner draws from `learner` and `learner_data`.
    """
    recipe, settings = RECIPES[spec.algorithm], recipe_settings(spec)
    if recipe.learned is None or recipe.learner is None:
        return PATHS[recipe.paths](PathContext(space, settings)), None
    generator = torch.Generator().manual_seed(derive_seed(spec.seed, "learned"))
    learned = LEARNED[recipe.learned](space, settings, generator).to(scorer.device)
    context = PathContext(space, settings, learned)
    paths = PATHS[recipe.paths](context)
    own = recipe.learner_paths
    held_out = BatchStream(parts["held_out"], spec.super_net.batch_size, streams.learner_data)
    learner = LEARNERS[recipe.learner](
        LearnerContext(
            space=space,
            net=scorer.net,
            settings=settings,
            learned=learned,
            paths=paths if own is None else PATHS[own](context),
            held_out=held_out,
            rng=streams.learner,
            score=scorer.scores,
            cost=lambda architecture: space.cost(architecture, network),
            derive=DERIVERS[recipe.derive],
            arithmetic=spec.super_net.precision,
            epochs=spec.super_net.epochs,
            steps=parts["train"].batches_per_epoch(spec.super_net.batch_size),
        )
    )
    return paths, learner
