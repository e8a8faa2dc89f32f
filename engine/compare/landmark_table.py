"""The comparison in the layout of 002 Table 1, with the tests that the paper leaves out.

One row a setting: S-KdT at the end of training, mean stand-alone accuracy of the architectures
found, best rank, best accuracy, cost. As in the paper, best rank and best accuracy are the best
over all seeds; the other figures are mean ± standard deviation over seeds. To these come the
number of seeds and the p of Welch's two-sided test against the baseline and, for the accuracy,
against random architectures. Printed figures for a setting stand in a row below it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from engine.compare.render import NOTHING, chance, columns, spread
from engine.compare.table import ComparisonTable
from engine.export import latex_table, markdown_table
from engine.metrics import GroupComparison
from engine.spec.experiment import PublishedFigure

HEADER = (
    "Model",
    "n",
    "S-KdT",
    "p (S-KdT)",
    "Mean acc. (%)",
    "p (acc.)",
    "p (random)",
    "Best rank",
    "Best acc. (%)",
    "Cost (s)",
)


@dataclass(frozen=True)
class LandmarkRow:
    """One setting.

    Attributes:
        group: name of the setting.
        n: number of seeds.
        tau: sparse Kendall tau against the baseline.
        accuracy: mean stand-alone accuracy of the best three, in percent, against the baseline.
        against_random: the same against random architectures; None without any.
        best_rank: best rank over all seeds; None where no run knows one.
        best_accuracy: best stand-alone accuracy over all seeds, in percent.
        ranks, accuracies, seconds: mean and deviation over seeds of each seed's best rank, best
            accuracy in percent, and cost in seconds.
        published: printed figures for this setting.
    """

    group: str
    n: int
    tau: GroupComparison
    accuracy: GroupComparison
    against_random: GroupComparison | None
    best_rank: int | None
    best_accuracy: float | None
    ranks: GroupComparison
    accuracies: GroupComparison
    seconds: GroupComparison
    published: Mapping[str, PublishedFigure]


def landmark_rows(table: ComparisonTable) -> list[LandmarkRow]:
    """Return one row a group, in the order of the comparison."""
    return [_row(table, position, group) for position, group in enumerate(table.runs)]


def _row(table: ComparisonTable, position: int, group: str) -> LandmarkRow:
    figures = {name: found[position] for name, found in table.figures.items()}
    ranks, accuracies = (_known(table, group, name) for name in ("best_rank", "best_accuracy"))
    return LandmarkRow(
        group=group,
        n=len(table.runs[group]),
        tau=figures["sparse_kendall_tau"],
        accuracy=figures["final_accuracy"],
        against_random=table.random[group].test,
        best_rank=int(min(ranks)) if ranks else None,
        best_accuracy=max(accuracies, default=None),
        ranks=figures["best_rank"],
        accuracies=figures["best_accuracy"],
        seconds=figures["seconds"],
        published=table.published[group],
    )


def _known(table: ComparisonTable, group: str, figure: str) -> list[float]:
    return [value for value in table.values[group][figure] if value is not None]


# -- forms ----------------------------------------------------------------------------------------
def render_landmark(table: ComparisonTable, form: str) -> str:
    """Write the table as text, Markdown, LaTeX or CSV; CSV has numbers with all their digits."""
    rows = landmark_rows(table)
    if form == "csv":
        return _csv(rows)
    caption = (
        "Mean ± standard deviation over n seeds; best rank and best accuracy over all seeds. "
        f"p: Welch's two-sided t-test against {table.baseline}, and against random architectures."
    )
    cells = [line for row in rows for line in _lines(row)]
    if form == "markdown":
        return f"{markdown_table(HEADER, cells)}\n{caption}"
    if form == "latex":
        return latex_table(HEADER, cells, caption=caption).rstrip("\n")
    return f"{columns([list(HEADER), *cells])}\n{caption}"


def _lines(row: LandmarkRow) -> list[list[str]]:
    random = NOTHING if row.against_random is None else chance(row.against_random)
    ours = [
        row.group,
        str(row.n),
        _mean(row.tau),
        chance(row.tau),
        _mean(row.accuracy),
        chance(row.accuracy),
        random,
        NOTHING if row.best_rank is None else str(row.best_rank),
        NOTHING if row.best_accuracy is None else f"{row.best_accuracy:.2f}",
        _mean(row.seconds),
    ]
    return [ours, *_printed(row)]


def _printed(row: LandmarkRow) -> list[list[str]]:
    """Return the row of printed figures, if there are any that this layout has a column for."""
    found = row.published
    names = ("sparse_kendall_tau", "final_accuracy", "best_rank", "best_accuracy")
    tau, accuracy, rank, best = (f"{found[n].value:g}" if n in found else NOTHING for n in names)
    if {tau, accuracy, rank, best} == {NOTHING}:
        return []
    sources = "; ".join(dict.fromkeys(found[name].source for name in names if name in found))
    title, none = f"published ({sources})", NOTHING
    return [[title, none, tau, none, accuracy, none, none, rank, best, none]]


def _mean(group: GroupComparison) -> str:
    return NOTHING if group.mean is None else spread(group.mean, group.std)


def _csv(rows: list[LandmarkRow]) -> str:
    lines = [_csv_line(row) for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().rstrip("\n")


def _csv_line(row: LandmarkRow) -> dict[str, object]:
    printed = {name: one.value for name, one in row.published.items()}
    random = row.against_random
    return {
        "group": row.group,
        "n": row.n,
        "sparse_kendall_tau_mean": row.tau.mean,
        "sparse_kendall_tau_std": row.tau.std,
        "sparse_kendall_tau_p": row.tau.p_two_sided,
        "final_accuracy_mean": row.accuracy.mean,
        "final_accuracy_std": row.accuracy.std,
        "final_accuracy_p": row.accuracy.p_two_sided,
        "final_accuracy_p_random": None if random is None else random.p_two_sided,
        "best_rank": row.best_rank,
        "best_accuracy": row.best_accuracy,
        "seconds_mean": row.seconds.mean,
        "seconds_std": row.seconds.std,
        "published_sparse_kendall_tau": printed.get("sparse_kendall_tau"),
        "published_final_accuracy": printed.get("final_accuracy"),
        "published_best_rank": printed.get("best_rank"),
        "published_best_accuracy": printed.get("best_accuracy"),
    }
