"""What the Compare page needs: settings, figures of finished runs, the table. Read once, kept.

Runs are read one by one, so that a damaged or unfinished one is left out with its reason and the
others are compared all the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app import client
from engine.runs import RunFolder
from engine.spec.errors import WorkbenchError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import read_written

if TYPE_CHECKING:
    from engine.compare import ComparisonTable
    from engine.compare.figures import RunFigures

MOST_RUNS = 60  # more make a link too long for some browsers, and are no chart to read
_POPULATION = {
    "space": True,
    "space_settings": True,
    "data": True,
    "network": True,
    "stand_alone": True,
    "evaluation": {"ground_truth"},
}
_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Setting:
    """Runs that differ in nothing but the seed.

    Attributes:
        name: see `engine.compare.group_runs`.
        short: the name without what all settings have in common.
        algorithm: search algorithm.
        runs: ids, in the order chosen.
        seeds: of these.
        population: the same for settings whose accuracies and ranks mean the same: equal space,
            data, network and ground truth.
    """

    name: str
    short: str
    algorithm: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    population: str


class _KnownRun(RunFolder):
    """A run folder whose experiment, which never changes, is read once."""

    def spec(self) -> ExperimentSpec:
        return _spec(str(self.path), _stamp(self.path / "spec.yaml"))


def _stamp(path: Path) -> _Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


@st.cache_resource(show_spinner=False, max_entries=5000)
def _spec(path: str, stamp: _Stamp) -> ExperimentSpec:
    """Read an experiment the quick way; where that fails, the strict one names the fault."""
    try:
        return ExperimentSpec.model_validate(read_written(Path(path, "spec.yaml")))
    except (OSError, ValueError):
        return RunFolder(Path(path)).spec()


def readable(run_ids: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the runs whose experiment can be read, and a sentence for each of the others."""
    good: list[str] = []
    bad: dict[str, str] = {}
    for run_id in run_ids:
        try:
            _known(run_id).spec()
        except WorkbenchError as error:
            bad[run_id] = str(error)
        else:
            good.append(run_id)
    return good, bad


def _known(run_id: str) -> _KnownRun:
    return _KnownRun(client.folder(run_id).path)


@st.cache_resource(show_spinner=False, max_entries=32)
def settings(run_ids: tuple[str, ...]) -> list[Setting]:
    """Group runs that can be read by their settings, in the order they are first named."""
    from engine.compare import group_runs

    groups = group_runs([_known(run_id) for run_id in run_ids])
    specs = [members[0].spec() for members in groups.values()]
    tails = [f" on {spec.space}, {spec.data.name}" for spec in specs]
    common = tails[0] if len(set(tails)) == 1 else ""
    return [
        Setting(
            name,
            name.replace(common, "", 1) if common else name,
            spec.algorithm,
            tuple(folder.run_id for folder in members),
            tuple(folder.spec().seed for folder in members),
            spec.model_dump_json(include=_POPULATION),
        )
        for (name, members), spec in zip(groups.items(), specs, strict=True)
    ]


def finished(found: Sequence[Setting]) -> tuple[dict[str, list[RunFigures]], dict[str, str]]:
    """Return the figures of finished runs by name of their setting, and why others have none.

    Settings without a finished run are left out; the second mapping is by run id.
    """
    groups: dict[str, list[RunFigures]] = {}
    left_out: dict[str, str] = {}
    for setting in found:
        for run_id in setting.runs:
            try:
                figures = _figures(run_id)
            except WorkbenchError as error:
                left_out[run_id] = str(error)
            else:
                groups.setdefault(setting.name, []).append(figures)
    return groups, left_out


def pools(found: Sequence[Setting], table: ComparisonTable) -> dict[str, list[float]]:
    """Return ground truths of random architectures in percent, by what they are called.

    Settings of one population share a pool, and a sample that several runs share counts once.
    """
    by_population: dict[str, list[Setting]] = {}
    for setting in found:
        if setting.name in table.runs:
            by_population.setdefault(setting.population, []).append(setting)
    named: dict[str, list[float]] = {}
    for members in by_population.values():
        samples = dict.fromkeys(one for s in members for one in table.samples[s.name])
        name = "Random architectures"
        if len(by_population) > 1:
            name += f" for {'; '.join(setting.short for setting in members)}"
        draws = [draw for sample in samples for draw in sample]
        if draws:
            named[name] = draws
    return named


def _figures(run_id: str) -> RunFigures:
    path = client.folder(run_id).path
    return _read(str(path), _stamp(path / "result.json"), _stamp(path / "ranking.csv"))


@st.cache_resource(show_spinner=False, max_entries=512)
def _read(path: str, result: _Stamp, ranking: _Stamp) -> RunFigures:
    from engine.compare.figures import read_run

    return read_run(_KnownRun(Path(path)))
