"""How long a refresh of a run with very many events takes: `python -m benchmarks.page_events`.

Makes the folder of a run that is going on and has told 100,000 events, opens its page, and times
the first script run and then, tab by tab, refreshes with new events in between, by Streamlit's
own test runner: reading what is new, building the figures, serialising them. The whole page is
drawn each time, header included; a browser asks for the live part only. The browser's share is
not in it. Beside the time on the clock stands that on the processor, which other work on the
machine does not lengthen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.core.architecture import Architecture
from engine.runs import RunFolder, create_run, read_json, write_json
from engine.spaces import get_space
from engine.spec.files import build

MAIN = Path(__file__).resolve().parent.parent / "app" / "main.py"
LIMIT_MS = 200
SAMPLE, POPULATION, EVERY = 200, 10, 10
TABS = ("Ranking", "Training", "Search", "Architectures", "Spec & environment", "Log", "Files")
SEARCH_SHARE = 0.1  # of the events

Fields = dict[str, Any]


class Story:
    """An endless run: sample, landmarks, then epochs with rankings, learner and checkpoints."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.rng = np.random.default_rng(0)
        self.space = get_space("nb201")
        self.network = folder.spec().network
        self.sample = [self.space.sample(self.rng) for _ in range(SAMPLE)]
        self.truth = self.rng.normal(80, 4, SAMPLE).round(2)
        self.seq = self.epoch = self.generation = 0

    def _entry(self, architecture: Architecture) -> Fields:
        cost = self.space.cost(architecture, self.network)
        named = {"text": self.space.to_text(architecture), "indices": list(architecture.indices)}
        return named | {"params": cost.params, "flops": cost.flops}

    def begin(self) -> Iterator[Fields]:
        """Tell what comes before the training."""
        entries = [self._entry(one) for one in self.sample]
        yield {"type": "sample", "architectures": entries}
        for entry, value in zip(entries, self.truth.tolist(), strict=True):
            yield {"type": "ground_truth", "purpose": "sample", "value": value, **entry}
        marked = [entry | {"value": 80.0, "truth": 80.0} for entry in entries[:10]]
        yield {"type": "landmarks", "round": 1, "architectures": marked}

    def train(self) -> Iterator[Fields]:
        """Tell one epoch."""
        self.epoch += 1
        noise = self.rng.normal(0, 1, 4)
        yield {
            "type": "epoch", "epoch": self.epoch, "epochs": 10**6, "round": 1,
            "loss": 1 + 0.1 * noise[0], "accuracy": 60 + noise[1], "landmark_loss": 0.1,
            "landmark_weight": 10.0, "learning_rate": 0.025,
            "forgetting": {"mean": 1.0 + noise[2], "top_mean": 0.5, "max": 4.0, "n": 40},
            "measured": {
                "seconds": 1.0, "images_per_second": 5000 + 100 * noise[3], "memory_mb": 900.0,
            },
        }  # fmt: skip
        rows = self.rng.dirichlet(np.ones(5), 6).round(4).tolist()
        yield {"type": "learner", "epoch": self.epoch, "probabilities": rows, "entropy": 1.2}
        if self.epoch % EVERY == 0:
            yield self._ranking()
            yield {"type": "checkpoint", "epoch": self.epoch}

    def _ranking(self) -> Fields:
        scores = (self.truth - 20 + self.rng.normal(0, 3, SAMPLE)).round(2)
        names = ("kendall_tau", "sparse_kendall_tau", "spearman", "sparse_spearman")
        metrics = dict(zip(names, self.rng.uniform(0.4, 0.6, 4).tolist(), strict=True))
        return {
            "type": "ranking", "epoch": self.epoch, "scores": scores.tolist(),
            "metrics": metrics | {"super_net_accuracy": float(scores.mean())},
            "truth": self.truth.tolist(), "landmark_scores": [60.0] * 10,
        }  # fmt: skip

    def search(self) -> Iterator[Fields]:
        """Tell one generation."""
        self.generation += 1
        found = [self.space.sample(self.rng) for _ in range(POPULATION)]
        scores = self.rng.normal(70, 3, POPULATION).round(2).tolist()
        many = [[1e6 + position for position in range(POPULATION)]] * 2
        population = {"indices": [list(one.indices) for one in found], "scores": scores}
        yield {
            "type": "generation", "searcher": "evolution", "generation": self.generation,
            "generations": 10**6, "evaluated": POPULATION * self.generation,
            "best_score": max(scores), "mean_score": sum(scores) / POPULATION,
            "best_text": self.space.to_text(found[0]),
            "population": population | {"params": many[0], "flops": many[1]},
        }  # fmt: skip

    def write(self, fields: Iterator[Fields]) -> None:
        """Append events to the run's record."""
        with open(self.folder.path / "events.jsonl", "a", encoding="utf-8") as file:
            for one in fields:
                file.write(json.dumps({"seq": self.seq, "time": time.time(), **one}) + "\n")
                self.seq += 1

    def until(self, count: int) -> None:
        """Tell until there are so many events."""
        self.write(self.begin())
        while self.seq < (1 - SEARCH_SHARE) * count:
            self.write(self.train())
        while self.seq < count:
            self.write(self.search())


