"""Timing the few kinds of work that a run is made of, each for a limited time."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.addons.landmark import Landmark
from engine.core.architecture import Architecture
from engine.datasets.batches import DeviceImages
from engine.evaluators.supernet import SuperNetScorer
from engine.evaluators.truth import TrainedTruth
from engine.lab import Lab
from engine.learners.registry import Learner, Step
from engine.spec.errors import TrainingError
from engine.training.stand_alone import StandAloneTrainer
from engine.training.supernet_trainer import SuperNetTrainer

POSITIONS = 4  # of the training: schedules, warm-ups and landmarks change what a step costs
WHOLE_EPOCHS = 16  # epochs of at most so many steps are timed as a whole
FIRST = 2  # steps that are not timed: memory is allocated, kernels are chosen
MOST_STEPS = 200  # timed at one position
TRAINED_STEPS = 16  # of a stand-alone training that takes more
EVALUATED = 1024  # images of its evaluation
LEAST_TRAININGS, MOST_TRAININGS = 2, 40
SCORED_BATCHES = 2
# What a learner repeats between two epochs; for the measurement it does so `REPEATS` times.
REPEATED = ("policy_steps", "coder_epochs")
REPEATS = 2


@dataclass
class Samples:
    """Seconds of one kind of work, measured several times."""

    seconds: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Return the mean; 0 where nothing was measured."""
        return statistics.fmean(self.seconds) if self.seconds else 0.0

    @property
    def error(self) -> float:
        """Return the standard error of the mean; 0 where it was measured at most once."""
        if len(self.seconds) < 2:
            return 0.0
        return statistics.stdev(self.seconds) / math.sqrt(len(self.seconds))


