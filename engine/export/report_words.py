"""Numbers and sentences of a report."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from engine.datasets.registry import DATASETS
from engine.export.report_story import Story
from engine.recipes import RECIPES
from engine.spaces import SPACES

NONE = "–"
TITLES = {
    "sparse_kendall_tau": "Sparse Kendall τ",
    "kendall_tau": "Kendall τ",
    "spearman": "Spearman ρ",
    "sparse_spearman": "Sparse Spearman ρ",
    "super_net_accuracy": "Mean super-net accuracy of the sample",
    "final_accuracy": "Mean stand-alone accuracy of the best 3",
    "best_rank": "Best rank among those known",
    "surpass_random": "Probability to surpass random search",
    "sparse_kendall_tau_published": "Sparse Kendall τ, as the published code computes it",
    "mean_absolute_displacement": "Mean displacement of a rank",
    "sample_size": "Size of the correlation sample",
}
_PERCENT = ("super_net_accuracy", "final_accuracy", "regret")
_WHOLE = ("best_rank", "best_rank_of", "sample_size")


def metric(name: str, value: Any) -> str:
    """Write a metric by its kind; an en dash where there is none."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return NONE
    if name in _PERCENT:
        return f"{value:.2f} %"
    return f"{value:,.0f}" if name in _WHOLE else f"{value:.3f}".replace("-", "−")


def accuracy(value: Any) -> str:
    """Write an accuracy in percent."""
    return metric("final_accuracy", value)


def millions(value: Any) -> str:
    """Write parameters or multiply-adds in millions, or thousands where they are few."""
    if not isinstance(value, (int, float)):
        return NONE
    return f"{value / 1e3:.1f} k" if value < 1e5 else f"{value / 1e6:.2f} M"


def seconds(value: float) -> str:
    """Write a length of time in the two largest units."""
    whole = round(value)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{value:.1f} s"


def moment(value: float) -> str:
    """Write a moment; a report is read in any zone, so it is UTC and says so."""
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"


def title(name: str) -> str:
    """Return how a metric is called."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def searcher(name: str) -> str:
    """Return how a searcher is called."""
    known = {"derived": "The learner's choice", "drawn": "Draws of the learner"}
    return known.get(name, name.capitalize())


def names(story: Story) -> tuple[str, str, str]:
    """Return algorithm, space and data set as people call them."""
    spec = story.spec
    algorithm = RECIPES[spec.algorithm].title if spec.algorithm in RECIPES else spec.algorithm
    space = SPACES[spec.space].title if spec.space in SPACES else spec.space
    data = DATASETS[spec.data.name].title if spec.data.name in DATASETS else spec.data.name
    if spec.data.name == "imported":
        data = f"“{spec.data.path}” (imported)"
    return algorithm, space, data


def what_was_run(story: Story) -> str:
    """Say in sentences what the run did, or was to do."""
    spec = story.spec
    algorithm, space, data = names(story)
    landmarks = spec.addons.landmark
    size = story.started.get("size")
    among = f" of {size:,} architectures" if isinstance(size, int) else ""
    said = [
        f"{algorithm} on the search space {space}{among}, with the data set {data}.",
        f"One super-net was trained for {spec.super_net.epochs} epochs in batches of "
        f"{spec.super_net.batch_size} images",
    ]
    if landmarks is not None:
        said[-1] += (
            f", with landmark regularisation ({landmarks.per_round} landmarks in each of "
            f"{landmarks.rounds} round{'s' if landmarks.rounds > 1 else ''})"
        )
    if spec.addons.plasticity is not None:
        said[-1] += ", with weight plasticity"
    said[-1] += "."
    truth = spec.evaluation.ground_truth
    source = (
        f"the table {truth.table}"
        if truth.source == "table"
        else f"training each by itself for {spec.stand_alone.epochs} epochs"
    )
    said.append(
        f"Its ranking was compared with the stand-alone accuracies of {spec.evaluation.sample} "
        f"random architectures, known from {source}. Seed {spec.seed}."
    )
    return " ".join(said)
