"""Everything that one file asks for: the single experiment, or all jobs of a sweep. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.compose import check
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, problems
from engine.spec.sweep import expand, is_sweep, varied_fields

NAMED = 3  # jobs that a sentence names before it counts the rest


@dataclass(frozen=True)
class BatchJob:
    """A valid experiment, and what tells it from the others of its file."""

    label: str
    spec: ExperimentSpec


@dataclass(frozen=True)
class Batch:
    """What a file holds.

    Attributes:
        count: number of jobs; 0 where the section `sweep` itself is wrong.
        jobs: all of them in order; empty where there is a fault.
        faults: what keeps them from running, each at its field.
    """

    count: int
    jobs: tuple[BatchJob, ...]
    faults: tuple[SpecError, ...]

    def require(self) -> tuple[BatchJob, ...]:
        """Return the jobs.

        Raises:
            SpecError: the first fault, if there is one.
        """
        if self.faults:
            raise self.faults[0]
        return self.jobs


def read_batch(value: dict[str, Any]) -> Batch:
    """Expand a mapping and look at every job.

    A fault that not all jobs have says which ones have it: the values that led to it.
    """
    try:
        jobs = expand(value)
    except SpecError as fault:
        return Batch(0, (), (fault,))
    found: dict[tuple[str, str], list[tuple[str, SpecError]]] = {}
    for job in jobs:
        for fault in problems(job.value) or check(build(job.value)):
            found.setdefault((fault.field, fault.problem), []).append((job.label, fault))
    faults = [_of_jobs(hits, len(jobs)) for hits in found.values()]
    if faults:
        return Batch(len(jobs), (), tuple(faults))
    ready = tuple(BatchJob(job.label, build(job.value)) for job in jobs)
    return Batch(len(jobs), ready, tuple(_same(ready)))


def refuse_overridden(value: dict[str, Any], fields: Iterable[str]) -> None:
    """Refuse to set a field that the sweep varies: the sweep would win without a word.

    Raises:
        SpecError: names the first such field.
    """
    varied = varied_fields(value) if is_sweep(value) else []
    for field in fields:
        if field in varied:
            raise SpecError(field, "the sweep varies this field; change its list instead.")


def _of_jobs(hits: list[tuple[str, SpecError]], count: int) -> SpecError:
    """Return the fault, with the jobs that have it unless all do."""
    labels, fault = [label for label, _ in hits], hits[0][1]
    if len(labels) == count:
        return fault
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    named = "; ".join(labels[:NAMED])
    return type(fault)(fault.field, f"{fault.problem} This is so in: {named}{more}.")


def _same(jobs: Iterable[BatchJob]) -> Iterator[SpecError]:
    """Yield a fault for each job that is another one in different words (1 and 1.0, say)."""
    seen: dict[str, str] = {}
    for job in jobs:
        text = job.spec.model_dump_json(exclude={"name"})
        if text in seen:
            yield SpecError("sweep", f"`{seen[text]}` and `{job.label}` are the same experiment.")
        seen.setdefault(text, job.label)
