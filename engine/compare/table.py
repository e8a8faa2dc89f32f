"""The comparison: per figure each group against the baseline, and each group against random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.compare.against_random import AgainstRandom, against_random
from engine.compare.figures import FIGURES, RunFigures, read_run
from engine.compare.groups import group_runs
from engine.metrics import GroupComparison, SeedStability, compare_groups, seed_stability
from engine.runs import RunFolder
from engine.spec.errors import SpecError
from engine.spec.experiment import PublishedFigure

Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class ComparisonTable:
    """Groups of runs, their figures, and what these are held against.

    Attributes:
        baseline: name of the group that the others are tested against.
        runs: run ids by group.
        figures: per figure one comparison per group, in the order of `runs`.
        values: per group and figure the value of each run, in the order of `runs`; None where
            unknown.
        samples: per group the ground truths of each run's correlation sample in percent, in the
            order of `runs`; runs of equal seed share theirs.
        random: per group the random policy beside it.
        stability: per group how far its seeds rank alike. (The other side of stability, the
    """

    baseline: str
    runs: dict[str, list[str]]
    figures: dict[str, tuple[GroupComparison, ...]]
    values: dict[str, dict[str, tuple[float | None, ...]]]
    samples: dict[str, tuple[tuple[float, ...], ...]]
    random: dict[str, AgainstRandom]
    stability: dict[str, SeedStability]
    published: dict[str, dict[str, PublishedFigure]]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "baseline": self.baseline,
            "runs": self.runs,
            "figures": {
                name: [asdict(group) for group in groups] for name, groups in self.figures.items()
            },
            "values": self.values,
            "random": {name: asdict(found) for name, found in self.random.items()},
            "stability": {name: asdict(found) for name, found in self.stability.items()},
            "published": {
                name: {figure: one.model_dump() for figure, one in found.items()}
                for name, found in self.published.items()
            },
        }


def compare_runs(
    folders: Sequence[RunFolder], baseline: str | None = None, scores: Scores | None = None
) -> ComparisonTable:
    """Group runs by setting and compare every figure with the baseline group and with random.

    Args:
        folders: finished runs.
        baseline: name of a group; None: the first one.
        scores: per run id the super-net's scores of some architectures, for the agreement between
            seeds; None: those of the correlation samples, which seldom overlap.

    Raises:
        RunError: a run has no result yet.
        ExportError: a run's `ranking.csv` is missing or damaged.
        SpecError: there is no such group.
    """
    groups = {
        name: [read_run(folder) for folder in members]
        for name, members in group_runs(folders).items()
    }
    return tabulate(groups, baseline, scores)


def tabulate(
    groups: Mapping[str, Sequence[RunFigures]],
    baseline: str | None = None,
    scores: Scores | None = None,
) -> ComparisonTable:
    """Compare groups whose runs have been read; see `compare_runs`.

    Args:
        groups: at least one group, each of at least one run.
        baseline: see `compare_runs`.
        scores: see `compare_runs`.

    Raises:
        SpecError: there is no such group.
    """
    chosen = baseline or next(iter(groups))
    if chosen not in groups:
        raise SpecError(
            "--baseline", f"there is no group `{chosen}`; there are: {'; '.join(groups)}."
        )
    figures = {}
    for figure in FIGURES:
        values = {name: _known(runs, figure.name) for name, runs in groups.items()}
        figures[figure.name] = compare_groups(
            values, baseline=chosen, higher_is_better=figure.higher_is_better
        )
    return ComparisonTable(
        baseline=chosen,
        runs={name: [run.run_id for run in runs] for name, runs in groups.items()},
        figures=figures,
        values={name: _values(runs) for name, runs in groups.items()},
        samples={name: tuple(run.draws for run in runs) for name, runs in groups.items()},
        random={name: against_random(runs) for name, runs in groups.items()},
        stability={name: seed_stability(_scores(runs, scores)) for name, runs in groups.items()},
        published={name: _published(runs) for name, runs in groups.items()},
    )


def _values(runs: Sequence[RunFigures]) -> dict[str, tuple[float | None, ...]]:
    return {figure.name: tuple(run.values[figure.name] for run in runs) for figure in FIGURES}


def _published(runs: Sequence[RunFigures]) -> dict[str, PublishedFigure]:
    """Return what is printed for the setting: the first run that names a figure says it."""
    return {name: one for run in reversed(runs) for name, one in run.published.items()}


def _known(runs: Sequence[RunFigures], figure: str) -> list[float]:
    return [value for run in runs if (value := run.values[figure]) is not None]


def _scores(runs: Sequence[RunFigures], given: Scores | None) -> list[Mapping[str, float]]:
    return [run.scores if given is None else given[run.run_id] for run in runs]
