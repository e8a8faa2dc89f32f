"""Ranking any architectures with the super-net of a run, after the fact."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.core import capabilities
from engine.core.architecture import Architecture
from engine.core.space import Space
from engine.evaluators.truth import TableTruth
from engine.events import Events
from engine.lab import Lab
from engine.memory import Memory
from engine.runs import RunFolder
from engine.spec.errors import RunError
from engine.training.checkpoint import Checkpoints

AT_ONCE = 128
COLUMNS = ("rank", "text", "super_net_accuracy", "ground_truth", "true_rank", "is_landmark")

Progress = Callable[[int, int], None]
"""Called with the number of architectures scored so far, and of all."""


@dataclass(frozen=True)
class Ranking:
    """Architectures ranked by a super-net, best first; all arrays have shape (n,).

    Attributes:
        run_id: the run.
        space: its search space.
        texts: the architectures.
        scores: super-net accuracy in percent.
        truth: stand-alone accuracy in percent from the run's table or the results bank, NaN
            where it is unknown.
        landmarks: whether the super-net was told where the architecture ranks.
        threshold: the run's `evaluation.threshold`.
    """

    run_id: str
    space: str
    texts: list[str]
    scores: npt.NDArray[np.float64]
    truth: npt.NDArray[np.float64]
    landmarks: npt.NDArray[np.bool_]
    threshold: float

    def true_ranks(self) -> npt.NDArray[np.int64] | None:
        """Return the rank of each by truth, equal accuracies sharing the best; None if one is
        unknown."""
        if np.isnan(self.truth).any():
            return None
        ordered = np.sort(-self.truth)
        return 1 + np.searchsorted(ordered, -self.truth, side="left")


def rank_with_supernet(
    folder: RunFolder,
    sample: int | None,
    seed: int,
    every_encoding: bool = False,
    progress: Progress = lambda done, total: None,
) -> Ranking:
    """Score architectures with the newest checkpoint.

    Args:
        folder: the run; it is only read.
        sample: how many different networks to draw, or None for the whole space: where it can be
            listed, all of it, else every architecture of the run's table.
        seed: seed of the sample.
        every_encoding: in a whole space, rank every index tuple. Otherwise equal canonical forms
            count as one, the first of them.
        progress: reports.

    Raises:
        RunError: the run has no checkpoint, or its space can neither be listed nor has a table.
    """
    lab = Lab.build(folder.spec(), Events([]))
    found = Checkpoints(folder.path / "checkpoints").latest()
    if found is None:
        raise RunError(f"Run {folder.run_id} has no checkpoint to rank with.")
    lab.trainer.load_tensors(found[1])
    if sample is None:
        chosen = _Many(lab.space, _whole(lab, every_encoding))
    else:
        chosen = _Many(lab.space, _some(lab, sample, seed))
    scores, truth = _evaluate(lab, chosen, progress)
    told = [one.architecture for one in Memory.from_json(found[0]["memory"]).landmarks]
    key = lab.space.to_text if every_encoding else lab.space.canonical
    landmarks = {key(architecture) for architecture in told}
    order = np.argsort(-scores, kind="stable")
    return Ranking(
        folder.run_id,
        lab.space.name,
        [lab.space.to_text(chosen[i]) for i in order],
        scores[order],
        truth[order],
        np.array([key(chosen[i]) in landmarks for i in order], dtype=np.bool_),
        lab.spec.evaluation.threshold,
    )


class _Many:
    """Architectures of one space as a matrix of indices: a few bytes each instead of hundreds."""

    def __init__(self, space: Space, architectures: Iterable[Architecture]) -> None:
        self.space = space
        rows = (index for one in architectures for index in one.indices)
        self.indices = np.fromiter(rows, np.uint16).reshape(-1, len(space.choices))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, row: int) -> Architecture:
        return Architecture.of(self.space.name, self.indices[row])


def _evaluate(
    lab: Lab, chosen: _Many, progress: Progress
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return score and truth of each, chunk by chunk."""
    scores, truth = np.empty(len(chosen)), np.full(len(chosen), np.nan)
    for first in range(0, len(chosen), AT_ONCE):
        chunk = [chosen[row] for row in range(first, min(first + AT_ONCE, len(chosen)))]
        places = slice(first, first + len(chunk))
        scores[places] = lab.scorer.scores(chunk)
        progress(first + len(chunk), len(chosen))
        known = [lab.truth.known(architecture) for architecture in chunk]
        truth[places] = [np.nan if value is None else value for value in known]
    return scores, truth


def _whole(lab: Lab, every_encoding: bool) -> Iterator[Architecture]:
    space = lab.space
    enumerable = capabilities.ENUMERABLE in space.provides
    # A space that lists its networks by itself does so although it has too many encodings.
    if not every_encoding and (enumerable or type(space).networks is not Space.networks):
        return space.networks()
    if every_encoding and enumerable:
        return space.enumerate()
    if isinstance(lab.truth, TableTruth):
        return iter(lab.truth.rows.architectures())
    raise RunError(
        f"The space `{space.name}` has too many architectures to rank all of them; use "
        "--sample N, or a run whose ground truth is a table."
    )


def _some(lab: Lab, count: int, seed: int) -> list[Architecture]:
    rng, seen = np.random.default_rng(seed), dict[str, Architecture]()
    for _ in range(200 * count):
        if len(seen) == count:
            break
        drawn = lab.space.sample(rng)
        seen.setdefault(lab.space.canonical(drawn), drawn)
    return list(seen.values())


def ranking_rows(ranking: Ranking) -> Iterator[dict[str, object]]:
    """Yield one row per architecture with `COLUMNS`; None where something is unknown."""
    ranks = ranking.true_ranks()
    for place, text in enumerate(ranking.texts):
        truth = float(ranking.truth[place])
        yield {
            "rank": place + 1,
            "text": text,
            "super_net_accuracy": float(ranking.scores[place]),
            "ground_truth": None if np.isnan(truth) else truth,
            "true_rank": None if ranks is None else int(ranks[place]),
            "is_landmark": bool(ranking.landmarks[place]),
        }


def write_ranking(path: Path, ranking: Ranking) -> None:
    """Write a CSV with `COLUMNS`; fields that are unknown stay empty.

    Raises:
        RunError: the file cannot be written.
    """
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            for row in ranking_rows(ranking):
                writer.writerow(row | {"is_landmark": int(bool(row["is_landmark"]))})
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror}.") from error
