"""What a learner's reports say over the epochs: entropies, skip connections, one choice's options.

A report has, per choice, one number for each of its options: a probability for most learners, a
gate of its own for some (`measure`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.digest import Learning

Rows = Sequence[Sequence[float]]
SKIP = "skip"
MEASURES = {
    "gates": "gate (0 to 1)",
    "edge_logits": "probability × weight of the edge",
    "nao": "share of the pool",
    "relevance": "share of the relevance",
    "controller": "probability (mean over draws)",
}


def measure(learned: str | None) -> str:
    """Return what the numbers of a learned distribution are; the name is the recipe's."""
    return MEASURES.get(learned or "", "probability")


def entropy(row: Sequence[float]) -> float:
    """Return the entropy of one choice, −Σ p ln p, in nats; options without chance add nothing."""
    return -sum(p * math.log(p) for p in row if p > 0)


def entropies(history: Sequence[Rows], choices: Sequence[int]) -> list[list[float]]:
    """Return the entropy of some choices, a row each, one entry a kept report."""
    return [[entropy(report[choice]) for report in history] for choice in choices]


def likeliest(row: Sequence[float]) -> int:
    """Return the most probable option; of equal ones the first."""
    return row.index(max(row))


def has_skips(options: Sequence[Sequence[str]]) -> bool:
    """Tell whether any choice can be a skip connection."""
    return any(SKIP in name for one in options for name in one)


def skips(report: Rows, options: Sequence[Sequence[str]]) -> int:
    """Count the choices whose most probable option is a skip connection."""
    return sum(SKIP in own[likeliest(row)] for row, own in zip(report, options, strict=True))


def skip_counts(
    learning: Learning, options: Sequence[Sequence[str]]
) -> tuple[list[int], list[float | None], bool]:
    """Return epochs, number of skip connections, and whether the learner itself counted them.

    A learner that counts them does so in the cell that it would derive; else they are counted
    among all choices, see `skips`, in the reports that are kept.
    """
    own = learning.extra.get("skip_connections")
    if own is not None:
        return learning.epoch, own, True
    return learning.kept, [skips(report, options) for report in learning.history], False


def option_lines(history: Sequence[Rows], choice: int, most: int) -> dict[int, list[float]]:
    """Return what each option of a choice counted over the kept reports.

    Args:
        history: the reports.
        choice: its position.
        most: so many options at most: those that count most in the newest report.
    """
    newest = history[-1][choice]
    order = sorted(range(len(newest)), key=lambda option: -newest[option])[:most]
    return {option: [report[choice][option] for report in history] for option in sorted(order)}


def span(history: Sequence[Rows]) -> tuple[float, float]:
    """Return the least and the largest number of all reports, for colours that stay the same."""
    low = min((min(map(min, report)) for report in history if report), default=0.0)
    high = max((max(map(max, report)) for report in history if report), default=1.0)
    return (low, high) if high - low > 1e-9 else (0.0, high or 1.0)
