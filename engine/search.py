"""Searching by super-net accuracy: generation after generation, with progress."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.architecture import Architecture
from engine.estimates import scoring_work
from engine.events import Events
from engine.lab import Lab
from engine.searchers import Searcher
from engine.work_plan import WorkPlan


def search(
    lab: Lab,
    events: Events,
    plan: WorkPlan,
    poll: Callable[[], None],
    name: str,
    report: bool = False,
) -> Searcher:
    """Run a searcher over all generations with the present weights of the super-net.

    Args:
        lab: parts of the run; draws come from its `search` stream.
        events: where generations are reported.
        plan: where progress is reported, in its stage `search`.
        poll: called after every batch; may raise to stop.
        name: registered searcher.
        report: send a `generation` event per generation.

    Returns:
        The searcher, which knows every score.
    """
    searcher, total = lab.searcher(name), lab.spec.search.generations
    before, each = plan.done.get("search", 0.0), scoring_work(lab)
    for generation in range(1, total + 1):
        population = searcher.ask()
        if not population:
            break

        def show(done: int, first: int = len(searcher.scores), now: int = generation) -> None:
            poll()
            plan.show(before + (first + done) * each, now - 1, total, "generations")

        searcher.tell(population, lab.scorer.scores(population, show))
        if report:
            _report(lab, events, name, searcher, generation, population)
    return searcher


def _report(
    lab: Lab,
    events: Events,
    name: str,
    searcher: Searcher,
    generation: int,
    population: list[Architecture],
) -> None:
    best = searcher.best(1)[0]
    scores = [searcher.scores[one] for one in population]
    costs = [lab.space.cost(one, lab.stand_alone_network) for one in population]
    events.emit(
        "generation",
        searcher=name,
        generation=generation,
        generations=lab.spec.search.generations,
        evaluated=len(searcher.scores),
        best_score=searcher.scores[best],
        mean_score=sum(scores) / len(scores),
        best_text=lab.space.to_text(best),
        population={
            "indices": [list(one.indices) for one in population],
            "scores": scores,
            "params": [cost.params for cost in costs],
            "flops": [cost.flops for cost in costs],
        },
    )
