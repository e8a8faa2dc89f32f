"""Many browsers watch one run: how late does each see an update?
`python -m benchmarks.page_sessions [--sessions 20] [--seconds 60] [--every 1.0]`.

A real page process and a real embedded store serve a run whose events are written as a worker
writes them, one epoch every `--every` seconds. Each session is a browser context of its own with
the Training tab open; a script in it notes when the newest epoch appears in its chart. The delay
is that moment minus the event's own time, on the same clock. The browsers run on the same
machine, so that the figures are worse than with viewers elsewhere; what they take is told, too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from engine.events import Events
from engine.runs import FolderSink, RunFolder, create_run
from engine.spec.experiment import ExperimentSpec
from workers.identity import new_owner
from workers.keys import Keys
from workers.launch import choose_port, page_command
from workers.server import EmbeddedStore
from workers.settings import ROOT, Settings
from workers.store import connect
from workers.stream import RedisSink

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SETTLE_SECONDS = 8.0
LIMIT_SECONDS = 3.0
CHART = ".st-key-training-loss .nw-plot"
WATCH = """(chart) => {
  window.seen = [];
  setInterval(() => {
    const epoch = document.querySelector(chart)?.data?.[0]?.x?.at(-1);
    if (epoch !== undefined && epoch !== window.seen.at(-1)?.[0])
      window.seen.push([epoch, Date.now() / 1000]);
  }, 50);
}"""


@dataclass(frozen=True)
class Result:
    """What all sessions saw.

    Attributes:
        sessions, updates: how many of each.
        median, p95, worst: seconds between an event and its being drawn.
        late: updates that some session saw more than `LIMIT_SECONDS` late, of all.
        page_cores, browser_cores: processor time of page and browsers a second.
        load: load average of the machine at the end.
        cores: of the machine.
    """

    sessions: int
    updates: int
    median: float
    p95: float
    worst: float
    late: int
    page_cores: float
    browser_cores: float
    load: float
    cores: int


class Writer:
    """Writes an epoch every few seconds, a ranking every fifth, as a worker's process does.

    Args:
        folder: a new run.
        events: where it writes.
        every: seconds between two epochs.
    """

    def __init__(self, folder: RunFolder, events: Events, every: float, owner: str) -> None:
        self.folder, self.events, self.every, self.owner = folder, events, every, owner
        self.epoch = 0
        self.times: dict[int, float] = {}
        self._rng = np.random.default_rng(0)
        self._begun, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Writer:
        for _ in range(200):  # a run that has been going for a while
            self._one()
        self._thread.start()
        return self

    def begin(self) -> None:
        """Write the first of the updates that are watched, all sessions being open."""
        self._begun.set()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._stop.wait(self.every):
            self.folder.beat(self.owner)
            if self._begun.is_set():
                self._one()

    def _one(self) -> None:
        self.epoch += 1
        share = math.exp(-self.epoch / 100)
        self.events.emit(
            "epoch", epoch=self.epoch, epochs=1000, round=None,
            loss=0.4 + 1.9 * share + self._rng.normal(0, 0.02), accuracy=90 - 60 * share,
            landmark_loss=None, landmark_weight=0.0, learning_rate=0.025, forgetting=None,
            measured={"seconds": self.every, "images_per_second": 5000.0, "memory_mb": 400.0},
        )  # fmt: skip
        self.times[self.epoch] = time.time()
        progress = {
            "stage": "training", "title": "Training the super-net", "round": None,
            "done": self.epoch, "total": 1000, "unit": "epochs", "fraction": self.epoch / 1000,
            "eta_seconds": 60.0, "speed": None, "speed_unit": "",
        }  # fmt: skip
        self.events.progress(progress, force=True)


@contextmanager
def served(settings: Settings) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the real page until it is not needed any more."""
    port = choose_port(settings)
    command = page_command(settings, port)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | settings.to_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_served(address)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_served(address: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The page was not served.")


def open_session(browser: Browser, address: str) -> Page:
    """Open the Training tab of the run in a browser profile of its own."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address, timeout=120_000)
    page.get_by_role("tab", name="Training").click(timeout=120_000)
    page.locator(CHART).wait_for(timeout=120_000)
    page.evaluate(WATCH, CHART)
    return page


def delays(seen: Sequence[Sequence[float]], times: dict[int, float], start: float) -> list[float]:
    """Return for each update after `start` how late a session saw it, or a later one.

    Args:
        seen: (newest epoch in the chart, Unix seconds), in order.
        times: Unix seconds of each epoch.
        start: updates before are left out.
    """
    found = []
    for epoch, written in times.items():
        if written < start:
            continue
        moments = [at for newest, at in seen if newest >= epoch]
        if moments:
            found.append(max(moments[0] - written, 0.0))
    return found


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """Return the processor time of processes and their children."""
    total = 0.0
    for process in processes:
        try:
            for one in (process, *process.children(recursive=True)):
                times = one.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def watch(
    address: str, sessions: int, seconds: float, writer: Writer, page: psutil.Process
) -> Result:
    """Open the sessions, let them watch, and gather what they saw."""
    path = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        pages = []
        for number in range(sessions):
            pages.append(open_session(browser, address))
            print(f"\r{number + 1} sessions are open", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        writer.begin()
        time.sleep(SETTLE_SECONDS)
        own = [one for one in psutil.Process().children() if one.pid != page.pid]
        before, browsers = cpu_seconds([page]), cpu_seconds(own)
        start = time.time()
        time.sleep(seconds)
        end = time.time()
        cores = [cpu_seconds([page]) - before, cpu_seconds(own) - browsers]
        load = os.getloadavg()[0]
        time.sleep(2 * LIMIT_SECONDS)
        times = {epoch: at for epoch, at in writer.times.items() if at < end}
        all_ = [delays(one.evaluate("window.seen"), times, start) for one in pages]
        browser.close()
    return summary(all_, [value / (end - start) for value in cores], load)


def summary(found: list[list[float]], cores: Sequence[float], load: float) -> Result:
    """Gather the delays of all sessions."""
    flat = sorted(value for session in found for value in session)
    missed = sum(len(found[0]) - len(session) for session in found)
    return Result(
        sessions=len(found),
        updates=max(map(len, found)),
        median=round(statistics.median(flat), 3),
        p95=round(flat[int(0.95 * (len(flat) - 1))], 3),
        worst=round(flat[-1], 3),
        late=sum(value > LIMIT_SECONDS for value in flat) + max(missed, 0),
        page_cores=round(cores[0], 2),
        browser_cores=round(cores[1], 2),
        load=round(load, 1),
        cores=os.cpu_count() or 1,
    )


@contextmanager
def watched_run(every: float) -> Iterator[tuple[str, str, Writer, psutil.Process]]:
    """Serve the page over a store of its own with a run that is being written.

    Args:
        every: seconds between two updates.

    Yields:
        The page's address, the run's id, what writes the run, and the page's process.
    """
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(data=Path(name, "data"), runs=Path(name, "runs"))
        store = EmbeddedStore(settings)
        url = store.start().url
        try:
            folder, owner = create_run(settings.runs, ExperimentSpec(name="Watched")), new_owner()
            folder.change_state("running", owner=str(owner))
            live = RedisSink(connect(url), Keys(settings.prefix), folder.run_id, str(owner))
            writer = Writer(folder, Events([FolderSink(folder), live]), every, str(owner))
            with writer, served(settings) as (address, page):
                yield address, folder.run_id, writer, page
        finally:
            store.stop()


def arguments_of(description: str | None, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read `--sessions`, `--seconds` and `--every`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two updates")
    return parser.parse_args(arguments)


def told(result: Result) -> int:
    """Print a result; return 1 where an update was later than the limit."""
    print(json.dumps(asdict(result), indent=1))
    return 0 if result.late == 0 else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ends with 1 where an update was later than the limit."""
    chosen = arguments_of("How late many browsers see a run's updates.", arguments)
    # Told to end, it ends what it has started.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with watched_run(chosen.every) as (address, run_id, writer, page):
        target = f"{address}/experiment?run={run_id}"
        result = watch(target, chosen.sessions, chosen.seconds, writer, page)
    return told(result)


if __name__ == "__main__":
    sys.exit(main())
