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

Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class ComparisonTable:
    """Groups of runs, their figures, and what these are held against.

    Attributes:
        baseline: name of the group that the others are tested against.
        runs: run ids by group.
        figures: per figure one comparison per group, in the order of `runs`.
        random: per group the random policy beside it.
        stability: per group how far its seeds rank alike. (The other side of stability, the
            deviation of the final performance over seeds, is the std of `final_accuracy`.)
    """

    baseline: str
    runs: dict[str, list[str]]
    figures: dict[str, tuple[GroupComparison, ...]]
    random: dict[str, AgainstRandom]
    stability: dict[str, SeedStability]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "baseline": self.baseline,
            "runs": self.runs,
            "figures": {
                name: [asdict(group) for group in groups] for name, groups in self.figures.items()
            },
            "random": {name: asdict(found) for name, found in self.random.items()},
            "stability": {name: asdict(found) for name, found in self.stability.items()},
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
        random={name: against_random(runs) for name, runs in groups.items()},
        stability={name: seed_stability(_scores(runs, scores)) for name, runs in groups.items()},
    )


def _known(runs: Sequence[RunFigures], figure: str) -> list[float]:
    return [value for run in runs if (value := run.values[figure]) is not None]


def _scores(runs: Sequence[RunFigures], given: Scores | None) -> list[Mapping[str, float]]:
    return [run.scores if given is None else given[run.run_id] for run in runs]
