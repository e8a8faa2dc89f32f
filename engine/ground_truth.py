"""Learning the stand-alone accuracy of a list of architectures, with progress and events."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.core.architecture import Architecture
from engine.estimates import training_steps, training_work
from engine.evaluators.truth import Truth
from engine.events import Events
from engine.lab import Lab
from engine.work_plan import WorkPlan


def learn_truth(
    lab: Lab,
    events: Events,
    plan: WorkPlan,
    poll: Callable[[], None],
    architectures: Sequence[Architecture],
    purpose: str,
) -> list[Truth]:
    """Ask for ground truth one by one; what the table or bank knows costs nothing.

    Args:
        lab: parts of the run.
        events: where each result is reported.
        plan: where progress is reported, in its current stage.
        poll: called after every training step; may raise to stop.
        architectures: what to learn.
        purpose: `sample`, `landmark` or `found`.

    Returns:
        One truth per architecture.
    """
    stage = "final" if purpose == "found" else "ground_truth"
    each, per_training = training_work(lab), training_steps(lab)
    truths: list[Truth] = []
    steps, done = 0, plan.done.get(stage, 0.0)

    def step() -> None:
        nonlocal steps
        poll()
        steps += 1
        share = min(1.0, steps / per_training)
        plan.show(done + share * each, len(truths), total, "architectures")

    total = len(architectures)
    for position, architecture in enumerate(architectures, start=1):
        steps = 0
        truth = lab.truth.get(architecture, step)
        truths.append(truth)
        if truth.origin == "trained":
            done += each
        else:
            plan.write_off(stage, each)
        _report(lab, events, architecture, truth, purpose, position, total)
        plan.show(done, position, total, "architectures")
    return truths


def _report(
    lab: Lab,
    events: Events,
    architecture: Architecture,
    truth: Truth,
    purpose: str,
    position: int,
    total: int,
) -> None:
    events.emit(
        "ground_truth",
        purpose=purpose,
        text=lab.space.to_text(architecture),
        indices=list(architecture.indices),
        value=truth.landmark_value if purpose == "landmark" else truth.value,
        held_out=truth.held_out,
        test=truth.test,
        position=position,
        total=total,
        measured={"origin": truth.origin, "seconds": round(truth.seconds, 3)},
    )
