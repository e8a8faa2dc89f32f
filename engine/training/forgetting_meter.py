"""Multi-model forgetting while the super-net is trained (000 §4.4.2, Figure 4.4)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import Tensor

from engine.datasets.batches import BatchStream
from engine.metrics.forgetting import forgetting
from engine.networks.route import Route
from engine.networks.supernet import SuperNet
from engine.tasks import classification


class ForgettingMeter:
    """Measures architectures right after their update, and again at the end of the epoch.

    Errors are in percent, on one held-out batch of the epoch, with batch statistics. Architectures
    are taken at evenly spaced updates; of soft routes the active options count, unweighted.

    Args:
        batches: held-out batches that nobody else draws from.
        count: architectures of an epoch.
    """

    def __init__(self, batches: BatchStream, count: int) -> None:
        self.batches = batches
        self.count = count
        self._before = batches.state()
        self._batch: tuple[Tensor, Tensor] | None = None
        self._seen: list[tuple[Route, float]] = []

    def after_update(self, net: SuperNet, route: Route, step: int, steps: int) -> None:
        """Measure the architecture of an update, if it is one of those to follow.

        Args:
            net: the super-net.
            route: what was trained.
            step: number of the update within its epoch, from 0.
            steps: updates of an epoch.
        """
        due = (step + 1) * self.count // steps > step * self.count // steps
        if due:
            hard = Route(route.active)
            self._seen.append((hard, self._error(net, hard)))

    def end_epoch(self, net: SuperNet) -> dict[str, float | None]:
        """Measure all of them again and return mean, mean of the 5 best, maximum and number."""
        now = [self._error(net, route) for route, _ in self._seen]
        found = asdict(forgetting([error for _, error in self._seen], now))
        self._seen, self._batch = [], None
        self._before = self.batches.state()
        return found

    def _error(self, net: SuperNet, route: Route) -> float:
        if self._batch is None:
            self._batch = self.batches.next()
        images, labels = self._batch
        with net.probing():
            right = classification.correct(net(images, route), labels).item()
        return 100.0 * (1 - right / len(labels))

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs, JSON-able."""
        seen = [{"active": route.active, "error": error} for route, error in self._seen]
        return {"batches": self._before, "seen": seen}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state`, on the same batch."""
        self.batches.load_state(state["batches"])
        self._before, self._batch = state["batches"], None
        self._seen = [
            (Route(tuple(tuple(one) for one in row["active"])), row["error"])
            for row in state["seen"]
        ]
