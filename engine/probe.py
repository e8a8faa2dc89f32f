"""An estimate of time and memory from a few real steps on this device."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch

from engine.core.streams import derive_seed
from engine.device import choose_device, describe_device, free_bytes
from engine.evaluators.truth import TrainedTruth
from engine.events import Events
from engine.lab import Lab
from engine.measured import Estimate, cost_key
from engine.probe_steps import (
    Clock,
    Samples,
    SearchCost,
    add_landmarks,
    learner_seconds,
    score_costs,
    search_cost,
    step_costs,
    training_costs,
)
from engine.spec.errors import TrainingError
from engine.spec.experiment import ExperimentSpec
from engine.trained import different_networks

LIMIT_SECONDS = 15.0  # for the steps; data and network take what they take
LEAST_SECONDS = 2.0
STEPS_SHARE, TRAININGS_SHARE, SCORES_SHARE = 0.45, 0.4, 0.15
PARTS = 5

Report = Callable[[str, int, int | None], None]


@dataclass
class Costs:
    """Seconds of one piece of each kind of work.

    Attributes:
        preparing: data and networks are built.
        step: an update of the super-net.
        epoch: what an epoch takes besides its updates.
        learner: what the learner does between epochs, over the whole training.
        training: a stand-alone training with one initialisation.
        score: an architecture is scored with the super-net.
        searches: every searcher of the recipe, the recipe's own first.
    """

    preparing: float
    step: Samples
    epoch: float
    learner: float
    training: Samples
    score: Samples
    searches: list[SearchCost]


def probe(
    spec: ExperimentSpec,
    *,
    folder: Path | None = None,
    limit: float = LIMIT_SECONDS,
    report: Report = lambda what, done, total: None,
    poll: Callable[[], None] = lambda: None,
) -> Estimate:
    """Build the parts of a run, do a few real steps of each kind, and extrapolate.

    Nothing is written: no run folder, no row of the results bank.

    Args:
        spec: a valid spec.
        folder: where bank and downloads live; None: `data_folder()`.
        limit: seconds for the steps; one that takes longer by itself is still done.
        report: called with what is being done.
        poll: called at every step; may raise to stop.

    Raises:
        WorkbenchError: the spec cannot run; memory ran out, with what to lower.
    """
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        try:
            return _probe(spec, folder, limit, report, poll)
        except torch.cuda.OutOfMemoryError:
            raise TrainingError(_ran_out(spec)) from None


def _ran_out(spec: ExperimentSpec) -> str:
    free = free_bytes(choose_device(spec.device)) / 2**30
    return (
        f"The memory of the GPU ran out in a single step ({free:.1f} GB are free now). Lower "
        "`super_net.batch_size` or `network.channels`, or switch `super_net.recompute` on."
    )


def _probe(
    spec: ExperimentSpec,
    folder: Path | None,
    limit: float,
    report: Report,
    poll: Callable[[], None],
) -> Estimate:
    begun = time.perf_counter()
    report("Building data and networks", 0, PARTS)
    device = choose_device(spec.device)
    free = _free(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    lab = Lab.build(spec, Events([]), folder)
    known, wanted = _known(lab)
    preparing = time.perf_counter() - begun
    others, left = _others(), max(limit - preparing, min(LEAST_SECONDS, limit))
    costs, memory = _costs(lab, preparing, left, report, poll)
    stages = stage_seconds(lab, costs)
    saved = known * spec.stand_alone.replicates * costs.training.mean
    return Estimate(
        key=cost_key(spec),
        device=describe_device(device),
        kind=device.type,
        stages={name: round(seconds, 3) for name, seconds in stages.items()},
        spread=round(_spread(lab, costs, sum(stages.values())), 4),
        step_seconds=costs.step.mean,
        training_seconds=costs.training.mean,
        score_seconds=costs.score.mean,
        images_per_second=min(spec.super_net.batch_size, len(lab.parts["train"]))
        / costs.step.mean,
        memory_bytes=memory,
        free_bytes=free,
        sample=wanted,
        known=known,
        saved_seconds=round(saved, 3),
        others=round(others(), 2) if device.type == "cpu" else 0.0,
        cores=os.cpu_count() or 1,
        took_seconds=round(time.perf_counter() - begun, 2),
        at=round(time.time(), 1),
    )


def _costs(
    lab: Lab, preparing: float, limit: float, report: Report, poll: Callable[[], None]
) -> tuple[Costs, int]:
    """Return what each kind of work costs, and the most memory that it needs."""
    clock = Clock(lab.device, poll)
    report("Timing steps of the super-net", 1, PARTS)
    add_landmarks(lab)
    step, epoch = step_costs(lab, clock, STEPS_SHARE * limit)
    report("Timing stand-alone trainings", 2, PARTS)
    training = training_costs(lab, clock, TRAININGS_SHARE * limit)
    # On a GPU, scoring takes a share of whatever is free, and less where that is little.
    memory = _peak(lab.device) if lab.device.type == "cuda" else 0
    report("Timing the scoring of architectures", 3, PARTS)
    score = score_costs(lab, clock, SCORES_SHARE * limit)
    report("Timing learner and search", 4, PARTS)
    learner = learner_seconds(lab, clock, score.mean)
    names = (lab.recipe.searcher, *lab.recipe.baselines)
    searches = [search_cost(lab, name, clock) for name in names]
    costs = Costs(preparing, step, epoch, learner, training, score, searches)
    return costs, memory or _peak(lab.device)


def _known(lab: Lab) -> tuple[int, int]:
    """Return how many of the correlation sample the results bank holds, and its size.

    The sample is drawn as the run draws it, from the same stream.
    """
    wanted = lab.spec.evaluation.sample
    if not isinstance(lab.truth, TrainedTruth):
        return 0, wanted
    rng = np.random.Generator(np.random.PCG64(derive_seed(lab.spec.seed, "architectures")))
    drawn = different_networks(lab.space, wanted, rng).values()
    return sum(lab.truth.known(one) is not None for one in drawn), wanted


# -- extrapolation --------------------------------------------------------------------------------
def rankings(spec: ExperimentSpec) -> list[int]:
    """Return the epochs after which the correlation sample is scored."""
    epochs, every = spec.super_net.epochs, spec.evaluation.every
    return [e for e in range(1, epochs + 1) if e % every == 0 or e == epochs]


def scored(spec: ExperimentSpec) -> int:
    """Return the scores of all rankings: the sample, and the landmarks known by then."""
    landmark, epochs = spec.addons.landmark, spec.super_net.epochs
    count = 0
    for epoch in rankings(spec):
        count += spec.evaluation.sample
        if landmark is not None:
            ends = [round(epochs * t / landmark.rounds) for t in range(1, landmark.rounds + 1)]
            count += landmark.per_round * (1 + sum(end < epoch for end in ends))
    return count


def stage_seconds(lab: Lab, costs: Costs) -> dict[str, float]:
    """Return the expected seconds of each stage with an empty results bank.

    A learner that ends early, and architectures that several searchers find, make a run shorter.
    """
    spec, landmark = lab.spec, lab.spec.addons.landmark
    truth = spec.stand_alone.replicates * costs.training.mean
    landmarks = landmark.per_round * landmark.rounds if landmark else 0
    found = sum(min(spec.search.keep, math.ceil(one.evaluated)) for one in costs.searches)
    searches = [one.evaluated * costs.score.mean + one.seconds for one in costs.searches]
    rounds = landmark.rounds - 1 if landmark else 0
    epochs = spec.super_net.epochs
    training = epochs * (lab.trainer.steps * costs.step.mean + costs.epoch) + costs.learner
    return {
        "preparing": costs.preparing,
        "ground_truth": (spec.evaluation.sample + landmarks) * truth,
        "training": training + scored(spec) * costs.score.mean,
        "search": sum(searches) + rounds * searches[0],
        "final": found * truth,
    }


def _spread(lab: Lab, costs: Costs, total: float) -> float:
    """Return the standard error of the total as a share of it."""
    spec, landmark = lab.spec, lab.spec.addons.landmark
    landmarks = landmark.per_round * landmark.rounds if landmark else 0
    trainings = spec.stand_alone.replicates * (spec.evaluation.sample + landmarks)
    errors = (
        spec.super_net.epochs * lab.trainer.steps * costs.step.error,
        trainings * costs.training.error,
        scored(spec) * costs.score.error,
    )
    return math.hypot(*errors) / total


# -- the machine --------------------------------------------------------------------------------
def _others() -> Callable[[], float]:
    """Return what tells, later, how many cores others kept busy from now on."""
    begun, own, all_ = time.perf_counter(), time.process_time(), _busy()

    def cores() -> float:
        spent = _busy() - all_ - (time.process_time() - own)
        return max(spent / (time.perf_counter() - begun), 0.0)

    return cores


def _busy() -> float:
    """Return the seconds that all cores of the machine have computed."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


def _free(device: torch.device) -> int:
    """Return the memory that a run in this process could have, as of now."""
    own = 0 if device.type == "cuda" else psutil.Process().memory_info().rss
    return free_bytes(device) + own


def _peak(device: torch.device) -> int:
    """Return the most memory that was held: reserved on a GPU, of the process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(psutil.Process().memory_info().rss)