@dataclass
class Clock:
    """Reads the time when the device has done what it was given.

    Attributes:
        device: what computes.
        poll: called at every step; may raise to stop the measurement.
    """

    device: torch.device
    poll: Callable[[], None]

    def now(self) -> float:
        """Return seconds on a clock of this process."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


class _Enough(Exception):
    """Ends an epoch that is being timed."""


# -- the super-net ------------------------------------------------------------------------------
def add_landmarks(lab: Lab) -> None:
    """Give a run with landmarks some, with made-up accuracies: what they are costs nothing."""
    landmark = lab.spec.addons.landmark
    if landmark is None or lab.regulariser is None:
        return
    count = max(2, landmark.per_round * landmark.rounds)
    drawn = [lab.space.sample(lab.streams.landmarks) for _ in range(count)]
    lab.regulariser.add([Landmark(one, value, value, 1) for value, one in enumerate(drawn)])


@dataclass
class _StepsOnly:
    """A learner that does nothing between two epochs: that is measured by itself."""

    learner: Learner

    def step(self, step: Step) -> None:
        self.learner.step(step)

    def end_epoch(self, epoch: int) -> None:
        return None


def step_costs(lab: Lab, clock: Clock, limit: float) -> tuple[Samples, float]:
    """Time updates of the super-net at several positions of its training.

    Args:
        lab: its trainer is at no particular place afterwards.
        clock: reads the time.
        limit: seconds for all positions together; each is measured at least once.

    Returns:
        Seconds an update, and what an epoch costs besides.
    """
    trainer, found, besides = lab.trainer, Samples(), 0.0
    learner = trainer.learner
    if learner is not None:
        steps_only: Any = _StepsOnly(learner)
        trainer.learner = steps_only
    try:
        for position in range(POSITIONS):
            epoch = int((position + 0.5) / POSITIONS * trainer.spec.epochs)
            if trainer.steps <= WHOLE_EPOCHS:
                found.seconds.append(_whole_epochs(trainer, epoch, clock, limit / POSITIONS))
            else:
                found.seconds.append(_some_steps(trainer, epoch, clock, limit / POSITIONS))
                besides = _meter_seconds(trainer, clock)
    finally:
        trainer.learner = learner
    return found, besides


def _whole_epochs(trainer: SuperNetTrainer, epoch: int, clock: Clock, limit: float) -> float:
    begun = clock.now()
    _one_epoch(trainer, epoch, clock.poll)
    start, done = clock.now(), 0
    while done == 0 or (clock.now() - begun < limit and done * trainer.steps < MOST_STEPS):
        _one_epoch(trainer, epoch, clock.poll)
        done += 1
    return (clock.now() - start) / (done * trainer.steps)


def _one_epoch(trainer: SuperNetTrainer, epoch: int, poll: Callable[[], None]) -> None:
    trainer.epoch, trainer.step = epoch, 0
    try:
        trainer.run_epoch(poll)
    except TrainingError:  # untrained weights under the settings of a late epoch: time is time
        return


def _some_steps(trainer: SuperNetTrainer, epoch: int, clock: Clock, limit: float) -> float:
    trainer.epoch, trainer.step = epoch, 0
    begun, marks = clock.now(), list[float]()

    def after_step() -> None:
        clock.poll()
        done = trainer.step
        if done == FIRST or (done > FIRST and _over(done)):
            marks.append(clock.now())
        if len(marks) == 2:
            raise _Enough

    def _over(done: int) -> bool:
        last = done == min(FIRST + MOST_STEPS, trainer.steps - 1)
        return last or time.perf_counter() - begun > limit

    with suppress(_Enough):
        trainer.run_epoch(after_step)
    return (marks[1] - marks[0]) / (trainer.step - FIRST)


def _meter_seconds(trainer: SuperNetTrainer, clock: Clock) -> float:
    """Return what the forgetting meter does at the end of an epoch."""
    meter = trainer.forgetting_meter
    if meter is None:
        return 0.0
    begun = clock.now()
    meter.end_epoch(trainer.net)
    return clock.now() - begun


def learner_seconds(lab: Lab, clock: Clock, score: float) -> float:
    """Return what a learner does between epochs, over the whole training.

    Repeated steps are done a few times only and counted as often as the settings say; scores
    that it asks for are made up, and counted at what one costs.

    Args:
        lab: its learner knows nothing useful afterwards.
        clock: reads the time.
        score: seconds of one super-net score.
    """
    learner = lab.trainer.learner
    if learner is None:
        return 0.0
    context, settings, asked = learner.context, learner.context.settings, 0

    def made_up(architectures: Sequence[Architecture]) -> list[float]:
        nonlocal asked
        clock.poll()
        asked += len(architectures)
        return [float(number % 7) for number in range(len(architectures))]

    factor = max([getattr(settings, n) / REPEATS for n in REPEATED if hasattr(settings, n)] or [1])
    fewer = {name: REPEATS for name in REPEATED if hasattr(settings, name)}
    context.settings, context.score = settings.model_copy(update=fewer), made_up
    epochs = lab.spec.super_net.epochs
    begun = clock.now()
    learner.end_epoch(epochs)
    each = (clock.now() - begun) * factor + asked * score
    context.settings, context.score = settings, lab.scorer.scores
    return each * math.ceil(epochs / getattr(settings, "round_epochs", 1))


# -- stand-alone networks -----------------------------------------------------------------------
def training_costs(lab: Lab, clock: Clock, limit: float) -> Samples:
    """Time stand-alone trainings of random architectures, a few steps of each.

    Args:
        lab: its own trainer and its bank are left alone.
        clock: reads the time.
        limit: seconds; at least `LEAST_TRAININGS` are measured.

    Returns:
        Seconds of a whole training with one initialisation; empty where nothing is trained.
    """
    found, truth = Samples(), lab.truth
    if not isinstance(truth, TrainedTruth):
        return found
    rng, begun = np.random.default_rng(0), clock.now()
    while len(found.seconds) < LEAST_TRAININGS or (
        clock.now() - begun < limit and len(found.seconds) < MOST_TRAININGS
    ):
        found.seconds.append(_training(lab, lab.space.sample(rng), clock))
    return found


def _training(lab: Lab, architecture: Architecture, clock: Clock) -> float:
    spec, parts = lab.spec.stand_alone, dict(lab.parts)
    whole = parts["train"].batches_per_epoch(spec.batch_size) * spec.epochs
    parts["train"] = first_images(parts["train"], TRAINED_STEPS * spec.batch_size)
    for part in ("held_out", "test"):
        parts[part] = first_images(parts[part], EVALUATED)
    per_epoch = parts["train"].batches_per_epoch(spec.batch_size)
    epochs = min(spec.epochs, max(1, TRAINED_STEPS // per_epoch))
    short = spec.model_copy(update={"epochs": epochs})
    steps, marks = per_epoch * epochs, list[float]()

    def poll() -> None:
        nonlocal steps
        clock.poll()
        steps -= 1
        if not marks or steps == 0:
            marks.append(clock.now())

    trainer = StandAloneTrainer(
        lab.space, lab.network, short, lab.spec.data.augmentation, parts, "measured"
    )
    begun = clock.now()
    trainer.train(architecture, "", 0, poll)
    evaluated = sum(len(lab.parts[p]) for p in ("held_out", "test"))
    share = evaluated / sum(len(parts[p]) for p in ("held_out", "test"))
    evaluation = (clock.now() - marks[-1]) * share
    if len(marks) == 1:  # of a single step
        return (marks[0] - begun) * whole + evaluation
    step = (marks[-1] - marks[0]) / (per_epoch * epochs - 1)
    return marks[0] - begun + (whole - 1) * step + evaluation


def first_images(images: DeviceImages, count: int) -> DeviceImages:
    """Return the first images of a part, sharing its memory."""
    part = copy.copy(images)
    part.images, part.labels = images.images[:count], images.labels[:count]
    return part


# -- scoring and searching ----------------------------------------------------------------------
def score_costs(lab: Lab, clock: Clock, limit: float) -> Samples:
    """Time the scoring of architectures with the super-net, a chunk at a time.

    Returns:
        Seconds an architecture.
    """
    spec, whole = lab.spec.super_net, lab.scorer
    part = SuperNetScorer(
        whole.net,
        whole.norm,
        lab.parts["held_out"],
        lab.parts["train"],
        spec.batch_size,
        min(whole.count, SCORED_BATCHES * spec.batch_size),
        spec.precision,
        encode=whole.encode,
    )
    again = whole.norm.recalibration_batches if whole.norm.statistics == "recalibrated" else 0
    share = (again + len(whole.batches)) / (again + len(part.batches))
    count = 1 if again else part.chunk_size()
    rng, begun, found = np.random.default_rng(1), clock.now(), Samples()
    while True:
        chosen = [lab.space.sample(rng) for _ in range(count)]
        start = clock.now()
        part.scores(chosen, lambda done: clock.poll())
        found.seconds.append((clock.now() - start) / count * share)
        if clock.now() - begun > limit or len(found.seconds) == MOST_TRAININGS:
            break
    return Samples(found.seconds[1:] or found.seconds)  # the first one warms up


@dataclass(frozen=True)
class SearchCost:
    """What a searcher does over all its generations.

    Attributes:
        evaluated: architectures that it has scored.
        seconds: what it takes itself, without the scores.
    """

    evaluated: float
    seconds: float


def search_cost(lab: Lab, name: str, clock: Clock, generations: int = 3) -> SearchCost:
    """Let a searcher propose a few generations, told made-up scores.

    Raises:
        SpecError: no architecture is within the limits of the search.
    """
    searcher, total = lab.searcher(name), lab.spec.search.generations
    rng, begun, evaluated, done = np.random.default_rng(2), clock.now(), 0, 0
    while done < min(generations, total):
        population = searcher.ask()
        if not population:
            return SearchCost(evaluated, clock.now() - begun)
        for one in population:
            clock.poll()
            lab.space.cost(one, lab.stand_alone_network)
        searcher.tell(population, rng.uniform(0, 100, len(population)).tolist())
        evaluated, done = evaluated + len(population), done + 1
    factor = total / done
    return SearchCost(evaluated * factor, (clock.now() - begun) * factor)
