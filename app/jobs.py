"""What the form would queue: the experiment, its seeds and swept fields, and every job of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import client
from app.widgets.schema import at
from engine.batch import read_batch
from engine.compose import check
from engine.recipes import RECIPES
from engine.spaces import SPACES
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, problems
from engine.spec.sweep import MAX_JOBS, SECTION, expand, short_names, value_text

Axes = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Job:
    """One job of a sweep.

    Attributes:
        label: what tells it from the others.
        values: what varies, by short name, as it stands in a file.
        problem: why it cannot run; empty: it can.
    """

    label: str
    values: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class Draft:
    """The experiment as the form holds it now.

    Attributes:
        value: the fields.
        seeds: one job each, times the swept values.
        axes: fields that vary, by dotted path.
        jobs: of a sweep; empty without one.
        faults: what keeps it from being queued, each at its field.
    """

    value: dict[str, Any]
    seeds: list[int]
    axes: Axes
    jobs: list[Job]
    faults: list[SpecError]

    @property
    def spec(self) -> ExperimentSpec | None:
        """The valid experiment without its sweep, None while a field is wrong by itself."""
        return None if problems(self.value) else build(self.value)

    @property
    def first(self) -> ExperimentSpec | None:
        """The first job, for what is measured of one; None while something is wrong."""
        if self.faults:
            return None
        return build(expand(self.mapping)[0].value) if self.axes else self.spec

    @property
    def mapping(self) -> dict[str, Any]:
        """The content of its file, with the section `sweep` where there is one."""
        return with_sweep(self.value, self.axes, self.seeds)

    @property
    def count(self) -> int:
        """Number of jobs."""
        return len(self.seeds) * math.prod(len(values) for values in self.axes.values())


def look(
    value: dict[str, Any], seeds: list[int], axes: Axes, unread: Sequence[SpecError]
) -> Draft:
    """Return a draft with everything that is wrong with it.

    Args:
        value: the experiment as the form holds it.
        seeds: of its jobs.
        axes: swept fields.
        unread: what could not be read from its boxes.
    """
    if not axes:
        return Draft(value, seeds, axes, [], [*unread, *client.faults(value)])
    if unread:
        return Draft(value, seeds, axes, [], list(unread))
    jobs, faults = _jobs(json.dumps(with_sweep(value, axes, seeds)))
    return Draft(value, seeds, axes, jobs, [SpecError(*fault) for fault in faults])


def with_sweep(value: dict[str, Any], axes: Axes, seeds: Sequence[int]) -> dict[str, Any]:
    """Return the mapping of a sweep file; several seeds alone are none."""
    if not axes:
        return value
    section = dict(axes) | ({"seed": list(seeds)} if len(seeds) > 1 else {})
    return _portable(value, axes) | {SECTION: section}


def _portable(value: dict[str, Any], axes: Axes) -> dict[str, Any]:
    """Leave out settings of the algorithm or space that are as by default, where it varies:
    the others would refuse settings that they do not have."""
    kept = dict(value)
    for field, section, registry in (
        ("algorithm", "settings", RECIPES),
        ("space", "space_settings", SPACES),
    ):
        name = str(value[field])
        if field in axes and name in registry:
            known = registry[name].settings.model_fields
            own: dict[str, Any] = value[section]
            kept[section] = {
                key: given
                for key, given in own.items()
                if key not in known or known[key].default != given
            }
    return kept


@st.cache_data(ttl=15, max_entries=64, show_spinner="Checking every job of the sweep")
def _jobs(text: str) -> tuple[list[Job], list[tuple[str, str]]]:
    """Look at every job of a sweep, given as JSON; the checks read tables and paths."""
    value = json.loads(text)
    try:
        expanded = expand(value)
    except SpecError as fault:
        return [], [(fault.field, fault.problem)]
    paths = list(value[SECTION])
    names = short_names(paths)
    jobs = [
        Job(
            job.label,
            {names[path]: value_text(at(job.value, path)) for path in paths},
            _problem(job.value),
        )
        for job in expanded
    ]
    if all(not job.problem for job in jobs):
        return jobs, []
    return jobs, [(fault.field, fault.problem) for fault in read_batch(value).faults]


def _problem(value: dict[str, Any]) -> str:
    faults = problems(value) or check(build(value))
    return str(faults[0]) if faults else ""


# -- from a file back into the form -----------------------------------------------------------
def as_axes(
    value: dict[str, Any], known: Mapping[str, Any]
) -> tuple[ExperimentSpec, dict[str, list[Any]], list[int]] | None:
    """Return base, swept fields and seeds of a sweep that the form can hold, else None.

    Args:
        value: mapping with a section `sweep`.
        known: fields that the form can vary, by dotted path.
    """
    section = value.get(SECTION)
    base = {name: part for name, part in value.items() if name != SECTION}
    if not isinstance(section, dict) or problems(base):
        return None
    axes = {path: values for path, values in section.items() if path != "seed"}
    if not axes or any(path not in known for path in axes):
        return None
    if any(isinstance(one, (dict, list)) for values in axes.values() for one in values):
        return None
    if math.prod(len(values) for values in section.values()) > MAX_JOBS:
        return None
    seeds = section.get("seed", [])
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in seeds)
    return (build(base), axes, list(seeds)) if whole else None
