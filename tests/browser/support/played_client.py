"""The real client without store and workers: submitted runs are played in threads.

Everything that is read comes from real run folders through the real code.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from played_run import play

from engine.runs import RunFolder, create_run
from engine.spec.errors import StoreError
from engine.spec.experiment import ExperimentSpec
from workers.client import (
    Client,
    Measurement,
    Place,
    StoreHealth,
    SystemStatus,
    WorkerStatus,
)
from workers.gauge import Reading
from workers.settings import Settings

STORE = "The store answers."
AWAY = "The store at 127.0.0.1:6399 does not answer. Start it again with `make run`."


class PlayedClient(Client):
    """Plays runs instead of queueing them.

    Args:
        runs: folder of the run folders.
        pause_between: seconds between two events; below 0 nothing is played, runs stay queued.
    """

    def __init__(self, runs: Path, pause_between: float = 0.05) -> None:
        super().__init__(Settings(data=runs / ".data", runs=runs))
        self.pause_between = pause_between
        self.asked: dict[str, str] = {}
        self.threads: list[threading.Thread] = []
        self.places: dict[str, float] = {}
        self.measuring, self.measurement = "", Measurement("waiting")

    def _live(self, *_: object) -> tuple[None, None]:  # type: ignore[override]
        return None, None  # read from the folder

    @property
    def store_away(self) -> bool:
        """Tell whether a test took the store away, by leaving a file beside the runs."""
        return (self.settings.runs / ".store-away").exists()

    def _require_store(self) -> None:
        if self.store_away:
            raise StoreError(AWAY)

    def _queue(self, specs: Sequence[ExperimentSpec]) -> list[str]:
        self._require_store()
        folders = [create_run(self.settings.runs, spec) for spec in specs]
        for folder in folders:
            self._start(folder)
        return [folder.run_id for folder in folders]

    def _start(self, folder: RunFolder) -> None:
        if self.pause_between < 0:
            return
        wish = lambda: self.asked.pop(folder.run_id, None)  # noqa: E731
        thread = threading.Thread(
            target=play, args=(folder, self.pause_between, wish), daemon=True
        )
        self.threads.append(thread)
        thread.start()

    def pause(self, run_id: str) -> None:
        self._require_store()
        self.asked[run_id] = "pause"

    def stop(self, run_id: str) -> None:
        self._require_store()
        if self.folder(run_id).state().state == "running":
            self.asked[run_id] = "stop"
        else:
            self.folder(run_id).change_state("stopped", "Stopped by you.")

    def resume(self, run_id: str) -> None:
        self._require_store()
        self.folder(run_id).change_state("queued")
        self._start(self.folder(run_id))

    def status(self) -> SystemStatus:
        if self.store_away:
            return SystemStatus(False, AWAY, (), 0, 10**10)
        waiting = [run for run in self.list() if run.state == "queued"]
        waiting.sort(key=lambda run: (self.places.get(run.run_id, 0.0), run.run_id))
        order = tuple(run.run_id for run in waiting)
        busy = next((run.run_id for run in self.list() if run.state == "running"), None)
        reading = Reading(6 * 10**9, 16 * 10**9, 0.4)
        state = "busy" if busy else "measuring" if self.measuring else "idle"
        worker = WorkerStatus("cpu-1", "cpu", state, busy, time.time(), reading)
        free, total = 10**10, 10**11
        return SystemStatus(True, STORE, (worker,), len(order), free, order, total)

    def prioritise(self, run_id: str, where: Place) -> None:
        self._require_store()
        order = list(self.status().queue)
        place = order.index(run_id)
        to = {"first": 0, "up": place - 1, "down": place + 1, "last": len(order)}[where]
        order.remove(run_id)
        order.insert(max(to, 0), run_id)
        self.places = {name: float(position) for position, name in enumerate(order)}

    def store_health(self) -> StoreHealth:
        self._require_store()
        return StoreHealth(
            "127.0.0.1:6399", True, "valkey 9.1.0", 7200, 2_400_000, 0, 37, 4, True, True, 0.2
        )

    def measure(self, spec: ExperimentSpec) -> str:
        self._require_store()
        self.measuring = f"-measure-{len(self.list()):016x}"
        return self.measuring

    def measured(self, measurement_id: str) -> Measurement:
        self._require_store()
        return self.measurement

    def forget_measurement(self, measurement_id: str) -> None:
        self.measuring = ""
