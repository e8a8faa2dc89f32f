"""DARTS+: training ends when a normal cell would have two skip connections (Liang et al. 2019)."""

from __future__ import annotations

from typing import Any

from engine.learners.gradient import GradientLearner
from engine.learners.registry import LEARNERS

SKIPS = ("skip_connect", "skip_or_reduce")


class EarlyStoppingLearner(GradientLearner):
    """Counts the skip connections of the cell that would be derived now, after every epoch.

    Args:
        context: its settings are a `DartsPlusSettings`.
    """

    _reason: str | None = None

    def end_epoch(self, epoch: int) -> None:
        """Look at the derived architecture (criterion 1 of DARTS+)."""
        settings, epochs = self.context.settings, self.context.epochs
        if epoch < settings.earliest_stop * epochs:
            return
        count = self.skip_connections()
        if count >= settings.skip_connections:
            self._reason = (
                f"the derived cell has {count} skip connections, the limit of DARTS+ is "
                f"{settings.skip_connections}."
            )

    def skip_connections(self) -> int:
        """Return the skip connections of the derived normal cell, of all cells without one.

        Only edges that reach the cell's output count.
        """
        space = self.context.space
        graphs = space.graphs(self.proposals(1)[0])
        cells = [graphs["normal"]] if "normal" in graphs else list(graphs.values())
        return sum(op in SKIPS and alive for cell in cells for _, _, op, alive in cell.edges)

    def stop_reason(self) -> str | None:
        """Return why training ends, once it does."""
        return self._reason

    def report(self) -> dict[str, Any]:
        """Add the number of skip connections."""
        return super().report() | {"skip_connections": self.skip_connections()}

    def state(self) -> dict[str, Any]:
        """Keep the decision."""
        return {"reason": self._reason}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue with it."""
        self._reason = state["reason"]


LEARNERS.register("early_stopping", EarlyStoppingLearner)
