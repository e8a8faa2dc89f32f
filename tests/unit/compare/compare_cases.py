"""Finished runs made by hand: a folder with spec, result and ranking, nothing trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.core.architecture import Architecture
from engine.export.tables import write_ranking
from engine.runs import RunFolder, create_run, write_json
from engine.spaces import get_space
from engine.spec.experiment import ExperimentSpec

SPACE = get_space("nb201")
# Different networks: convolutions on the three edges into the output only.
CELLS = [
    Architecture.of("nb201", (3, 3, 3, first, second, third))
    for first in (1, 2, 3)
    for second in (0, 1, 2, 3)
    for third in (1, 2, 3)
]


def made(
    runs: Path,
    run_id: str,
    spec: Mapping[str, Any],
    metrics: Mapping[str, float | None],
    truth: Sequence[float],
    scores: Sequence[float] | None = None,
    random: float | None = None,
    found: int = 5,
) -> RunFolder:
    """Make a finished run whose sample has the given truths and scores, in this order."""
    built = ExperimentSpec.model_validate(spec)
    folder = create_run(runs, built, run_id)
    cells = CELLS[: len(truth)]
    given = list(truth) if scores is None else list(scores)
    landmark = [CELLS[-1]]
    write_ranking(
        folder.path / "ranking.csv",
        SPACE,
        built.network,
        [*cells, *landmark],
        [*given, 99.0],
        [*truth, 99.0],
        landmark,
    )
    search: dict[str, Any] = {"evolution": {"top3_accuracy": metrics.get("final_accuracy")}}
    if random is not None:
        search["random"] = {"top3_accuracy": random}
    write_json(
        folder.path / "result.json",
        {
            "metrics": dict(metrics),
            "search": search,
            "architectures": [{}] * found,
            "cost": {"seconds": {"training": 10.0, "search": 2.5}, "images": 640, "steps": 5},
        },
    )
    return folder