def make(runs: Path, count: int) -> Story:
    """Make a run that is going on and has told so many events."""
    settings = {"algorithm": "gdas", "name": "Very many events", "evaluation": {"sample": SAMPLE}}
    folder = create_run(runs, build(settings))
    folder.change_state("running", owner="made")
    story = Story(folder)
    story.until(count)
    return story


def _alive(folder: RunFolder) -> None:
    """Give a sign of life, as a worker does; else the run counts as interrupted."""
    path = folder.path / "state.json"
    write_json(path, read_json(path) | {"heartbeat": time.time()})


def opened(run_id: str) -> tuple[AppTest, float]:
    """Open the run's page for the first time; return it and the seconds that took."""
    test = AppTest.from_file(str(MAIN), default_timeout=600)
    test.run()
    test.query_params["run"] = run_id
    st.cache_resource.clear()  # the first page has read the run for its list
    begun = time.perf_counter()
    test.switch_page("screens/experiment.py").run()
    return test, time.perf_counter() - begun


def refreshes(
    test: AppTest, story: Story, tab: str, repeats: int
) -> tuple[list[float], list[float]]:
    """Return seconds of refreshes of a tab, each with the news of one ranked evaluation.

    First those on the clock, then those on the processor.
    """
    _alive(story.folder)
    test.session_state["tab"] = tab
    test.run()
    clock, processor = [], []
    for _ in range(repeats):
        for _ in range(EVERY):
            story.write(story.train())
        story.write(story.search())
        time.sleep(0.5)  # a feed is read again after 0.4 s
        begun, busy = time.perf_counter(), time.process_time()
        test.run()
        clock.append(time.perf_counter() - begun)
        processor.append(time.process_time() - busy)
        assert not test.exception and not test.error, "the page tells of a fault"
    return clock, processor


def _words(seconds: list[float]) -> str:
    return f"median {1000 * statistics.median(seconds):.0f} ms, worst {1000 * max(seconds):.0f} ms"


def main() -> None:
    """Make the run, time its page, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="events before the first look")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {"NASW_RUNS": f"{place}/runs", "NASW_DATA": f"{place}/lab"}
        story = make(Path(place, "runs"), given.count)
        test, first = opened(story.folder.run_id)
        print(f"{given.count:,} events, {os.cpu_count()} cores; limit {LIMIT_MS} ms a refresh")
        print(f"first look: {first:.2f} s")
        for tab in TABS:
            clock, processor = refreshes(test, story, tab, given.repeats)
            print(f"{tab}: {_words(clock)} on the clock, {_words(processor)} on the processor")


if __name__ == "__main__":
    main()
