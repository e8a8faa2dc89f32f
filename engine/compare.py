"""Comparing finished runs: seeds of one setting form a group (002 Table 1; 000 §5.2.3)."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.export import latex_table, markdown_table
from engine.metrics import GroupComparison, compare_groups
from engine.runs import RunFolder
from engine.spec.errors import RunError, SpecError
from engine.spec.experiment import ExperimentSpec

FORMATS = ("text", "markdown", "latex", "csv")
# Figures of a finished run that are compared, with their titles, in the order of 002 Table 1.
FIGURES = {
    "sparse_kendall_tau": "S-KdT",
    "kendall_tau": "KdT",
    "spearman": "Spearman",
    "super_net_accuracy": "Super-net acc. (%)",
    "final_accuracy": "Mean acc. of top 3 (%)",
    "best_rank": "Best rank",
    "seconds": "Cost (s)",
}


@dataclass(frozen=True)
class ComparisonTable:
    """Groups of runs and, per figure, each group against the baseline.

    Attributes:
        baseline: name of the group that the others are tested against.
        runs: run ids by group.
        figures: per figure one comparison per group.
    """

    baseline: str
    runs: dict[str, list[str]]
    figures: dict[str, tuple[GroupComparison, ...]]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "baseline": self.baseline,
            "runs": self.runs,
            "figures": {
                name: [asdict(group) for group in groups] for name, groups in self.figures.items()
            },
        }


# What may differ between the seeds of one setting.
PERSONAL = {"seed", "name", "notes", "tags", "device"}


def group_name(spec: ExperimentSpec) -> str:
    """Return algorithm, add-ons, space and data of a setting, for people."""
    addons = [name for name, value in spec.addons.model_dump().items() if value is not None]
    return " + ".join([spec.algorithm, *addons]) + f" on {spec.space}, {spec.data.name}"


def group_runs(folders: Sequence[RunFolder]) -> dict[str, list[RunFolder]]:
    """Group runs whose specs are equal apart from the seed and what only people read.

    Settings that have the same name are numbered in the order they are given.
    """
    groups: dict[str, tuple[str, list[RunFolder]]] = {}
    taken: Counter[str] = Counter()
    for folder in folders:
        spec = folder.spec()
        key = spec.model_dump_json(exclude=PERSONAL)
        if key not in groups:
            name = group_name(spec)
            taken[name] += 1
            number = taken[name]
            groups[key] = (name if number == 1 else f"{name} ({number})", [])
        groups[key][1].append(folder)
    return dict(groups.values())


def compare_runs(folders: Sequence[RunFolder], baseline: str | None = None) -> ComparisonTable:
    """Group runs by setting and compare every figure with the baseline group.

    Args:
        folders: finished runs.
        baseline: name of a group; None: the first one.

    Raises:
        RunError: a run has no result yet.
        SpecError: there is no such group.
    """
    groups: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name, members in group_runs(folders).items():
        groups[name] = [(folder.run_id, _result(folder)) for folder in members]
    chosen = baseline or next(iter(groups))
    if chosen not in groups:
        raise SpecError(
            "--baseline", f"there is no group `{chosen}`; there are: {'; '.join(groups)}."
        )
    figures = {}
    for figure in FIGURES:
        values = {
            name: [v for _, result in members if (v := _figure(result, figure)) is not None]
            for name, members in groups.items()
        }
        figures[figure] = compare_groups(values, baseline=chosen)
    runs = {name: [run_id for run_id, _ in members] for name, members in groups.items()}
    return ComparisonTable(chosen, runs, figures)


def _result(folder: RunFolder) -> dict[str, Any]:
    result = folder.result()
    if result is None:
        raise RunError(f"Run {folder.run_id} has no result yet; wait until it is finished.")
    return result


def _figure(result: dict[str, Any], name: str) -> float | None:
    if name == "seconds":
        return float(sum(result["cost"]["seconds"].values()))
    value = result["metrics"].get(name)
    return None if value is None else float(value)


def render(table: ComparisonTable, form: str) -> str:
    """Write the table as text, markdown, latex or csv: mean ± std and p against the baseline."""
    header = ["Group", "n", *FIGURES.values(), f"p of S-KdT against {table.baseline}"]
    rows: list[list[str | int]] = []
    for position, name in enumerate(table.runs):
        cells = [_mean(table.figures[figure][position]) for figure in FIGURES]
        p = table.figures["sparse_kendall_tau"][position].p_two_sided
        rows.append([name, len(table.runs[name]), *cells, "" if p is None else f"{p:.3g}"])
    if form == "markdown":
        return markdown_table(header, rows)
    if form == "latex":
        return latex_table(header, rows)
    if form == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([header, *rows])
        return text.getvalue().rstrip("\n")
    columns = list(zip(header, *[[str(cell) for cell in row] for row in rows], strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [header, *[[str(cell) for cell in row] for row in rows]]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _mean(group: GroupComparison) -> str:
    if group.mean is None:
        return "–"
    digits = 3 if abs(group.mean) < 2 else 2
    spread = "" if group.std is None else f" ± {group.std:.{digits}f}"
    return f"{group.mean:.{digits}f}{spread}"
