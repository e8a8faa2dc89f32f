"""Super-net accuracy against cost: everything a run evaluated, and what nothing else beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.evaluated import Evaluated
from app.widgets import numbers, pareto
from app.widgets.chart import kept_rows
from app.widgets.pareto import Dot
from engine.events import Event

LATENCY = "latency_ms"
FEWER = {"params": "fewer parameters", "flops": "fewer FLOPs", LATENCY: "less latency"}


def costs(found: Evaluated, cost: str, architectures: Mapping[int, Event]) -> dict[int, float]:
    """Return what entries cost, by position.

    Args:
        found: all that was evaluated.
        cost: a key of `pareto.COSTS`. Latency is known only of the architectures that were found
            in the end.
        architectures: the events of those, by rank.
    """
    if cost != LATENCY:
        return dict(enumerate(getattr(found, cost)))
    if not architectures:
        return {}
    rows = {tuple(indices): row for row, indices in enumerate(found.indices)}
    known: dict[int, float] = {}
    for event in architectures.values():
        row, latency = rows.get(tuple(event["indices"])), event.get(LATENCY)
        if row is not None and latency is not None:
            known[row] = latency
    return known


def front(found: Evaluated, known: Mapping[int, float]) -> list[int]:
    """Return the positions of the Pareto front, cheapest first; `known`: costs by position."""
    rows = list(known)
    best = pareto.front(list(known.values()), [found.score[row] for row in rows])
    return [rows[place] for place in best]


def shown(known: Mapping[int, float], on_front: Sequence[int]) -> list[int]:
    """Return the positions of the points to draw: the front, and the others evenly thinned."""
    others = sorted(set(known) - set(on_front))
    return sorted([*on_front, *(others[place] for place in kept_rows(len(others)))])


def dots(
    found: Evaluated, known: Mapping[int, float], rows: Sequence[int], texts: Sequence[str]
) -> list[Dot]:
    """Return the points of some positions, each called by its text; a click tells its position."""
    return [
        Dot(known[row], found.score[row], found.searcher[row], _words(found, row, text), row)
        for row, text in zip(rows, texts, strict=True)
    ]


def _words(found: Evaluated, row: int, text: str) -> str:
    return (
        f"{text}<br>{numbers.accuracy(found.score[row])}<br>"
        f"{numbers.params(found.params[row])} parameters, {numbers.flops(found.flops[row])} FLOPs"
        f"<br>{numbers.searcher(found.searcher[row])}, generation {found.generation[row]}"
    )


def sentence(cost: str, count: int, total: int) -> str:
    """Say how many evaluations the front has."""
    verb = "is" if count == 1 else "are"
    told = f"{numbers.count(count)} of {numbers.count(total)} evaluations {verb}"
    return f"{told} on the Pareto front: none with {FEWER[cost]} is as accurate"


def columns(
    found: Evaluated, known: Mapping[int, float], on_front: Sequence[int], cost: str
) -> dict[str, list[Any]]:
    """Return all points as a table, for the CSV; architectures by their option indices."""
    best = set(on_front)
    return {
        "searcher": [found.searcher[row] for row in known],
        "generation": [found.generation[row] for row in known],
        "architecture": [found.indices[row] for row in known],
        "super_net_accuracy": [found.score[row] for row in known],
        cost: list(known.values()),
        "on_front": [row in best for row in known],
    }
