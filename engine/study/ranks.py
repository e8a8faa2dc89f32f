"""Rank change while training, and rank disorder, from the events of a run. No torch here."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.events import Event
from engine.export.files import write_file
from engine.metrics import RankHistory, rank_history, shuffled_change
from engine.runs import RunFolder
from engine.spec.errors import RunError

COLUMNS = ("epoch", "text", "super_net_accuracy", "rank", "change", "ground_truth", "true_rank")


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of the ranking.

    Attributes:
        epoch: after which it was made.
        sparse_kendall_tau, kendall_tau: agreement with the ground truth.
        disorder: mean distance in ranks from the true order.
        change: mean change in ranks since the evaluation before; None for the first.
        tau_before, tau_last: Kendall tau with the evaluation before and with the last one.
    """

    epoch: int
    sparse_kendall_tau: float | None
    kendall_tau: float | None
    disorder: float
    change: float | None
    tau_before: float | None
    tau_last: float | None


@dataclass(frozen=True)
class RankStudy:
    """All evaluations of a run over its correlation sample (landmarks are not in it).

    Attributes:
        run_id: of the run.
        texts: the n architectures, in the space's notation.
        truth: their stand-alone accuracies in percent.
        scores: per evaluation the n super-net accuracies in percent.
        history: their ranks, see `engine.metrics.rank_history`.
        evaluations: what there is to say of each.
    """

    run_id: str
    texts: list[str]
    truth: list[float]
    scores: list[list[float]]
    history: RankHistory
    evaluations: list[Evaluation]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form: the evaluations, and the ranks per architecture."""
        history = self.history
        return {
            "run_id": self.run_id,
            "architectures": len(self.texts),
            "change_of_shuffled": shuffled_change(len(self.texts)),
            "evaluations": [asdict(one) for one in self.evaluations],
            "ranks": {
                text: {"truth": int(true), "by_evaluation": [int(rank) for rank in ranks]}
                for text, true, ranks in zip(
                    self.texts, history.truth_rank, history.ranks.T, strict=True
                )
            },
        }


def study_ranks(folder: RunFolder) -> RankStudy:
    """Read how the ranks of a run's sample moved; the run may still be training.

    Raises:
        RunError: the run has not ranked its sample yet.
    """
    events = folder.events()
    sample = [one["text"] for event in _of(events, "sample") for one in event["architectures"]]
    found = _of(events, "ranking")
    if not sample or not found:
        raise RunError(
            f"Run {folder.run_id} has not ranked its sample yet; wait for its first evaluation."
        )
    truth, scores = found[-1]["truth"], [event["scores"] for event in found]
    history = rank_history(truth, scores)
    evaluations = [
        Evaluation(
            epoch=event["epoch"],
            sparse_kendall_tau=event["metrics"]["sparse_kendall_tau"],
            kendall_tau=event["metrics"]["kendall_tau"],
            disorder=history.disorder[number],
            change=history.mean_change[number],
            tau_before=history.tau_before[number],
            tau_last=history.tau_last[number],
        )
        for number, event in enumerate(found)
    ]
    return RankStudy(folder.run_id, sample, truth, scores, history, evaluations)


def _of(events: list[Event], type_: str) -> list[Event]:
    return [event for event in events if event["type"] == type_]


def write_ranks(path: Path, study: RankStudy) -> Path:
    """Write one line per evaluation and architecture, with the columns `COLUMNS`.

    `change` is empty at the first evaluation; positive where the architecture rose.

    Raises:
        ExportError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    history = study.history
    for number, evaluation in enumerate(study.evaluations):
        for position, name in enumerate(study.texts):
            score, true = study.scores[number][position], history.truth_rank[position]
            change = history.changes[number - 1, position] if number else ""
            rank, truth = history.ranks[number, position], study.truth[position]
            writer.writerow([evaluation.epoch, name, score, rank, change, truth, true])
    return write_file(path, text.getvalue())
