"""Sweeps: one experiment file with lists, from which many experiments are made.

A sweep is an experiment file with one section more, whose keys say what varies:

    sweep:
      super_net.optimiser.learning_rate: [0.005, 0.025]   # a field and its values
      seed: [0, 1, 2]                                      # several: all combinations, 2 x 3
      fidelity:                                            # a name of one's own: fields that
        - {network.channels: 8, super_net.epochs: 200}     # vary together, one line per case
        - {label: tiny, network.channels: 4, super_net.epochs: 400}

The jobs come in the order of the file, the first key slowest. The name of each says what varies.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import set_field

MAX_JOBS = 1000
SECTION = "sweep"
SEPARATOR = " · "
LABEL = "label"
_EXAMPLE = "such as `seed: [0, 1, 2]`"


class Job(NamedTuple):
    """One experiment of a sweep.

    Attributes:
        label: what varies, such as `learning_rate=0.025 · seed=1`; empty without a sweep.
        value: the experiment as a mapping, not validated yet.
    """

    label: str
    value: dict[str, Any]


@dataclass(frozen=True)
class _Case:
    """Values that are set together; `label` is empty where the file gives none."""

    fields: dict[str, Any]
    label: str = ""


@dataclass(frozen=True)
class _Axis:
    """A key of the section: the cases that it goes through."""

    key: str
    cases: tuple[_Case, ...]

    @property
    def fields(self) -> list[str]:
        """Every field that some case sets, each once."""
        return list(dict.fromkeys(name for case in self.cases for name in case.fields))


def is_sweep(value: dict[str, Any]) -> bool:
    """Tell whether a mapping has a section `sweep`."""
    return SECTION in value


def varied_fields(value: dict[str, Any]) -> list[str]:
    """Return the dotted fields that a sweep varies, in the order of the file.

    Raises:
        SpecError: the section is wrong, see `expand`.
    """
    return [field for axis in _axes(value.get(SECTION)) for field in axis.fields]


def expand(value: dict[str, Any]) -> list[Job]:
    """Return the jobs of a mapping, which is itself the only one where nothing varies.

    Whether a job is a valid experiment is not looked at here; see `engine.batch`.

    Raises:
        SpecError: the first fault of the section, named at its field: no list, an empty one, a
            value given twice, a field that does not exist or varies twice, too many jobs.
    """
    if not is_sweep(value):
        return [Job("", value)]
    axes = _axes(value[SECTION])
    count = math.prod(len(axis.cases) for axis in axes)
    if count > MAX_JOBS:
        counts = " x ".join(str(len(axis.cases)) for axis in axes)
        raise SpecError(
            SECTION, f"{counts} values are {count} jobs; at most {MAX_JOBS} fit into one sweep."
        )
    names = short_names([field for axis in axes for field in axis.fields])
    base = {key: part for key, part in value.items() if key != SECTION}
    return [_job(base, cases, names) for cases in product(*(axis.cases for axis in axes))]


def _job(base: dict[str, Any], cases: tuple[_Case, ...], names: dict[str, str]) -> Job:
    job = copy.deepcopy(base)
    for case in cases:
        for field, given in case.fields.items():
            set_field(job, field, copy.deepcopy(given))
    label = SEPARATOR.join(case.label or assignments(case.fields, names) for case in cases)
    name = job.get("name", ExperimentSpec.model_fields["name"].default)
    if isinstance(name, str) and name:  # anything else is refused where the job is validated
        job["name"] = f"{name}{SEPARATOR}{label}"
    return Job(label, job)


# -- words ------------------------------------------------------------------------------------
def assignments(fields: dict[str, Any], names: dict[str, str]) -> str:
    """Write `learning_rate=0.025, epochs=20`, with the names of `short_names`."""
    return ", ".join(f"{names[field]}={value_text(given)}" for field, given in fields.items())


def short_names(fields: list[str]) -> dict[str, str]:
    """Return for each dotted field its shortest ending that no other of them has."""
    return {field: _shortest_ending(field, fields) for field in fields}


def _shortest_ending(field: str, fields: list[str]) -> str:
    parts = field.split(".")
    for count in range(1, len(parts)):
        ending = ".".join(parts[-count:])
        if not any(f".{other}".endswith(f".{ending}") for other in fields if other != field):
            return ending
    return field


def value_text(given: Any) -> str:
    """Write a value as it stands in an experiment file, on one line."""
    if isinstance(given, str):
        return given
    if isinstance(given, dict):
        inside = ", ".join(f"{name}: {value_text(part)}" for name, part in given.items())
        return f"{{{inside}}}"
    return json.dumps(given, ensure_ascii=False, default=str)


# -- reading the section ----------------------------------------------------------------------
def _axes(section: Any) -> list[_Axis]:
    if not isinstance(section, dict) or not section:
        raise SpecError(SECTION, f"name the fields that vary, each with its values, {_EXAMPLE}.")
    axes = [_axis(key, given) for key, given in section.items()]
    for fault in _clashes(axes):
        raise fault
    return axes


def _axis(key: str, given: Any) -> _Axis:
    where = f"{SECTION}.{key}"
    if not isinstance(given, list):
        raise SpecError(where, f"give a list of values, {_EXAMPLE}; given was {given!r:.60}.")
    if not given:
        raise SpecError(where, "the list is empty; give at least one value, or drop the line.")
    _refuse_twice(where, given)
    if key.split(".")[0] in ExperimentSpec.model_fields:
        _refuse_name(where, key)
        return _Axis(key, tuple(_Case({key: one}) for one in given))
    if "." in key or not all(isinstance(one, dict) for one in given):
        raise SpecError(
            where,
            "there is no such field. To vary several fields together under a name of your own, "
            "give a list of mappings, such as `- {network.channels: 8, super_net.epochs: 200}`.",
        )
    cases = tuple(_case(f"{where}.{number}", one) for number, one in enumerate(given))
    labels = [case.label for case in cases if case.label]
    _refuse_twice(f"{where}.{LABEL}", labels)
    return _Axis(key, cases)


def _case(where: str, given: dict[str, Any]) -> _Case:
    label = given.get(LABEL, "")
    if not isinstance(label, str) or (LABEL in given and not label.strip()):
        raise SpecError(f"{where}.{LABEL}", f"give a text; given was {label!r:.60}.")
    fields = {name: part for name, part in given.items() if name != LABEL}
    for name in fields:
        if name.split(".")[0] not in ExperimentSpec.model_fields:
            raise SpecError(f"{where}.{name}", "there is no such field.")
        _refuse_name(f"{where}.{name}", name)
    if not fields and not label:
        raise SpecError(where, "set at least one field, or give a `label` to change nothing.")
    return _Case(fields, " ".join(label.split()))


def _refuse_name(where: str, field: str) -> None:
    if field == "name":
        raise SpecError(where, "jobs are named after what varies; vary another field.")


def _refuse_twice(where: str, given: list[Any]) -> None:
    seen = set()
    for one in given:
        text = json.dumps(one, sort_keys=True, default=str)
        if text in seen:
            raise SpecError(where, f"{value_text(one):.60} is given twice; keep one of the two.")
        seen.add(text)


def _clashes(axes: list[_Axis]) -> Iterator[SpecError]:
    """Yield a fault for each field that two keys vary, or that lies within a varied section."""
    seen: dict[str, str] = {}
    for axis in axes:
        for field in axis.fields:
            for other, key in seen.items():
                if key != axis.key and _overlap(field, other):
                    yield SpecError(
                        f"{SECTION}.{axis.key}",
                        f"`{field}` is varied by `{SECTION}.{key}` already (`{other}`); vary "
                        "both together, as a list of mappings under one name.",
                    )
        seen |= dict.fromkeys(axis.fields, axis.key)


def _overlap(first: str, second: str) -> bool:
    longer, shorter = sorted((f"{first}.", f"{second}."), key=len, reverse=True)
    return longer.startswith(shorter)
