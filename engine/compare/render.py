"""A comparison as text, Markdown, LaTeX or CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from engine.compare.against_random import AgainstRandom
from engine.compare.figures import FIGURES
from engine.compare.table import ComparisonTable
from engine.export import latex_table, markdown_table
from engine.metrics import GroupComparison, Moments

FORMATS = ("text", "markdown", "latex", "csv")
NOTHING = "–"


@dataclass(frozen=True)
class _Part:
    """A table within the comparison: rows are groups."""

    title: str
    header: list[str]
    rows: list[list[str]]


def render(table: ComparisonTable, form: str) -> str:
    """Write the comparison: mean ± std over seeds, p of Welch's two-sided test.

    Text, Markdown and LaTeX have one table for the rankings, one for the searches and one for
    random. CSV is for programs: one line per group, numbers with all their digits in columns of
    their own, named as in the JSON.
    """
    if form == "csv":
        return _csv(table)
    parts = [_ranking(table), _search(table), _random(table)]
    if form == "markdown":
        texts = [f"**{part.title}**\n\n{markdown_table(part.header, part.rows)}" for part in parts]
        return "\n".join(texts).rstrip("\n")
    if form == "latex":
        texts = [latex_table(part.header, part.rows, caption=part.title) for part in parts]
        return "\n".join(texts).rstrip("\n")
    return "\n\n".join(f"{p.title}\n{columns([p.header, *p.rows])}" for p in parts)


# -- parts ----------------------------------------------------------------------------------------
def _ranking(table: ComparisonTable) -> _Part:
    names = [figure.name for figure in FIGURES if figure.about == "ranking"]
    header = ["Group", "n", *_titles("ranking"), "KdT between seeds", "p of S-KdT"]
    rows = []
    for position, group in enumerate(table.runs):
        cells = [_mean(table.figures[name][position]) for name in names]
        stable = table.stability[group]
        between = NOTHING if stable.tau is None else f"{stable.tau:.3f} (n={stable.common})"
        p = chance(table.figures["sparse_kendall_tau"][position])
        rows.append([group, str(len(table.runs[group])), *cells, between, p])
    return _Part(f"Ranking by the super-net: {_against(table)}", header, rows)


def _search(table: ComparisonTable) -> _Part:
    names = [figure.name for figure in FIGURES if figure.about == "search"]
    header = ["Group", *_titles("search"), "P(> random), all seeds", "p of acc."]
    rows = []
    for position, group in enumerate(table.runs):
        cells = [_mean(table.figures[name][position]) for name in names]
        surpass = table.random[group].surpass
        whole = NOTHING if surpass is None else f"{surpass:.3f}"
        p = chance(table.figures["final_accuracy"][position])
        rows.append([group, *cells, whole, p])
    return _Part(f"What the search found: {_against(table)}", header, rows)


def _random(table: ComparisonTable) -> _Part:
    header = [
        "Group",
        "Random arch. (%)",
        "Random, best of n (%)",
        "Random rank",
        "Random rank, best of n",
        "n",
        "p of acc. against random arch.",
        "Random search (%)",
        "p of acc. against random search",
    ]
    rows = [[group, *_random_cells(found)] for group, found in table.random.items()]
    return _Part("Random at the same budget, from the same seeds", header, rows)


def _random_cells(found: AgainstRandom) -> list[str]:
    searched = found.search
    return [
        _moments(found.single),
        _moments(found.best_of),
        _moments(found.single_rank),
        _moments(found.best_of_rank),
        NOTHING if found.budget is None else str(found.budget),
        NOTHING if found.test is None else chance(found.test),
        NOTHING if searched is None else _mean(searched[0]),
        NOTHING if searched is None else chance(searched[1]),
    ]


# -- cells ----------------------------------------------------------------------------------------
def _titles(about: str) -> list[str]:
    return [figure.title for figure in FIGURES if figure.about == about]


def _against(table: ComparisonTable) -> str:
    return f"mean ± std over seeds, p against {table.baseline}"


def chance(group: GroupComparison) -> str:
    """Write the p of Welch's two-sided test, an en dash where there is none."""
    return NOTHING if group.p_two_sided is None else f"{group.p_two_sided:.3g}"


def _mean(group: GroupComparison) -> str:
    return NOTHING if group.mean is None else spread(group.mean, group.std)


def _moments(found: Moments | None) -> str:
    return NOTHING if found is None else spread(found.mean, found.std)


def spread(mean: float, std: float | None) -> str:
    """Write mean ± std with digits that suit the size of the mean."""
    digits = 3 if abs(mean) < 2 else 2 if abs(mean) < 1000 else 0
    return f"{mean:.{digits}f}" + ("" if std is None else f" ± {std:.{digits}f}")


# -- forms ----------------------------------------------------------------------------------------
def _csv(table: ComparisonTable) -> str:
    lines = [_csv_line(table, position, name) for position, name in enumerate(table.runs)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().rstrip("\n")


def _csv_line(table: ComparisonTable, position: int, name: str) -> dict[str, object]:
    line: dict[str, object] = {"group": name, "n": len(table.runs[name])}
    for figure, groups in table.figures.items():
        group = groups[position]
        line |= {f"{figure}_mean": group.mean, f"{figure}_std": group.std}
        line[f"{figure}_p"] = group.p_two_sided
    random, searched = table.random[name], table.random[name].search
    for key in ("single", "best_of", "single_rank", "best_of_rank"):
        found: Moments | None = getattr(random, key)
        line[f"random_{key}_mean"] = None if found is None else found.mean
        line[f"random_{key}_std"] = None if found is None else found.std
    return line | {
        "random_p": None if random.test is None else random.test.p_two_sided,
        "random_search_mean": None if searched is None else searched[0].mean,
        "random_search_std": None if searched is None else searched[0].std,
        "random_search_p": None if searched is None else searched[1].p_two_sided,
        "surpass_random_all": random.surpass,
        "kendall_tau_between_seeds": table.stability[name].tau,
        "architectures_between_seeds": table.stability[name].common,
    }


def columns(lines: list[list[str]]) -> str:
    """Write lines of cells as text with the cells below each other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
