"""The figures of one finished run that are compared, read from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.export.tables import RankingRow, read_ranking
from engine.runs import RunFolder
from engine.spaces import get_space
from engine.spec.errors import RunError
from engine.spec.experiment import ExperimentSpec, PublishedFigure

TOP = 3  # architectures that a search ends with (000 §6.3.4)


@dataclass(frozen=True)
class Figure:
    """A number of a run.

    Attributes:
        name: key in `result.json` and in the table's JSON.
        title: head of its column.
        higher_is_better: direction, for one-sided tests.
        about: the part of the table it belongs to.
    """

    name: str
    title: str
    higher_is_better: bool
    about: str


FIGURES = (
    Figure("sparse_kendall_tau", "S-KdT", True, "ranking"),
    Figure("kendall_tau", "KdT", True, "ranking"),
    Figure("spearman", "Spearman", True, "ranking"),
    Figure("super_net_accuracy", "Super-net acc. (%)", True, "ranking"),
    Figure("final_accuracy", "Mean acc. of top 3 (%)", True, "search"),
    Figure("best_rank", "Best rank", False, "search"),
    Figure("best_accuracy", "Best acc. (%)", True, "search"),
    Figure("surpass_random", "P(> random)", True, "search"),
    Figure("seconds", "Cost (s)", False, "search"),
    Figure("images", "Images trained", False, "search"),
)


@dataclass(frozen=True)
class RunFigures:
    """What a run says about itself.

    Attributes:
        run_id, seed: of the run.
        values: the `FIGURES`; None where unknown.
        found: how many architectures its final accuracy is the mean of.
        ranked_among: how many architectures `best_rank` refers to; None where unknown.
        draws: ground truths of the correlation sample in percent, in the order drawn; these are
            uniform draws from the space, landmarks left out.
        random_search: final accuracy of the run's own random search on the super-net, in percent;
            None where it has none, or is one itself.
        scores: super-net accuracy of the sample in percent, by canonical architecture.
        published: printed figures for the run's setting, by name of the figure.
    """

    run_id: str
    seed: int
    values: Mapping[str, float | None]
    found: int
    ranked_among: int | None
    draws: tuple[float, ...]
    random_search: float | None
    scores: Mapping[str, float]
    published: Mapping[str, PublishedFigure] = field(default_factory=dict)


def read_run(folder: RunFolder) -> RunFigures:
    """Read `result.json` and `ranking.csv`.

    Raises:
        RunError: the run has no result yet, or its result is damaged.
        ExportError: its `ranking.csv` is missing or damaged.
    """
    result = folder.result()
    if result is None:
        raise RunError(f"Run {folder.run_id} has no result yet; wait until it is finished.")
    try:
        return _figures(folder, folder.spec(), result)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"result.json of run {folder.run_id} is damaged ({type(error).__name__}: {error}). "
            "Repeat the run to have it anew."
        ) from None


def _figures(folder: RunFolder, spec: ExperimentSpec, result: dict[str, Any]) -> RunFigures:
    space = get_space(spec.space, spec.space_settings)
    rows = [r for r in read_ranking(folder.path / "ranking.csv", space) if not r.is_landmark]
    among = result["metrics"].get("best_rank_of")
    return RunFigures(
        run_id=folder.run_id,
        seed=spec.seed,
        values={figure.name: _value(result, figure.name) for figure in FIGURES},
        found=min(TOP, len(result["architectures"])),
        ranked_among=None if among is None else int(among),
        draws=tuple(row.ground_truth for row in rows if row.ground_truth is not None),
        random_search=_random_search(result),
        scores={space.canonical(r.architecture): score for r, score in _scored(rows)},
        published=spec.published,
    )


def _scored(rows: list[RankingRow]) -> list[tuple[RankingRow, float]]:
    return [(r, r.super_net_accuracy) for r in rows if r.super_net_accuracy is not None]


def _value(result: dict[str, Any], name: str) -> float | None:
    if name == "seconds":
        return float(sum(result["cost"]["seconds"].values()))
    if name == "best_accuracy":
        return _best_accuracy(result)
    value = result["cost"] if name == "images" else result["metrics"]
    found = value.get(name)
    return None if found is None else float(found)


def _best_accuracy(result: dict[str, Any]) -> float | None:
    """Return the best ground truth among all found architectures, in percent."""
    known = [row.get("stand_alone_accuracy") for row in result["architectures"]]
    return max((float(value) for value in known if value is not None), default=None)


def _random_search(result: dict[str, Any]) -> float | None:
    """Return the outcome of the baseline `random`, unless the search itself is the random one."""
    search = result["search"]
    if next(iter(search), "random") == "random" or "random" not in search:
        return None
    return float(search["random"]["top3_accuracy"])
