"""How much of a run is done, and how long the rest will take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from engine.events import Events


@dataclass
class WorkPlan:
    """Stages with their expected work in a common unit: images passed forward and back.

    Work that costs nothing (results taken from the bank) is written off, so that it shortens
    the plan instead of pretending speed. The time left assumes that every stage runs at the
    speed seen so far in its own work, or the mean speed where a stage has not begun.

    Args:
        events: where progress goes.
        stages: expected work by stage name.
    """

    events: Events
    stages: dict[str, float]
    done: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _current: str = ""
    _title: str = ""
    _round: int | None = None
    _since: float = 0.0
    _taken: dict[str, float] = field(default_factory=dict)

    def begin(self, stage: str, title: str, round_: int | None = None) -> None:
        """Enter a stage."""
        self.end()
        self._current, self._title, self._round = stage, title, round_
        self._since = time.perf_counter()

    def end(self) -> None:
        """Leave the current stage."""
        if self._current:
            spent = time.perf_counter() - self._since
            self.seconds[self._current] = self.seconds.get(self._current, 0.0) + spent
            self._current = ""

    def take_seconds(self) -> dict[str, float]:
        """Return the seconds per stage since the last call; the estimates keep them all."""
        now = time.perf_counter()
        if self._current:
            self.seconds[self._current] = self.seconds.get(self._current, 0.0) + now - self._since
            self._since = now
        fresh = {s: total - self._taken.get(s, 0.0) for s, total in self.seconds.items()}
        self._taken = dict(self.seconds)
        return fresh

    def write_off(self, stage: str, work: float) -> None:
        """Drop work of a stage that need not be done."""
        self.stages[stage] = max(0.0, self.stages[stage] - work)

    def settle(self, *stages: str) -> None:
        """Say that stages are over, whatever was expected of them."""
        for stage in stages:
            self.stages[stage] = self.done.get(stage, 0.0)

    def state(self) -> dict[str, Any]:
        """Return the JSON-able position, for a checkpoint."""
        return {"stages": dict(self.stages), "done": dict(self.done)}

    def load_state(self, state: dict[str, Any], seconds: dict[str, float]) -> None:
        """Continue where `state` was taken; `seconds` were spent on each stage until then."""
        self.stages, self.done = dict(state["stages"]), dict(state["done"])
        self.seconds, self._taken = dict(seconds), dict(seconds)

    def show(
        self,
        work: float,
        position: int,
        total: int,
        unit: str,
        speed: float | None = None,
        speed_unit: str = "",
        force: bool = False,
    ) -> None:
        """Report that `work` of the current stage is done.

        Args:
            work: in the plan's unit.
            position, total, unit: what the reader sees, such as 3 of 60 architectures.
            speed, speed_unit: such as 5200 images/s.
            force: send it even if progress was sent a moment ago.
        """
        self.done[self._current] = work
        progress: dict[str, Any] = {
            "stage": self._current,
            "title": self._title,
            "round": self._round,
            "done": position,
            "total": total,
            "unit": unit,
            "fraction": round(self.fraction(), 4),
            "eta_seconds": self.eta(),
            "speed": speed,
            "speed_unit": speed_unit,
        }
        self.events.progress(progress, force)

    def fraction(self) -> float:
        """Return the share of the whole run that is done, by work."""
        total = sum(self.stages.values())
        done = sum(min(self.done.get(s, 0.0), w) for s, w in self.stages.items())
        return done / total if total else 1.0

    def eta(self) -> float | None:
        """Return the seconds left, or None while nothing can be said."""
        spent = dict(self.seconds)
        if self._current:
            passed = time.perf_counter() - self._since
            spent[self._current] = spent.get(self._current, 0.0) + passed
        work = sum(self.done.get(stage, 0.0) for stage in spent)
        elapsed = sum(spent.values())
        if work <= 0 or elapsed < 1:
            return None
        left = 0.0
        for stage, planned in self.stages.items():
            own, own_time = self.done.get(stage, 0.0), spent.get(stage, 0.0)
            rate = own / own_time if own > 0.05 * planned and own_time > 1 else work / elapsed
            left += max(0.0, planned - own) / rate
        return round(left, 1)
